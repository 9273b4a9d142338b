from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json
from swift_hyperband.training import trial
from swift_hyperband.training.trial import Trained


def publish(folder: Path, *values: float | None) -> None:
    trial.write_rows(folder, [{"epoch": epoch, "accuracy": value} for epoch, value in enumerate(values, 1)])


def test_a_trial_that_was_never_started_has_no_values(tmp_path: Path) -> None:
    assert trial.state_of(tmp_path, "accuracy") == Trained("ok", [])


def test_a_null_in_the_curve_means_that_the_trial_diverged(tmp_path: Path) -> None:
    publish(tmp_path, 0.5, None)
    found = trial.state_of(tmp_path, "accuracy")
    assert found.status == "diverged"
    assert found.values[0] == 0.5
    assert math.isnan(found.values[1])


def test_only_an_unharmed_trial_short_of_the_epoch_has_something_left_to_train() -> None:
    assert not Trained("ok", [0.1, 0.2]).settled(3)
    assert Trained("ok", [0.1, 0.2, 0.3]).settled(3)
    assert Trained("diverged", [math.nan]).settled(3)
    assert Trained("failed", []).settled(3)


def test_a_trial_fails_with_the_crash_after_its_last_retry_and_keeps_its_values(tmp_path: Path) -> None:
    publish(tmp_path, 0.5)
    trial.count_crash(tmp_path, "ValueError: a", "trace", retries=1)
    assert trial.state_of(tmp_path, "accuracy").status == "ok"
    trial.count_crash(tmp_path, "ValueError: b", "trace", retries=1)
    assert trial.state_of(tmp_path, "accuracy") == Trained("failed", [0.5])
    record = json.loads((tmp_path / "failures.json").read_text())
    assert (record["starts"], record["epoch"], record["error"]) == (2, 1, "ValueError: b")


def test_crashes_that_another_process_forgets_while_they_are_read_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.count_crash(tmp_path, "ValueError: a", "trace", retries=1)

    def late(path: Path, shape: object) -> object:
        trial.forget_crashes(tmp_path)
        return read_json(path, shape)

    monkeypatch.setattr(trial, "read_json", late)
    assert trial.failures(tmp_path) is None


def test_a_damaged_curve_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "curve.jsonl").write_text('{"epoch": 1, "accur')
    with pytest.raises(UserError, match=r"curve\.jsonl: must hold one JSON object a line"):
        trial.state_of(tmp_path, "accuracy")
