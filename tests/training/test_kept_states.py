"""Where the best epoch counts, a trial keeps its state, whatever happens meanwhile."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swift_hyperband.base.metric import Metric
from swift_hyperband.targets import load_class
from swift_hyperband.training import kept_states, segment, state, trial

if TYPE_CHECKING:
    from conftest import Study

LOSSES = [3.0, 2.0, 2.5, 1.0, 1.5, 2.0, 0.5, 4.0, 0.5]
"""The best of them is that of epoch 7, which epoch 9 only reaches again."""
BEST = Metric("loss", "min", "best")


@pytest.fixture
def study(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a study of losses that rise and fall, whose best epoch counts."""
    # other tests of this process may have imported it, and its states are of another form
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    return study.of("Overfitting", metric="loss", metric_at="best")


def kept(folder: Path) -> dict[str, Any]:
    """Return the state of the best epoch, with its curve without times."""
    content = dict(json.loads((folder / "state.best.json").read_text()))
    curve = [{key: value for key, value in row.items() if key != "seconds"} for row in content["curve"]]
    return {"curve": curve, "parts": content["parts"]}


def saved(study: Study, epochs: int) -> dict[str, Any]:
    """Return the last state of a trial that another study trains to an epoch and no further."""
    other = study.with_(metric_at="last").twin()
    shutil.rmtree(other.folder, ignore_errors=True)
    folder = other.add("a", losses=LOSSES)
    other.train_here("a", epochs)
    (folder / "state.json").rename(folder / "state.best.json")
    return kept(folder)


@pytest.mark.parametrize("save_every", [1, 4])
def test_the_state_of_the_best_epoch_is_kept_beside_that_of_the_last_one(study: Study, save_every: int) -> None:
    study = study.with_(save_every=save_every)
    folder = study.add("a", losses=LOSSES)
    for epochs, best in ((1, 1), (3, 2), (6, 4), (9, 7)):
        study.train_here("a", epochs)
        assert kept(folder) == saved(study, best)
        assert kept_states.unsound(folder, BEST) is None
    content = json.loads((folder / "state.json").read_text())
    assert len(content["curve"]) == 9
    assert [row["loss"] for row in trial.read_rows(folder)] == LOSSES, "the curve has what was measured"


def test_no_other_state_is_kept_where_the_last_epoch_counts(study: Study) -> None:
    study = study.with_(metric_at="last")
    folder = study.add("a", losses=LOSSES)
    study.train_here("a", 9)
    assert [path.name for path in folder.glob("state.*")] == ["state.json"]


def test_a_trial_that_explodes_after_its_best_epoch_has_diverged(study: Study) -> None:
    study.add("a", losses=[3.0, 1.0, None, 0.5])
    found = study.train_here("a", 4)
    assert found.status == "diverged"
    assert BEST.losses(found.values)[-1] == float("inf")


# --- kills -------------------------------------------------------------------------------------------------------


def killed_at(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, call: int, late: bool) -> None:
    """Interrupt the process before or after the n-th call of a function that writes."""
    real: Callable[..., Any] = getattr(module, name)
    calls = []

    def called(*arguments: Any, **more: Any) -> Any:
        calls.append(name)
        if len(calls) == call and not late:
            raise KeyboardInterrupt
        found = real(*arguments, **more)
        if len(calls) == call:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(module, name, called)


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("module", "name", "calls", "save_every"),
    # epochs 1, 2, 4 and 7 are the best so far; with save_every 2, epochs 6 and 9 are saved as well
    [(state, "save", 6, 2), (kept_states, "keep_best", 4, 1), (trial, "write_rows", 9, 3)],
    ids=["state", "best state", "curve"],
)
def test_a_kill_at_any_write_loses_no_state_of_a_best_epoch(
    study: Study, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, calls: int, save_every: int, late: bool
) -> None:
    settings = study.with_(save_every=save_every).settings
    target, expected = load_class(settings.target), saved(study, 7)
    for call in range(1, calls + 1):
        folder = study.add("a", losses=LOSSES)
        with monkeypatch.context() as patched:
            killed_at(patched, module, name, call, late)
            with suppress(KeyboardInterrupt):
                segment.train(folder, settings, target, 9)
        segment.train(folder, settings, target, 9)
        assert not trial.damages(folder), "it went on from a sound state"
        assert kept(folder) == expected
        assert [row["loss"] for row in trial.read_rows(folder)] == LOSSES
        shutil.rmtree(folder)


# --- damage ------------------------------------------------------------------------------------------------------


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (damage, "state.best.json is damaged, as its bytes are not those that were saved; the trial starts anew"),
        (Path.unlink, "state.best.* is damaged, as the state of the best epoch is gone; the trial starts anew"),
    ],
)
def test_a_trial_whose_best_state_is_damaged_starts_anew_with_the_same_bits(study: Study, harm: Any, line: str) -> None:
    folder = study.add("a", losses=LOSSES)
    study.train_here("a", 6)
    before, published = kept(folder), (folder / "curve.jsonl").read_text()
    harm(folder / "state.best.json")
    found = kept_states.unsound(folder, BEST)
    assert found is not None
    assert found[0].name == line.split()[0]
    trial.want_state(folder)
    study.train_here("a", 6)
    assert trial.damages(folder) == [line]
    assert kept(folder) == before
    assert (folder / "curve.jsonl").read_text() == published
    assert kept_states.unsound(folder, BEST) is None
    assert study.started("a") == [*range(1, 7), *range(1, 7)]


def test_the_state_of_another_epoch_or_trial_is_not_taken_for_that_of_the_best(study: Study) -> None:
    folder, other = study.add("a", losses=LOSSES), study.add("b", losses=LOSSES)
    study.train_here("a", 2)
    early = (folder / "state.best.json").read_bytes()
    study.train_here("a", 6)
    study.train_here("b", 6)
    best = folder / "state.best.json"
    best.unlink()
    best.write_bytes(early)
    assert kept_states.unsound(folder, BEST) == (best, "it is of epoch 2, and epoch 4 is the best")
    best.write_bytes((other / "state.best.json").read_bytes())
    assert kept_states.unsound(folder, BEST) == (best, "it is the state of trial b")
