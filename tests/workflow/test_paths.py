"""Folders and files with any name: what a shell would expand is quoted, what Snakemake cannot hold is refused."""

import subprocess
import sys
from pathlib import Path

import pytest
from workflow_project import Project

from swift_hyperband.base.errors import UserError
from swift_hyperband.workflow.paths import check_paths_for_cluster

ODD = "it's $(touch pwned) `touch pwned`;\"%j\\\n&*#"
SMALL = {"search": {"algorithm": "hyperband", "max_epochs": 3, "eta": 3, "seed": 1, "brackets": [0]}}


@pytest.fixture
def odd(project, tmp_path):
    """A project in a folder with an odd name, and an environment in another one, which may hold braces besides."""
    (tmp_path / ODD).mkdir()
    found = Project.create(tmp_path / ODD)
    found.study(**SMALL)
    environment = tmp_path / f"{ODD}{{x}}"
    environment.symlink_to(Path(sys.executable).parents[1])
    found.python = str(environment / "bin/python")
    return found


def run(project, *arguments):
    command = [project.python, "-P", "-m", *arguments]
    done = subprocess.run(command, cwd=project.path, capture_output=True, text=True, timeout=300)
    assert not list(project.path.rglob("pwned"))
    return done


def test_a_search_runs_in_a_folder_and_an_environment_with_odd_names(odd):
    for command in (["snakemake", "-n"], ["swift_hyperband", "run", "-c", "2", "best"]):
        done = run(odd, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "best configuration: results/table/best.yaml" in done.stdout


def test_the_rule_record_takes_a_study_file_with_an_odd_name(odd):
    study = odd.path / "it's $(touch pwned).yaml"
    (odd.path / "config/config.yaml").rename(study)
    done = run(
        odd,
        *("snakemake", "record", "-c", "1", "--configfile", study.name),
        *("--config", "configurations=2; touch pwned"),
    )
    assert done.returncode == 1
    assert "invalid int value: '2; touch pwned'" in done.stdout + done.stderr
    done = run(odd, "snakemake", "record", "-c", "1", "--configfile", study.name, "--config", "configurations=2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (odd.path / "results/table-curves/curves.parquet").exists()


@pytest.mark.parametrize("name", ["a{b}c"])
def test_braces_in_the_projects_folder_are_refused_in_a_line(project, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    for part in ("workflow", "rules", "profiles", "envs", "config", "table.csv"):
        (folder / part).symlink_to(tmp_path / part)
    for command in (["snakemake", "-n"], ["swift-hyperband", "run", "-c", "1"]):
        done = subprocess.run(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]], cwd=folder, capture_output=True, text=True
        )
        errors = [line for line in done.stderr.splitlines() if not line.startswith("Using ")]
        assert done.returncode != 0
        assert len(errors) == 1, done.stderr
        assert errors[0].startswith(f"error: {folder}: this path must hold no ")
        assert errors[0].endswith("as Snakemake takes them for wildcards; rename the folder, or work in another one")


@pytest.mark.parametrize("character", ["$", "`", '"', "\\", "%", "\n", "{"])
def test_what_a_submission_would_expand_is_refused_on_a_cluster(character):
    with pytest.raises(UserError, match="this path must hold no ") as told:
        check_paths_for_cluster(["/home/me", f"/home/a{character}b"], "/opt/env/bin/python")
    assert "\n" not in str(told.value)
    check_paths_for_cluster(["/home/it's me;#&", "/home/ü*"], "/opt/env/bin/python")


@pytest.mark.parametrize("name", ["my env", "it's", "a;b", "a\nb"])
def test_an_environment_whose_path_needs_quotes_is_refused_on_a_cluster(name):
    with pytest.raises(UserError, match="the environment's path must hold letters") as told:
        check_paths_for_cluster([], f"/opt/{name}/bin/python")
    assert "\n" not in str(told.value)
