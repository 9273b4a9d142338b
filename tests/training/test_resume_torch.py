"""Exactness with torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.training import kept_states, trial
from swift_hyperband.training.load import load

if TYPE_CHECKING:
    from conftest import Study


@pytest.fixture(autouse=True)
def one_thread() -> None:
    # this process is forked, and threads would not be
    torch.set_num_threads(1)


def tensors(content: Any) -> dict[str, Any]:
    """Return all leaves of nested dicts and lists by path."""
    if isinstance(content, dict):
        pairs = list(content.items())
    elif isinstance(content, list | tuple):
        pairs = list(enumerate(content))
    else:
        return {"": content}
    return {f"{key}/{rest}": leaf for key, value in pairs for rest, leaf in tensors(value).items()}


def parts(folder: Path, name: str = "state.pt") -> dict[str, Any]:
    return tensors(torch.load(folder / name, weights_only=True)["parts"])


def assert_equal_bits(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert first.keys() == second.keys()
    for key, value in first.items():
        same = torch.equal(value, second[key]) if isinstance(value, torch.Tensor) else value == second[key]
        assert same, key


def test_ten_epochs_of_the_cnn_equal_five_and_a_new_process_and_five_bit_for_bit(study: Study) -> None:
    configuration = {"learning_rate": 0.02, "weight_decay": 1e-4, "dropout": 0.3}
    study = study.with_(target="digits-cnn", options={"train_size": 200})
    folder = study.add("a", **configuration)
    study.train_here("a", 5)
    study.train(["a"], 10)
    assert study.started("a") == list(range(1, 11))
    other = study.twin()
    whole = other.add("a", **configuration)
    other.train_here("a", 10)
    assert study.curve("a") == other.curve("a")
    assert_equal_bits(parts(folder), parts(whole))


def test_the_trained_cnn_comes_back_with_its_accuracy(study: Study) -> None:
    study = study.with_(target="digits-cnn", options={"train_size": 200})
    folder = study.add("a", learning_rate=0.02, weight_decay=1e-4, dropout=0.3)
    study.train_here("a", 2)
    keys = {"name": "digits-cnn", "options": {"train_size": 200}, "metric": "accuracy", "mode": "max", "threads": 1}
    definition = {"target": keys, "search": {"seed": 7, "max_epochs": 9}}
    (study.folder / "study.json").write_text(json.dumps({"definition": definition}))
    model = load(StudyFolder(study.folder), "a")
    saved = torch.load(folder / "state.pt", weights_only=True)["parts"]
    assert_equal_bits(tensors(model.model.state_dict()), tensors(saved["model"]))
    assert model.validate()["accuracy"] == study.curve("a")[-1]["accuracy"]


def test_momentum_and_scheduler_go_on_where_they_were(study: Study) -> None:
    study = study.of("Scheduled", "torch_targets.py")
    folder = study.add("a")
    for epochs in (2, 5, 8):
        study.train_here("a", epochs)
    other = study.twin()
    whole = other.add("a")
    other.train_here("a", 8)
    assert study.curve("a") == other.curve("a")
    assert_equal_bits(parts(folder), parts(whole))


def test_momentum_and_scheduler_are_in_the_state(study: Study) -> None:
    study = study.of("Scheduled", "torch_targets.py")
    folder = study.add("a")
    study.train_here("a", 4)
    state = torch.load(folder / "state.pt", weights_only=True)
    assert set(state["parts"]) == {"model", "optimizer", "scheduler"}
    assert state["parts"]["scheduler"]["last_epoch"] == 4
    assert state["parts"]["optimizer"]["state"][0]["momentum_buffer"].abs().sum() > 0
    assert [row["rate"] for row in state["curve"]] == [0.1, 0.1, 0.05, 0.05]


@pytest.mark.parametrize("size", [0, 100, 2000])
def test_a_torn_torch_state_starts_the_trial_anew_with_the_same_bits(study: Study, size: int) -> None:
    study = study.of("Scheduled", "torch_targets.py")
    folder = study.add("a")
    study.train_here("a", 2)
    before, rows = parts(folder), study.curve("a")
    state = folder / "state.pt"
    state.write_bytes(state.read_bytes()[:size])
    (folder / "curve.jsonl").unlink()
    study.train_here("a", 2)
    assert study.curve("a") == rows
    assert_equal_bits(parts(folder), before)
    assert study.started("a") == [1, 2, 1, 2]


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("Pickling", "target Pickling: its state must hold tensors, numbers, strings, lists and dicts only"),
        (
            "Unpicklable",
            "target Unpicklable: its state must hold tensors, numbers, strings, lists and dicts only: Can't",
        ),
        ("ManyLosses", "target ManyLosses: the metric 'accuracy' must be a number, found Tensor of shape (3,)"),
        ("IsModule", "target IsModule: must not be a torch Module itself, whose state leaves out the optimiser"),
    ],
)
def test_a_state_that_could_not_be_resumed_from_is_refused_before_it_is_needed(
    study: Study, target: str, error: str
) -> None:
    study = study.of(target, "torch_targets.py", retries=0)
    folder = study.add("a")
    assert study.train_here("a", 2).status == "failed"
    assert study.failures("a")["error"].startswith(error)
    assert not (folder / "state.pt").exists()


def test_the_model_of_the_best_epoch_is_kept_bit_for_bit_where_training_overfits(study: Study) -> None:
    study = study.of("Overfitting", "torch_targets.py", metric="loss", metric_at="best")
    folder = study.add("a")
    study.train_here("a", 12)
    study.train_here("a", 40)
    rows, counted = trial.read_rows(folder), study.settings.counted
    best = counted.epoch([row["loss"] for row in rows])
    assert best < 40, "it overfits"
    assert rows[-1]["training"] < rows[best - 1]["training"]  # type: ignore[operator]
    other = study.with_(metric_at="last").twin()
    shorter = other.add("a")
    other.train_here("a", best)
    assert_equal_bits(parts(folder, "state.best.pt"), parts(shorter))
    assert kept_states.unsound(folder, counted) is None
