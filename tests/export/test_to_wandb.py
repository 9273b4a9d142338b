"""wandb's own reader finds what was exported; nothing needs a network or an account."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import forked
import pytest

from swift_hyperband.export.trials import LOST, Search
from swift_hyperband.results.history import History

BEST = 3
BLOCK, HEADER = 32768, 7


def records(path: Path) -> list[Any]:
    """Return the records of a run's file: LevelDB's log format, with records of wandb's protocol.

    wandb 0.31 has no reader in Python any more: that of `wandb sync` is in wandb-core.
    """
    from wandb.proto import wandb_internal_pb2

    data = path.read_bytes()
    assert data[:4] == b":W&B"
    found, place, parts = [], 7, b""
    while place < len(data):
        if (left := BLOCK - place % BLOCK) < HEADER:
            place += left
            continue
        length, kind = struct.unpack_from("<HB", data, place + 4)
        parts += data[place + HEADER : place + HEADER + length]
        place += HEADER + length
        # whole, or the last part
        if kind in (1, 4):
            found.append(wandb_internal_pb2.Record.FromString(parts))
            parts = b""
    return found


@pytest.mark.filterwarnings("ignore")
def test_each_trial_is_an_offline_run(finished: History, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    command = [forked.SWIFT_HYPERBAND, "export", str(finished.folder.path), "--to", "wandb-offline"]
    for _ in range(2):
        # the second export replaces the first
        ran = forked.here(*command, "--best", str(BEST), "--out", str(tmp_path))
        assert ran.returncode == 0, ran.stderr
    assert f"{BEST} runs of {finished.folder.path} written to {tmp_path / 'wandb'}" in ran.stdout
    search = Search.of(finished)
    by_value = sorted((trial for trial in search.trials if trial.value is not None), key=lambda trial: -trial.value)
    folders = {path.name.rpartition("-")[2]: path for path in (tmp_path / "wandb").glob("offline-run-*")}
    assert sorted(folders) == sorted(trial.trial for trial in by_value[:BEST])
    # what would be uploaded, without a network
    syncing = [str(Path(sys.executable).with_name("wandb")), "sync", "--dry-run", *map(str, folders.values())]
    variables = {**os.environ, "WANDB_ERROR_REPORTING": "false", "WANDB_API_KEY": "0" * 40}
    told = subprocess.run(syncing, capture_output=True, text=True, check=True, env=variables)
    assert all(f"run-finished-{trial}.wandb" in told.stdout + told.stderr for trial in folders)
    for trial in by_value[:BEST]:
        found = records(folders[trial.trial] / f"run-finished-{trial.trial}.wandb")
        (run,) = [record.run for record in found if record.HasField("run")]
        assert (run.run_id, run.project, run.display_name) == (f"finished-{trial.trial}", "finished", trial.trial)
        config = {item.key: json.loads(item.value_json) for item in run.config.update if item.key != "_wandb"}
        assert config == trial.configuration
        rows = [
            {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
            for record in found
            if record.HasField("history")
        ]
        assert [row["_step"] for row in rows] == list(range(1, len(trial.rows) + 1))
        assert [row["score"] for row in rows] == [row["score"] for row in trial.rows]
        (end,) = [record.exit for record in found if record.HasField("exit")]
        assert end.exit_code == int(trial.fate in LOST)
