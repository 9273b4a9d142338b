import ast
from pathlib import Path

import pytest

import swift_hyperband
from swift_hyperband.base.errors import UserError
from swift_hyperband.results.layout import RESULTS, StudyFolder, expanded, locate
from swift_hyperband.search.schedule import hyperband
from swift_hyperband.study.model import Study

ROUND = hyperband(9, 3).by_key[2, 1]
FOLDER = StudyFolder.of("small")


def test_the_round_of_a_file_is_found_by_its_path():
    for path in (FOLDER.entry(ROUND), FOLDER.decision(ROUND), FOLDER.promotion(ROUND)):
        assert locate(path) == (FOLDER, (2, 1))
    assert locate(FOLDER.manifest(ROUND, "full", "x").parent) == (FOLDER, (2, 1))
    with pytest.raises(UserError, match=r"best.yaml: must lie in results/<study>/bracket=<s>/round=<i>/"):
        locate(FOLDER.best)


def test_a_study_lies_below_results_and_its_trials_below_it():
    assert FOLDER.path == Path("results/small")
    assert FOLDER.config("a") == Path("results/small/trials/a/config.json")


def test_each_log_of_a_round_belongs_to_the_file_that_its_job_writes(tmp_path):
    folder = StudyFolder(tmp_path)
    logs = folder.round(ROUND) / "logs"
    logs.mkdir(parents=True)
    for name in ("full-x", "fit", "decide", "threshold", "promote"):
        (logs / f"{name}.log").touch()
    assert {log.stem: path for log, path in folder.logs(ROUND)} == {
        "full-x": folder.manifest(ROUND, "full", "x"),
        "fit": folder.predictor(ROUND),
        "decide": folder.decision(ROUND),
        "threshold": folder.threshold(ROUND),
        "promote": folder.promotion(ROUND),
    }


@pytest.mark.parametrize(
    ("results", "path"),
    [
        ("results", "results/small"),
        ("../shared//searches/", "../shared/searches/small"),
        ("$SCRATCH/mine", "/scratch/me/mine/small"),
        ("${SCRATCH}", "/scratch/me/small"),
        ("~/searches", "/home/me/searches/small"),
        ("a$", "a$/small"),
    ],
)
def test_the_results_lie_where_the_study_file_says(results, path, monkeypatch):
    monkeypatch.setenv("SCRATCH", "/scratch/me")
    monkeypatch.setenv("HOME", "/home/me")
    assert StudyFolder.of("small", results).path == Path(path)


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("results", ["$SCRATCH/mine", "${SCRATCH}/mine"])
def test_a_variable_that_is_not_set_is_told(results, value, monkeypatch):
    monkeypatch.delenv("SCRATCH", raising=False)
    if value is not None:
        monkeypatch.setenv("SCRATCH", value)
    with pytest.raises(UserError) as told:
        expanded(results)
    assert str(told.value) == (
        f"results: {results} names a variable that must be set, found no SCRATCH in the environment; "
        "give it (export SCRATCH=...), or name a folder in the study file"
    )


def test_a_home_that_nobody_has_is_told():
    with pytest.raises(UserError) as told:
        expanded("~nosuchuser/mine")
    assert str(told.value) == (
        "results: ~nosuchuser/mine must begin with the home of a user of this machine, found no home of ~nosuchuser; "
        "name a folder in the study file"
    )


def test_where_the_study_file_says_nothing_all_agree_on_the_folder():
    assert Path(Study.model_fields["results"].default) == RESULTS


def test_whoever_looks_for_the_folder_of_a_study_asks_its_key():
    source = Path(swift_hyperband.__file__).parent
    calls = [
        f"{path.relative_to(source)}:{node.lineno}"
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "StudyFolder.of" and len(node.args) < 2
    ]
    # the one that looks at the place that is the default
    assert [call.partition(":")[0] for call in calls] == ["results/places.py"]
