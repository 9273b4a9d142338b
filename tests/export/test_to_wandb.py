"""`wandb sync` takes what was exported, for which neither a network nor an account was needed."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import forked
import pytest

from swift_hyperband.export.trials import LOST, Search
from swift_hyperband.results.history import History

spec = importlib.util.spec_from_file_location("wandb_server", Path(__file__).with_name("wandb_server.py"))
assert spec is not None
assert spec.loader is not None
# tests are no package, so what they share is loaded by its path; dataclasses look their module up
server = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(server)

BEST = 3


def exported(history: History, out: Path, *words: str) -> str:
    command = [forked.SWIFT_HYPERBAND, "export", str(history.folder.path), "--to", "wandb-offline", "--out", str(out)]
    ran = forked.here(*command, *words)
    assert ran.returncode == 0, ran.stderr
    return str(ran.stdout)


def test_wandb_uploads_each_trial_as_it_was(finished: History, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    search = Search.of(finished)
    assert f"17 runs of {finished.folder.path} written to {tmp_path / 'wandb'}" in exported(finished, tmp_path)
    folders = list((tmp_path / "wandb").glob("offline-run-*"))
    assert len(folders) == 17
    with server.Uploads() as uploads:
        variables = {"WANDB_BASE_URL": uploads.url, "WANDB_API_KEY": "a" * 40, "WANDB_ERROR_REPORTING": "false"}
        syncing = [str(Path(sys.executable).with_name("wandb")), "sync", *map(str, folders)]
        done = subprocess.run(syncing, capture_output=True, text=True, env={**os.environ, **variables}, timeout=300)
        assert done.returncode == 0, done.stderr
    assert len(uploads.runs) == 17
    for trial in search.trials:
        name = f"finished-{trial.trial}"
        run = uploads.runs[name]
        assert (run["project"], run["displayName"]) == ("finished", trial.trial)
        assert (run["groupName"], run["tags"]) == (f"bracket {trial.bracket}", [trial.fate])
        config = {key: value["value"] for key, value in json.loads(run["config"]).items() if key != "_wandb"}
        assert config == trial.configuration
        rows = sorted(uploads.history[name], key=lambda row: row["_step"])
        assert [row["_step"] for row in rows] == list(range(1, len(trial.rows) + 1))
        for row, expected in zip(rows, trial.rows, strict=True):
            # wandb writes nan as a text
            found = {key: float(value) for key, value in row.items() if not key.startswith("_")}
            assert found == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
        summary = uploads.summary[name]
        assert (summary["status"], summary["slot"], summary["epochs"]) == (trial.fate, trial.slot, len(trial.rows))
        assert summary.get("counted score") == trial.value
        assert uploads.exit_codes[name] == int(trial.fate in LOST)


def test_a_second_export_replaces_the_first(finished: History, tmp_path: Path) -> None:
    tmp_path = tmp_path / "with a space"
    pytest.importorskip("wandb")
    search = Search.of(finished)
    trial = search.trials[0].trial
    # of a study whose name ends as this one's, and somebody else's
    others = [tmp_path / f"wandb/offline-run-20260101_000000-{name}-{trial}" for name in ("my-finished", "sweep")]
    for other in others:
        other.mkdir(parents=True)
    place = tmp_path / "wandb"
    for number in (BEST + 2, BEST):
        said = exported(finished, tmp_path, "--best", str(number))
        assert f"{number} runs of" in said
        # as a shell takes it
        assert shlex.split(said)[-3:] == ["wandb", "sync", f"{place}/offline-run-*"]
    assert all(other.exists() for other in others)
    for other in others:
        other.rmdir()
    found = [path.name.rpartition("-")[2] for path in (tmp_path / "wandb").glob("offline-run-*")]
    by_value = sorted((trial for trial in search.trials if trial.value is not None), key=lambda trial: -trial.value)
    assert sorted(found) == sorted(trial.trial for trial in by_value[:BEST])
