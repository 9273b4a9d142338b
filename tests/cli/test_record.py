"""`swift-hyperband record`: curves for replays, trained to the end, that go on where they were."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import forked
import pyarrow.parquet
import pytest

from swift_hyperband.cli import main

ROOT = Path(__file__).parents[2]
STUDY = """\
name: small
target: {name: curve-table, metric: score, mode: max, options: {table: curves.csv}}
space: {row: {type: int, low: 0, high: 199}}
search: {max_epochs: 9, eta: 3, seed: 4}
swift: {d: 3}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    lines = ["row,epoch,score", *(f"{row},{epoch},{draw.random()}" for row in range(200) for epoch in range(1, 10))]
    (tmp_path / "curves.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


def record(*arguments):
    """Record in a process of its own, which leads the recording until it ends; return what it printed."""
    done = forked.here(forked.SWIFT_HYPERBAND, "record", "study.yaml", *map(str, arguments))
    return done.stdout + done.stderr


def rows(path):
    return pyarrow.parquet.read_table(path).to_pylist()


def test_every_configuration_is_trained_to_the_end_and_a_replay_reads_the_table(here, capsys):
    assert "12 curves: curves/small.parquet" in record("--configurations", 12, "--to", "curves/small.parquet")
    found = rows("curves/small.parquet")
    assert len(found) == 12 * 9
    assert {row["status"] for row in found} == {"finished"}
    replay = ["replay", "curves/small.parquet", "--metric", "score", "--mode", "max", "--max-epochs", "9", "--eta", "3"]
    assert main([*replay, "--search", "hyperband", "--seeds", "2", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 2


def test_the_command_that_is_printed_replays_the_table_whatever_it_is_called(here):
    printed = record("--configurations", 2, "--epochs", 3, "--to", "my $(touch made) it's.parquet")
    command = printed.rpartition("replay them: swift-hyperband replay ")[2]
    found = subprocess.run(["bash", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[:3] == ["my $(touch made) it's.parquet", "--metric", "score"]
    assert not Path("made").exists()


def test_the_table_says_where_it_comes_from(here):
    record("--configurations", 3, "--epochs", 3)
    metadata = pyarrow.parquet.read_schema("results/small-curves/curves.parquet").metadata
    found = json.loads(metadata[b"swift_hyperband"])
    assert found["study"]["target"]["name"] == "curve-table"
    assert found["study"]["search"]["trials"] == 3
    assert {"swift-hyperband", "torch", "numpy", "python"} <= found["versions"].keys()


def test_more_configurations_train_only_those_that_are_missing(here):
    record("--configurations", 5)
    before = {path: path.read_text() for path in here.glob("results/small-curves/trials/*/started.jsonl")}
    assert len(before) == 5
    record("--configurations", 8)
    assert len(rows("results/small-curves/curves.parquet")) == 8 * 9
    assert {path: path.read_text() for path in before} == before


def test_another_study_under_the_same_name_is_refused(here):
    record("--configurations", 2)
    (here / "study.yaml").write_text(STUDY.replace("seed: 4", "seed: 5"))
    assert "a study keeps its definition, but search.seed" in record("--configurations", 2)
    assert "--configurations must be at least 1, found 0" in record("--configurations", 0)
    assert len(rows("results/small-curves/curves.parquet")) == 2 * 9


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_recording_that_runs_is_left_alone_by_another_one(here):
    slow = STUDY.replace("curves.csv}", "curves.csv, seconds: 0.5}")
    (here / "study.yaml").write_text(slow)
    command = [sys.executable, "-m", "swift_hyperband", "record", "study.yaml", "--configurations", "9"]
    first = subprocess.Popen(command)
    try:
        folder = here / "results/small-curves"
        while not list(folder.glob("trials/*/curve.jsonl")):
            assert first.poll() is None
            time.sleep(0.05)
        decided = {path: path.read_bytes() for path in [folder / "study.json", *folder.rglob("entry.json")]}
        assert len(decided) == 2
        for where in ([], ["--cores", 1]):
            printed = record("--configurations", 100, *where)
            assert "one process at a time can run this search, and process " in printed
            assert f"{first.pid} on host" in printed
        assert first.poll() is None
        assert {path: path.read_bytes() for path in decided} == decided
        assert not (folder / "recording.yaml").exists()
    finally:
        first.kill()
        first.wait()


def test_looking_at_a_recording_changes_nothing(here):
    for name in ("workflow", "rules", "profiles", "envs"):
        (here / name).symlink_to(ROOT / name)
    printed = record("--configurations", 5, "-np")
    assert "Job stats:" in printed
    assert not (here / "results").exists()
    record("--configurations", 5)
    before = files(here / "results")
    printed = record("--configurations", 8, "--dry-run")
    assert (
        "--configurations must be 5, as results/small-curves has, where Snakemake is only to look, found 8" in printed
    )
    printed = record("--configurations", 5, "-n", "--to", "copy.parquet")
    assert "Job stats:" in printed or "Nothing to be done" in printed
    assert "curves: " not in printed
    assert files(here / "results") == before


def test_workers_are_at_least_one_and_hold_for_the_workflow_too(here):
    assert record("--workers", -1) == "error: --workers must be at least 1, found -1\n"
    assert record("--workers", 0) == "error: --workers must be at least 1, found 0\n"
    record("--configurations", 2, "--workers", 5, "--cores", 1)
    assert json.loads((here / "results/small-curves/recording.yaml").read_text())["resources"]["workers"] == 5
    assert len(rows("results/small-curves/curves.parquet")) == 2 * 9
    assert json.loads((here / "results/small-curves/recording.yaml").read_text())["resources"]["workers"] == 5


def test_no_epochs_are_told_as_none(here):
    assert "--epochs must be at least 1, found 0" in record("--epochs", 0)
