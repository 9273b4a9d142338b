"""`swift-hyperband run`: what it refuses, and what it asks SLURM and Snakemake for."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from slurm_stand_in import COMMAND, HERE, job, run

from swift_hyperband.cli import main
from swift_hyperband.processes.watch import Ended
from swift_hyperband.workflow import snakemake


def test_without_leftover_jobs_nothing_is_said_of_slurm(queue):
    done = run()
    assert done.returncode == 0
    assert "swift-hyperband:" not in done.stderr
    assert not Path("results").exists()


@pytest.mark.parametrize("option", ["--dry-run", "-n", "--summary", "--unlock"])
def test_who_only_looks_is_not_kept_waiting(queue, option):
    Path("queue").write_text(job(17) + "\n")
    assert run(option).returncode == 0
    assert not Path("asked").exists()


@pytest.mark.parametrize(
    ("options", "jobs"), [([], 3), (["--jobs", "7"], 7), (["-j9"], 9), (["--set-resources", "x:mem_mb=1"], 3)]
)
def test_a_cluster_has_as_many_jobs_at_a_time_as_the_study_has_workers(queue, monkeypatch, options, jobs):
    study = yaml.safe_load(Path("config/config.yaml").read_text())
    Path("config/config.yaml").write_text(yaml.safe_dump(study | {"resources": {"workers": 3}}))
    seen = []
    monkeypatch.setattr(snakemake, "run", lambda parser, parsed, log: seen.append(parsed.jobs) or 0)
    monkeypatch.setattr(snakemake, "watch", lambda work, *_: Ended(work(), None, None))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main(["run", "--snakefile", "workflow/Snakefile", "--profile", "profiles/slurm", *options]) == 0
    assert seen == [jobs]


def test_another_name_for_the_search_is_refused_since_jobs_go_by_that_of_the_study_file(queue):
    done = run("--config", "name=other")
    assert done.returncode == 2
    assert "--config name: must not be given" in done.stderr
    assert not Path("asked").exists()


def test_a_folder_to_change_to_is_refused_as_the_study_is_read_here(queue):
    done = run("--directory", "elsewhere")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --directory: must not be given, ")
    assert not Path("asked").exists()
    assert not Path("elsewhere").exists()


@pytest.mark.parametrize(("option", "name"), [("--cores=0", "cores"), ("-j-1", "jobs")])
def test_no_cores_are_refused_as_a_search_would_wait_for_them_for_ever(queue, option, name):
    done = run(option)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: --{name} must be at least 1, found ")
    assert not Path("asked").exists()


def test_a_study_file_may_be_given_as_other_commands_take_it(queue):
    done = run("absent.yaml")
    assert (done.returncode, done.stderr) == (2, "error: absent.yaml: must be a study file, found no such file\n")
    # which Snakemake can make
    assert "absent" not in run("-n", "results/absent/best.yaml").stderr.partition("\n")[0]


def test_a_token_does_not_get_into_the_logs_of_jobs(queue, monkeypatch):
    monkeypatch.setenv("DWAVE_API_TOKEN", "DEV-secret")
    done = run("--verbose", "--verbose")
    assert done.returncode == 2
    assert "--verbose: must not be given twice while DWAVE_API_TOKEN is set" in done.stderr
    assert "DEV-secret" not in done.stdout + done.stderr
    assert not Path("asked").exists()


def test_a_search_that_runs_here_does_not_ask_slurm(queue):
    Path("queue").write_text(job(17) + "\n")
    assert run(command=HERE).returncode == 0
    assert not Path("asked").exists()
    assert run("--executor", "slurm", "-j", "1", "--leftover", "cancel", command=HERE).returncode == 0
    assert Path("cancelled").exists()


def test_a_profile_whose_plugin_is_not_installed_names_the_extra(queue):
    # a plugin of Snakemake's is found by the name of its package
    without = "import pkgutil; all = pkgutil.iter_modules; pkgutil.iter_modules = lambda *given: ("
    without += "found for found in all(*given) if not found.name.startswith('snakemake_executor_plugin')); "
    run = f"import sys; sys.argv = {COMMAND}; from swift_hyperband.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", without + run], capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert done.stderr == (
        "error: executor slurm needs packages that are not installed, found no module "
        "'snakemake_executor_plugin_slurm'; install them with: pip install 'swift-hyperband[slurm]'\n"
    )
