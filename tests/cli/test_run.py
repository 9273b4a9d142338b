"""Jobs in SLURM that an earlier start left behind are found, and settled before anything starts."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from swift_hyperband.cli import main
from swift_hyperband.processes import lease
from swift_hyperband.processes.watch import Ended
from swift_hyperband.slurm import queue as slurm
from swift_hyperband.workflow import snakemake

ROOT = Path(__file__).parents[2]
NUMBER = "3ccec161-e7e3-4e8b-ad8b-623383e5eece"

# the queue is a file; where there are several, each look takes one away and shows the next
SQUEUE = """#!/bin/sh
echo "$@" >> asked
[ -e broken ] && { echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1; }
cat queue
[ -e queue.next ] && mv queue.next queue
exit 0
"""
SCANCEL = """#!/bin/sh
echo "$@" >> cancelled
: > queue.next
"""


def job(number, state="RUNNING", study="table", folder=None, prefix=None, comment=""):
    name = f"{prefix or slurm.job_prefix(study)}_{NUMBER}"
    return f"{number}|{name}|{state}|0:12|n1|{comment}|{folder or Path.cwd()}"


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """A folder with a study that runs on SLURM, and commands that stand in for SLURM's."""
    monkeypatch.chdir(tmp_path)
    Path("profiles").symlink_to(ROOT / "profiles")
    # a workflow that has nothing to do: what is tested here comes before
    Path("workflow").mkdir()
    Path("workflow/Snakefile").write_text("rule all:\n    input:\n        'queue',\n")
    Path("config").mkdir()
    study = {
        "name": "table",
        "target": {"name": "curve-table", "metric": "loss", "mode": "min", "options": {"table": "table.csv"}},
        "space": {"row": {"type": "int", "low": 0, "high": 9}},
        "search": {"algorithm": "hyperband", "max_epochs": 9, "eta": 3, "seed": 1},
    }
    Path("config/config.yaml").write_text(yaml.safe_dump(study))
    Path("bin").mkdir()
    for name, script in {"squeue": SQUEUE, "scancel": SCANCEL}.items():
        Path("bin", name).write_text(script)
        Path("bin", name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    Path("queue").write_text("")
    return tmp_path


def jobs():
    return slurm.jobs("table", pytest.fail, pauses=())


COMMAND = [str(Path(sys.executable).with_name("swift-hyperband")), "run", "--profile", "profiles/slurm"]


def run(*options, command=COMMAND):
    return subprocess.run([*command, *options], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100)


def start(*options):
    return subprocess.Popen(
        [*COMMAND, *options],
        stderr=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
        # a shell that runs the tests in the background makes everything below it deaf to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def on_terminal(answer, *options):
    """Run the command on a terminal, and give an answer there; return exit code and all that is seen there."""
    terminal, inside = pty.openpty()
    process = subprocess.Popen([*COMMAND, *options], stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
    os.close(inside)
    seen = ""
    while True:
        try:
            seen += os.read(terminal, 1000).decode()
        except OSError:
            # nobody is left on the other side
            break
        if answer and "[w/c/q]" in seen:
            os.write(terminal, answer.encode() + b"\n")
            answer = None
    os.close(terminal)
    return process.wait(timeout=30), seen


def test_a_searchs_jobs_are_those_of_its_name_and_its_trainings_in_this_folder(queue):
    mine = [
        job(1),
        job(2, state="PENDING"),
        job(3, state="COMPLETING"),
        job(4, prefix="swift-hyperband", comment="rule_train_full_wildcards_table_3_0_99c48c7fa4"),
        job(5, prefix="anything", comment="rule_train_partial_wildcards_table_0_2_99c48c7fa4"),
    ]
    others = [
        job(6, study="table_2"),
        job(7, study="tables"),
        job(8, folder="/somewhere/else"),
        job(9, prefix="swift-hyperband", comment="rule_train_full_wildcards_table_2_1_0_99c48c7fa4"),
        job(10, prefix="swift-hyperband", comment="rule_compare"),
        job(11, prefix="swift-hyperband"),
        "something that is no job",
    ]
    Path("queue").write_text("\n".join([*others, *mine]) + "\n")
    assert [found.id for found in jobs()] == ["1", "2", "3", "4", "5"]
    assert jobs()[0] == slurm.Job(
        "1", f"swift-hyperband-table_{NUMBER}", "RUNNING", "0:12", "n1", "", str(queue.resolve())
    )
    assert slurm.counted(jobs()) == "5 jobs (3 running, 1 pending, 1 completing)"


def test_a_folder_may_have_any_name_and_be_reached_by_a_link(queue, monkeypatch):
    odd = queue / "a|b c"
    odd.mkdir()
    Path("link").symlink_to(odd)
    Path("queue").rename(odd / "queue")
    monkeypatch.chdir("link")
    Path("queue").write_text(job(1, folder=queue / "link") + "\n" + job(2, folder=odd) + "\n")
    assert [found.id for found in jobs()] == ["1", "2"]


@pytest.mark.parametrize("study", ["digits", "a" * 34, "a" * 35, "a" * 200])
def test_the_plugin_takes_the_names_of_jobs_of_any_study(study):
    prefix = slurm.job_prefix(study)
    assert re.match(r"^[A-Za-z0-9_-]{1,50}$", prefix)
    assert prefix != slurm.job_prefix(study + "b")
    assert prefix.startswith("swift-hyperband-" + study[:20])


def test_without_leftover_jobs_nothing_is_said_of_slurm(queue):
    done = run()
    assert done.returncode == 0
    assert "swift-hyperband:" not in done.stderr
    assert not Path("results").exists()


@pytest.mark.parametrize("options", [["--leftover", "wait"], []])
def test_leftover_jobs_are_waited_for_also_where_nobody_can_be_asked(queue, options):
    Path("queue").write_text(job(17) + "\n" + job(18, state="PENDING") + "\n")
    said = []
    with start(*options) as waiting:
        for line in waiting.stderr:
            if line.startswith("swift-hyperband:"):
                said.append(line.removeprefix("swift-hyperband: ").strip())
            if line.endswith("Ctrl-C ends the waiting\n"):
                Path("queue.next").write_text("" if "1 job (" in line else job(18, state="COMPLETING") + "\n")
    assert waiting.returncode == 0
    assert said == [
        "2 jobs (1 running, 1 pending) of an earlier start are in SLURM: 17, 18",
        "waits for these: 2 jobs (1 running, 1 pending); Ctrl-C ends the waiting",
        "waits for these: 1 job (1 completing); Ctrl-C ends the waiting",
    ]
    assert not Path("cancelled").exists()
    assert not Path("results/table/lease").exists()


def test_leftover_jobs_are_cancelled_on_demand_and_gone_before_anything_starts(queue):
    Path("queue").write_text(job(17) + "\n" + job(18, folder="/somewhere/else") + "\n")
    done = run("--leftover", "cancel")
    assert done.returncode == 0, done.stderr
    assert Path("cancelled").read_text() == "17\n"
    assert "waits until these are gone: 1 job (1 running)" in done.stderr


@pytest.mark.parametrize(("answer", "code", "cancelled"), [("c", 0, True), ("quit", 1, False)])
def test_on_a_terminal_the_user_is_asked_what_to_do_with_leftover_jobs(queue, answer, code, cancelled):
    Path("queue").write_text(job(17) + "\n")
    found, seen = on_terminal(answer)
    assert found == code, seen
    assert "1 job (1 running) of an earlier start are in SLURM: 17" in seen
    assert Path("cancelled").exists() == cancelled
    assert ("nothing was started" in seen) == (not cancelled)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_waiting_for_leftover_jobs_can_be_stopped(queue, number, code):
    Path("queue").write_text(job(17) + "\n")
    with start("--leftover", "wait") as waiting:
        while "Ctrl-C" not in waiting.stderr.readline():
            assert waiting.poll() is None
        waiting.send_signal(number)
        assert "swift-hyperband: stopped; nothing was started\n" in waiting.communicate(timeout=30)[1]
    assert waiting.returncode == code
    assert not Path("results/table/lease").exists()


def test_jobs_of_a_living_head_are_not_left_over(queue):
    Path("queue").write_text(job(17) + "\n")
    Path("results/table").mkdir(parents=True)
    with lease.acquire(Path("results/table"), lambda: False):
        done = run("--leftover", "cancel")
    assert done.returncode == 2
    assert f"one process at a time can run this search, and process {os.getpid()} on host" in done.stderr
    assert not Path("cancelled").exists()


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
    assert main(["run", "--profile", "profiles/slurm", *options]) == 0
    assert seen == [jobs]


def test_another_name_for_the_search_is_refused_since_jobs_go_by_that_of_the_study_file(queue):
    done = run("--config", "name=other")
    assert done.returncode == 2
    assert "--config name: must not be given" in done.stderr
    assert not Path("asked").exists()


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
    assert run(command=COMMAND[:2]).returncode == 0
    assert not Path("asked").exists()
    assert run("--executor", "slurm", "-j", "1", "--leftover", "cancel", command=COMMAND[:2]).returncode == 0
    assert Path("cancelled").exists()


def test_where_slurm_does_not_answer_that_is_said_and_nothing_starts(queue):
    Path("broken").touch()
    done = run()
    assert done.returncode == 2
    problem = "slurm_load_jobs error: Unable to contact slurm controller"
    assert done.stderr.count(f"swift-hyperband: squeue does not answer ({problem}); it is asked again\n") == 2
    assert done.stderr.endswith(f"error: squeue: must answer, found: {problem}; try again when SLURM does\n")


def test_while_jobs_are_waited_for_slurm_may_be_away_for_a_while(queue):
    Path("queue").write_text(job(17) + "\n")
    with start("--leftover", "wait") as waiting:
        for line in waiting.stderr:
            if "waits for these" in line:
                Path("broken").touch()
            if "does not know for what: squeue: must answer" in line:
                Path("queue.next").write_text("")
                Path("broken").unlink()
    assert waiting.returncode == 0


def test_a_command_that_hangs_is_not_waited_for(queue, monkeypatch):
    Path("bin/squeue").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(slurm, "PATIENCE", 0.2)
    said = []
    began = time.monotonic()
    with pytest.raises(slurm.SlurmError, match=r"squeue: must answer, found: no answer within 0 seconds"):
        slurm.jobs("table", said.append, pauses=(0.1,))
    assert len(said) == 1
    assert time.monotonic() - began < 30


def test_a_machine_without_slurm_is_told_apart_from_one_that_does_not_answer(queue, monkeypatch):
    monkeypatch.setenv("PATH", str(queue))
    with pytest.raises(slurm.SlurmError, match=r"squeue: must be there .* start the search where SLURM's commands are"):
        jobs()


def test_jobs_that_ended_meanwhile_can_be_cancelled(queue):
    Path("bin/scancel").write_text(
        "#!/bin/sh\necho 'scancel: error: Kill job error on job id 1: Invalid job id specified' >&2\nexit 1\n"
    )
    Path("queue").write_text(job(1) + "\n")
    slurm.cancel(jobs(), pytest.fail, pauses=())


def test_the_lease_says_in_which_slurm_job_a_head_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    with lease.acquire(tmp_path, lambda: False, watcher=17):
        since = json.loads((tmp_path / "lease").read_text())["since"]
        assert lease.holder(tmp_path) == f"process 17 on host {os.uname().nodename} (SLURM job 4711, since {since})"
        assert lease.is_held_by(tmp_path, 17)
        assert not lease.is_held_by(tmp_path, 18)


@pytest.mark.parametrize(
    ("answer", "over"),
    [
        ("echo RUNNING", False),
        ("echo CANCELLED", True),
        ("echo NODE_FAIL", False),
        ("echo PENDING", False),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", True),
        ("exit 1", False),
    ],
)
def test_a_job_is_over_when_slurm_says_so_or_has_forgotten_it(queue, answer, over):
    Path("bin/squeue").write_text(f"#!/bin/sh\n{answer}\n")
    assert slurm.is_over("17") == over


def test_when_a_job_was_submitted_and_given_its_node_is_told_in_seconds(queue, monkeypatch):
    # whatever form of times the user prefers
    monkeypatch.setenv("SLURM_TIME_FORMAT", "relative")
    Path("bin/squeue").write_text("#!/bin/sh\n[ $SLURM_TIME_FORMAT = %s ] && echo '1795862896|1795862901'\n")
    assert slurm.times("17") == (1795862896, 1795862901)
    Path("bin/squeue").write_text("#!/bin/sh\nexit 1\n")
    assert slurm.times("17") == (None, None)
    # nodes need not have squeue
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("SLURM_JOB_START_TIME", "1795862901")
    assert slurm.times("17") == (None, 1795862901)
    assert slurm.times("18") == (None, None)
