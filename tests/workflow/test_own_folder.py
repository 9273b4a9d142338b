"""A folder with a study file is all that a search needs: the workflow is taken from where the package lies."""

import json
import shutil

import pytest


@pytest.fixture
def own(project):
    """A project whose folder is no clone."""
    for name in ("workflow", "rules", "profiles", "envs"):
        (project.path / name).unlink()
    return project


def test_the_path_of_the_workflow_lets_snakemake_run_the_search_with_its_default_profile(own, finished):
    snakefile = own.run("swift-hyperband", "workflow").strip()
    printed = own.run("snakemake", "--snakefile", snakefile, "--cores", "2")
    assert f"Using workflow specific profile {own.run('swift-hyperband', 'workflow', '--profile').strip()}" in printed
    assert own.best() == finished.best()
    assert own.decisions() == finished.decisions()
    assert (own.results / "report/index.html").exists()


def test_the_command_needs_no_workflow_in_the_folder(own, finished):
    own.run("swift-hyperband", "run", "--cores", "2", "best")
    assert own.best() == finished.best()
    assert "Nothing to be done" in own.run("swift-hyperband", "run", "--cores", "2", "best")


def test_a_workflow_of_ones_own_can_be_given_to_the_command(own):
    (own.path / "mine.smk").write_text("rule all:\n    output: 'made'\n    shell: 'touch {output}'\n")
    own.run("swift-hyperband", "run", "-s", "mine.smk", "--cores", "1")
    assert (own.path / "made").exists()
    assert not own.results.exists()


@pytest.mark.parametrize(("execution", "to"), [("rounds", "moved"), ("workers", ".")])
def test_the_results_lie_where_the_study_file_says_and_may_move(own, finished, execution, to):
    own.variables["SCRATCH"] = str(own.path / "it's a disk")
    own.study(results="$SCRATCH/mine", execution=execution, speculate=False)
    own.run("swift-hyperband", "run", "--cores", "2", "--until", "worker" if execution == "workers" else "promote")
    before = own.epochs_started(own.path / "it's a disk/mine/table")
    assert before
    assert not (own.path / "results").exists()
    # moved between starts, and named by a path below the folder
    place = own.path / to / "table"
    place.parent.mkdir(exist_ok=True)
    shutil.move(own.path / "it's a disk/mine/table", place)
    own.study(results=to, execution=execution, speculate=False)
    name = str(place.relative_to(own.path))
    printed = own.run("swift-hyperband", "resume", "--cores", "2")
    assert f"best configuration: {name}/best.yaml" in printed
    assert (place / "report/index.html").exists()
    for word in ("config/config.yaml", name):
        assert json.loads(own.run("swift-hyperband", "status", "--json", word))["finished"]
    assert "Nothing to be done" in own.run("swift-hyperband", "resume", name, "--cores", "2")
    assert not set(own.epochs_started(place) - before) & set(before), "none was trained twice"
    if execution == "rounds":
        assert own.decisions(place) == finished.decisions()
    folders = {path.name for path in own.path.iterdir() if path.is_dir()}
    assert folders == {".snakemake", "config", "it's a disk", "logs", name.partition("/")[0]}


def test_jobs_and_resume_find_the_results_though_the_variable_is_another_there(own):
    own.variables["SCRATCH"] = "disk"
    own.study(results="$SCRATCH/mine", search={"algorithm": "hyperband", "max_epochs": 3, "brackets": [0]})
    submit = own.path / "submit.sh"
    submit.write_text('#!/bin/sh\nSCRATCH=/of/a/node sh "$1" > "$1.log" 2>&1\n')
    submit.chmod(0o755)
    cluster = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", submit]
    cluster += ["--jobs", "1", "--seconds-between-status-checks", "1", "--latency-wait", "2"]
    snakefile = own.run("swift-hyperband", "workflow").strip()
    own.run("snakemake", "--snakefile", snakefile, *cluster, "--until", "train_full")
    place = own.path / "disk/mine/table"
    assert list(place.glob("trials/*/curve.jsonl"))
    for scratch in ({}, {"SCRATCH": "another"}):
        own.variables = scratch
        own.run("swift-hyperband", "resume", "disk/mine/table", "--cores", "1", "best")
        assert (place / "best.yaml").exists()
        assert not (own.path / "another").exists()
    # a folder that was renamed is none of this study
    shutil.move(place, place.with_name("other"))
    own.variables = {}
    assert "must be disk/mine/table" in own.run("swift-hyperband", "resume", "disk/mine/other", check=False)


