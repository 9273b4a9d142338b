"""What lies in the folder of a finished search is damaged: `run` makes it again, or says in one line what is wrong."""

import json
import shutil
import sys

import pyarrow.parquet
import pytest
import yaml


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A small finished search of the workflow."""
    found = project_class().create(tmp_path_factory.mktemp("searched"))
    found.study(search__max_epochs=9, swift__d=3, swift__decision_fraction=0.3, resources__workers=2)
    found.run("swift-hyperband", "run", "--cores", "2")
    return found


@pytest.fixture
def over(searched, tmp_path):
    """A copy of it, which may be damaged."""
    shutil.copytree(searched.path, tmp_path / "copy", symlinks=True)
    return project_class()(tmp_path / "copy")


def project_class():
    # tests are no package: conftest.py has loaded it
    return sys.modules["workflow_project"].Project


def found(project):
    curves = pyarrow.parquet.ParquetFile(project.results / "curves.parquet").read().drop_columns(["seconds"])
    return project.best(), project.decisions(), curves.to_pylist()


def winner(project):
    return project.results / "trials" / yaml.safe_load(project.best())["trial"]


def test_what_is_damaged_in_a_finished_search_is_made_again_with_the_same_bits(over):
    before, best = found(over), winner(over)
    loser = next(path for path in sorted(over.results.glob("trials/*")) if path != best)
    # all at once, as one start of Snakemake takes seconds
    (best / "state.json").unlink()
    (loser / "curve.jsonl").unlink()
    (over.results / "best.yaml").write_text("")
    (over.results / "curves.parquet").write_bytes(b"")
    (over.results / "report/epochs.png").write_bytes((over.results / "report/epochs.png").read_bytes()[:500])
    printed = over.run("swift-hyperband", "run", "--cores", "2")
    assert f"trials/{best.name}/state.*: the state is gone, and it is the result" in printed
    assert "what was damaged or lost is made again" in printed
    assert found(over) == before
    assert (best / "state.json").exists()
    assert (over.results / "report/epochs.png").read_bytes()[-8:] == b"IEND\xaeB`\x82"
    untouched = {path: path.stat().st_mtime_ns for path in over.results.rglob("*") if path.is_file()}
    printed = over.run("swift-hyperband", "run", "--cores", "2")
    assert "made again" not in printed
    assert {path: path.stat().st_mtime_ns for path in over.results.rglob("*") if path.is_file()} == untouched


def test_damaged_decisions_of_a_finished_search_are_made_again_by_plain_snakemake(over):
    before = found(over)
    rounds = sorted(over.results.glob("bracket=*/round=*"))
    (rounds[-1] / "entry.json").write_text("[]")
    next(over.results.glob("bracket=*/round=*/decision.json")).write_text('{"verdicts": null}')
    next(over.results.glob("bracket=*/round=*/full/*.json")).write_text("")
    (rounds[0] / "promotion.json").unlink()
    looked = over.run("snakemake", "-n")
    assert "Traceback" not in looked
    over.run("snakemake", "--cores", "2")
    assert found(over) == before


def test_what_cannot_be_made_again_is_one_line_that_names_the_file(over):
    folder = over.results.relative_to(over.path)
    for path, damage, line in (
        (
            "study.json",
            "",
            f"{folder}/study.json: must be JSON, found an empty file; delete the file if the study file",
        ),
        ("best.yaml", None, f"{folder}/best.yaml: must be a file, found a folder; move it away"),
    ):
        kept = (over.results / path).read_text()
        (over.results / path).unlink()
        if damage is None:
            (over.results / path).mkdir()
        else:
            (over.results / path).write_text(damage)
        for command in (["swift-hyperband", "run"], ["swift-hyperband", "search"]):
            printed = over.run(*command, check=False)
            assert f"error: {line}" in printed
            assert "Traceback" not in printed
        shutil.rmtree(over.results / path) if damage is None else (over.results / path).unlink()
        (over.results / path).write_text(kept)


def test_a_configuration_that_was_changed_by_hand_is_refused(over):
    path = next(over.results.glob("trials/*/config.json"))
    content = json.loads(path.read_text())
    content["configuration"]["row"] += 1
    path.write_text(json.dumps(content))
    printed = over.run("swift-hyperband", "run", check=False)
    assert (
        f"{path.relative_to(over.path)}: must hold the trial that the study draws, found configuration.row" in printed
    )
    assert "Traceback" not in printed
