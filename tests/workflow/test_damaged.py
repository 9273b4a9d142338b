"""What lies in the folder of a finished search is damaged: `run` makes it again, or says in one line what is wrong."""

import json
import shutil

import pyarrow.parquet
import yaml


def found(project):
    curves = pyarrow.parquet.ParquetFile(project.results / "curves.parquet").read().drop_columns(["seconds"])
    return project.best(), project.decisions(), curves.to_pylist()


def winner(project):
    return project.results / "trials" / yaml.safe_load(project.best())["trial"]


def test_what_is_damaged_in_a_finished_search_is_made_again_with_the_same_bits(copied):
    before, best = found(copied), winner(copied)
    loser = next(path for path in sorted(copied.results.glob("trials/*")) if path != best)
    # all at once, as one start of Snakemake takes seconds
    (best / "state.json").unlink()
    (loser / "curve.jsonl").unlink()
    (copied.results / "best.yaml").write_text("")
    (copied.results / "curves.parquet").write_bytes(b"")
    (copied.results / "report/epochs.png").write_bytes((copied.results / "report/epochs.png").read_bytes()[:500])
    printed = copied.run("swift-hyperband", "run", "--cores", "2")
    assert f"trials/{best.name}/state.*: the state is gone, and it is the result" in printed
    assert "what was damaged or lost is made again" in printed
    assert found(copied) == before
    assert (best / "state.json").exists()
    assert (copied.results / "report/epochs.png").read_bytes()[-8:] == b"IEND\xaeB`\x82"
    untouched = {path: path.stat().st_mtime_ns for path in copied.results.rglob("*") if path.is_file()}
    printed = copied.run("swift-hyperband", "run", "--cores", "2")
    assert "made again" not in printed
    assert {path: path.stat().st_mtime_ns for path in copied.results.rglob("*") if path.is_file()} == untouched


def test_damaged_decisions_of_a_finished_search_are_made_again_by_plain_snakemake(copied):
    before = found(copied)
    rounds = sorted(copied.results.glob("bracket=*/round=*"))
    (rounds[-1] / "entry.json").write_text("[]")
    next(copied.results.glob("bracket=*/round=*/decision.json")).write_text('{"verdicts": null}')
    next(copied.results.glob("bracket=*/round=*/full/*.json")).write_text("")
    (rounds[0] / "promotion.json").unlink()
    looked = copied.run("snakemake", "-n")
    assert "Traceback" not in looked
    copied.run("snakemake", "--cores", "2")
    assert found(copied) == before


def test_what_cannot_be_made_again_is_one_line_that_names_the_file(copied):
    folder = copied.results.relative_to(copied.path)
    for path, damage, line in (
        (
            "study.json",
            "",
            f"{folder}/study.json: must be JSON, found an empty file; delete the file if the study file",
        ),
        ("best.yaml", None, f"{folder}/best.yaml: must be a file, found a folder; move it away"),
    ):
        kept = (copied.results / path).read_text()
        (copied.results / path).unlink()
        if damage is None:
            (copied.results / path).mkdir()
        else:
            (copied.results / path).write_text(damage)
        for command in (["swift-hyperband", "run"], ["swift-hyperband", "search"]):
            printed = copied.run(*command, check=False)
            assert f"error: {line}" in printed
            assert "Traceback" not in printed
        shutil.rmtree(copied.results / path) if damage is None else (copied.results / path).unlink()
        (copied.results / path).write_text(kept)


def test_a_configuration_that_was_changed_by_hand_is_refused(copied):
    path = next(copied.results.glob("trials/*/config.json"))
    content = json.loads(path.read_text())
    content["configuration"]["row"] += 1
    path.write_text(json.dumps(content))
    printed = copied.run("swift-hyperband", "run", check=False)
    assert (
        f"{path.relative_to(copied.path)}: must hold the trial that the study draws, found configuration.row" in printed
    )
    assert "Traceback" not in printed