def test_the_recording_of_a_study_lies_beside_its_search(own):
    own.study(results="disk", target__name="curve-table")
    own.run("swift-hyperband", "record", "--configurations", "3", "--cores", "1")
    assert (own.path / "disk/table-curves/curves.parquet").exists()
    assert not (own.path / "results").exists()


def test_a_search_that_begins_anew_in_a_third_place_says_where_the_last_one_is(own):
    keys = {"search": {"algorithm": "hyperband", "max_epochs": 3, "brackets": [0]}}
    said = f"while the last one of this name is in {own.path / 'one/table'}"
    for command, place in ((["search"], "one"), (["run", "--cores", "1", "best"], "two"), (["search"], "two")):
        own.study(results=place, **keys)
        printed = own.run("swift-hyperband", *command)
        assert printed.count(said) == (1 if "run" in command else 0), printed
        assert (own.path / place / "table/best.yaml").exists()


def test_a_variable_that_is_not_set_is_told_before_anything_starts(own):
    own.study(results="$SCRATCH/mine")
    for command in (["plan"], ["status"], ["run", "--cores", "1"], ["search"], ["work", "config/config.yaml"]):
        assert own.run("swift-hyperband", *command, check=False).startswith("error: results: $SCRATCH/mine names a var")
    printed = own.run("snakemake", "-n", "--snakefile", own.run("swift-hyperband", "workflow").strip(), check=False)
    assert "error: results: $SCRATCH/mine names a variable that must be set" in printed
    assert {path.name for path in own.path.iterdir()} <= {"config", "table.csv", "printed.txt", ".snakemake"}


def test_a_search_whose_folder_was_left_behind_does_not_begin_anew(copied):
    copied.study(results="elsewhere")
    for command in (["run", "--cores", "1"], ["search"], ["work", "config/config.yaml"]):
        printed = copied.run("swift-hyperband", *command, check=False)
        assert printed.startswith("error: results: must be the folder of the search that was started, found elsewhere")
        assert "move that to elsewhere/table to go on" in printed
    assert not (copied.path / "elsewhere").exists()
    shutil.move(copied.path / "results", copied.path / "elsewhere")
    assert "Nothing to be done" in copied.run("swift-hyperband", "run", "--cores", "1")


MODULE = """
configfile: "pipeline.yaml"

module swift_hyperband:
    snakefile: "{snakefile}"
{config}
use rule * from swift_hyperband {rules}

{more}
rule prepare:
    output: "prepared.txt"
    shell: "touch {{output}}"

rule evaluate:
    default_target: True
    input: "results/table/best.yaml"
    output: "evaluated.txt"
    # the shells of other rules are left as they are
    shell: "! command -v swift-hyperband && cp {{input}} {{output}} && echo {{config[mine]}} >> {{output}}"
"""


@pytest.mark.parametrize(
    ("study", "config", "rules", "more"),
    [
        ("config/config.yaml", "", "exclude all", "use rule train_full from swift_hyperband with:\n    threads: 2\n"),
        (
            "studies/a.yaml",
            '    config: {"study_file": "studies/a.yaml", "needs": ["prepared.txt"]}\n',
            "as search_*",
            "use rule worker from swift_hyperband as search_worker with:\n    threads: 2\n",
        ),
    ],
)
def test_other_workflows_have_it_as_a_module(own, finished, study, config, rules, more):
    own.study(execution="rounds" if "exclude" in rules else "workers", speculate=False)
    (own.path / study).parent.mkdir(exist_ok=True)
    shutil.move(own.path / "config/config.yaml", own.path / study)
    (own.path / "pipeline.yaml").write_text("mine: 4\n")
    snakefile = own.run("swift-hyperband", "workflow").strip()
    (own.path / "Snakefile").write_text(MODULE.format(snakefile=snakefile, config=config, rules=rules, more=more))
    planned = own.run("snakemake", "-n")
    assert not own.results.exists()
    assert ("prepare " in planned) == ("needs" in config)
    own.run("snakemake", "--cores", "2")
    assert own.decisions() == finished.decisions()
    assert (own.path / "evaluated.txt").read_text() == own.best().decode() + "4\n"
    assert (own.path / "prepared.txt").exists() == ("needs" in config)
    assert "Nothing to be done" in own.run("snakemake", "--cores", "2")
