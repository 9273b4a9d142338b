"""How a segment calls a target: what it tells it, what it takes from it, and in which order."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from swift_hyperband.targets import Context, RunsAhead
from swift_hyperband.training import segment, state
from swift_hyperband.training.clock import RESERVE, Clock
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import failed_ahead, failures, read_rows
from swift_hyperband.training.trial import started as tried

SETTINGS = TrainingSettings("mine", {}, "loss", 1, 0, 0)


class Plain:
    """A target of a user's, with attributes that are called as those of other protocols are."""

    seconds = 1e9
    marks_epochs = True

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        self.context, self.epoch = context, 0

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        self.epoch = epoch
        return None

    def validate(self) -> dict[str, Any]:
        return {"loss": 1 / self.epoch}

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch = state["epoch"]

    def after_saving(self) -> None:
        raise AssertionError("of no protocol without seconds_per_epoch")


class Ahead(Plain, RunsAhead):
    """Trains two epochs in each start and notes what it sees."""

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        if epoch % 2:
            for one in (epoch, epoch + 1):
                self.context.started(one)
        self._note(f"epoch {epoch} after {[row['loss'] for row in self.context.curve()]}, fits {self.context.fits()}")
        return super().train_epoch(epoch)

    def seconds_per_epoch(self) -> float:
        return 7.0

    def after_saving(self) -> None:
        state = json.loads((self.context.folder / "state.json").read_text())
        self._note(f"saved {len(state['curve'])}, published {len(self.context.curve())}")

    def _note(self, line: str) -> None:
        with Path("noted").open("a") as file:
            file.write(f"{line}\n")


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    # other tests of this process may have imported it, and its states are of another form
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    folder = tmp_path / "trials" / "a"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"configuration": {}}))
    return folder


def train(folder: Path, target: type, epochs: int, clock: Clock | None = None) -> None:
    segment.train(folder, SETTINGS, target, epochs, clock)


def started(folder: Path) -> list[int]:
    return [json.loads(line)["epoch"] for line in (folder / "started.jsonl").read_text().splitlines()]


def test_attributes_of_a_users_class_that_are_called_as_ours_mean_nothing(trial: Path) -> None:
    train(trial, Plain, 2)
    assert started(trial) == [1, 2]
    assert all(row["seconds"] is not None and row["seconds"] < 1e6 for row in read_rows(trial))
    assert (trial / "logs/start-1.txt").exists()


def test_a_target_that_runs_ahead_notes_its_epochs_and_tells_their_seconds(trial: Path) -> None:
    train(trial, Ahead, 3)
    assert started(trial) == [1, 2, 3, 4], "as it said, and nobody else"
    assert [row["seconds"] for row in read_rows(trial)] == [7.0] * 3
    assert not (trial / "logs").exists(), "it logs its starts itself"
    assert Path("noted").read_text().splitlines() == [
        "epoch 1 after [], fits None",
        "saved 1, published 0",
        "epoch 2 after [1.0], fits None",
        "saved 2, published 1",
        "epoch 3 after [1.0, 0.5], fits None",
        "saved 3, published 2",
    ]


def test_a_target_that_runs_ahead_learns_how_many_epochs_fit_into_its_job(trial: Path) -> None:
    train(trial, Ahead, 2, Clock(time.monotonic() + RESERVE + 800.0))
    # 800 s hold 95 epochs of 7 s that may each take a fifth longer
    assert [line.rpartition(" ")[2] for line in Path("noted").read_text().splitlines()[::2]] == ["1", "95"]


def test_a_context_can_be_made_of_what_a_users_own_test_knows() -> None:
    context = Context("a", 0, 1, {}, Path())
    assert list(context.curve()) == []
    assert context.fits() is None
    context.started(1)


def ahead(asks: list[int | None]) -> segment.Ahead:
    """Return what a training ahead of a search is told before each epoch; the last for ever."""
    return lambda: asks.pop(0) if len(asks) > 1 else asks[0]


def train_ahead(folder: Path, target: type, epochs: int, asks: list[int | None]) -> None:
    segment.train(folder, SETTINGS, target, epochs, ahead=ahead(asks))


def test_a_training_ahead_ends_where_nobody_hopes_for_it_any_more_and_saves_what_it_did(trial: Path) -> None:
    train_ahead(trial, Plain, 9, [0, 0, None])
    assert len(read_rows(trial)) == 2
    assert state.load(trial).curve == read_rows(trial)
    train(trial, Plain, 3)
    assert started(trial) == [1, 2, 3]
    assert tried(trial).ahead == {1, 2}


def test_a_training_ahead_that_is_asked_for_meanwhile_ends_at_the_epoch_asked_for(trial: Path) -> None:
    train_ahead(trial, Plain, 9, [0, 0, 4])
    assert len(read_rows(trial)) == 4
    assert tried(trial).ahead == {1, 2}


def test_a_training_ahead_begins_no_epoch_again_where_the_state_is_gone_until_the_search_asks_for_it(
    trial: Path,
) -> None:
    train(trial, Plain, 2)
    state.place(trial).unlink()
    train_ahead(trial, Plain, 9, [0])
    train_ahead(trial, Plain, 9, [None])
    assert started(trial) == [1, 2]
    train_ahead(trial, Plain, 9, [3])
    assert started(trial) == [1, 2, 1, 2, 3]
    assert tried(trial).ahead == frozenset()


def test_a_crash_ahead_does_not_count_and_the_epoch_is_trained_again_when_asked_for(trial: Path) -> None:
    class Crashes(Plain):
        times = 0

        def train_epoch(self, epoch: int) -> dict[str, Any] | None:
            if epoch == 3 and not Crashes.times:
                Crashes.times += 1
                raise RuntimeError("now and then")
            return super().train_epoch(epoch)

    with pytest.raises(segment.CrashError):
        train_ahead(trial, Crashes, 9, [0])
    assert failed_ahead(trial)
    assert json.loads((trial / "failures-ahead.json").read_text())["error"].endswith("RuntimeError: now and then")
    assert failures(trial) is None
    train(trial, Crashes, 3)
    assert len(read_rows(trial)) == 3
