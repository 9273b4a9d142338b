"""A trial goes on from its own sound state only; else it starts anew, with the same bits."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from swift_hyperband.base.errors import UserError
from swift_hyperband.targets.ask_tell import AskTell
from swift_hyperband.training import state, trial

if TYPE_CHECKING:
    from conftest import Study


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize(("target", "file"), [("Counter", "sample_targets.py"), ("Scheduled", "torch_targets.py")])
def test_a_trial_with_a_damaged_state_is_trained_again_to_the_same_bits_and_says_so(
    study: Study, capfd: Any, target: str, file: str
) -> None:
    study = study.of(target, file)
    folder = study.add("a")
    study.train_here("a", 3)
    published = (folder / "curve.jsonl").read_text()
    path = state.place(folder)
    assert path is not None
    damaged(path)
    study.train_here("a", 5)
    assert study.started("a") == [1, 2, 3, 1, 2, 3, 4, 5]
    assert (folder / "curve.jsonl").read_text().startswith(published)
    (line,) = trial.damages(folder)
    assert line == f"{path.name} is damaged, as its bytes are not those that were saved; the trial starts anew"
    other = study.twin()
    other.add("a")
    other.train_here("a", 5)
    assert study.curve("a") == other.curve("a")
    assert state.load(folder) is not None


def test_a_state_that_an_older_version_saved_is_resumed_from(study: Study) -> None:
    folder = study.add("a")
    study.train(["a"], 3)
    content = json.loads((folder / "state.json").read_text())
    del content["sha256"], content["trial"]
    (folder / "state.json").write_text(json.dumps(content, indent=1) + "\n")
    study.train(["a"], 5)
    assert study.started("a") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("content", ['{"curve": [], "parts": {"target": {}}}', '{"curve": {}, "parts": []}', "null"])
def test_json_of_another_shape_in_the_place_of_a_state_is_no_crash_of_the_trial(study: Study, content: str) -> None:
    folder = study.add("a")
    study.train(["a"], 2)
    (folder / "state.json").write_text(content)
    assert study.train(["a"], 3)["a"][0] == "ok"
    assert len(trial.damages(folder)) == 1


def test_a_folder_in_the_place_of_a_state_is_told_in_one_line(study: Study) -> None:
    folder = study.add("a")
    study.train(["a"], 2)
    (folder / "state.json").unlink()
    (folder / "state.json").mkdir()
    told = study.refused(["a"], 3).strip()
    assert told == f"{folder}/state.json: must be a file, found a folder; move it away and start the search again"


def test_a_wanted_state_is_made_again_by_training_again(study: Study) -> None:
    folder = study.add("a")
    study.train(["a"], 4)
    before, curve = (folder / "state.json").read_text(), (folder / "curve.jsonl").read_text()
    (folder / "state.json").unlink()
    study.train(["a"], 4)
    assert not (folder / "state.json").exists(), "what is not wanted is not trained again"
    trial.want_state(folder)
    # asked for the first epochs only, it goes as far as it had come
    study.train(["a"], 2)
    assert (folder / "state.json").read_text() == before
    assert (folder / "curve.jsonl").read_text() == curve
    assert not trial.state_is_wanted(folder)


@pytest.mark.parametrize(("target", "file"), [("Counter", "sample_targets.py"), ("Scheduled", "torch_targets.py")])
def test_the_sound_state_of_another_trial_or_of_another_curve_is_not_gone_on_from(
    study: Study, target: str, file: str
) -> None:
    study = study.of(target, file)
    mine, other = study.add("a"), study.add("b")
    for name in ("a", "b"):
        study.train_here(name, 3)
    (own,), (foreign,) = mine.glob("state.*"), other.glob("state.*")
    kept = own.read_bytes()
    own.write_bytes(foreign.read_bytes())
    assert state.unsound(mine) == (own, "it is the state of trial b")
    assert not state.belies(mine)
    study.train_here("a", 5)
    assert trial.damages(mine) == [f"{own.name} is damaged, as it is the state of trial b; the trial starts anew"]
    # the state of an earlier epoch is gone on from, but is not what the whole curve led to
    own.write_bytes(kept)
    assert state.unsound(mine) == (own, "it is of epoch 3, and the trial is trained to epoch 5")
    study.train_here("a", 6)
    assert study.started("a") == [1, 2, 3, 1, 2, 3, 4, 5, 4, 5, 6]
    twin = study.twin()
    twin.add("a")
    twin.train_here("a", 6)
    assert study.curve("a") == twin.curve("a")
    assert state.unsound(mine) is None
    # whoever wrote the curve, it is not the one that led to the state
    rows = trial.read_rows(mine)
    trial.write_rows(mine, [{**rows[0], "accuracy": 0.123}, *rows[1:]])
    assert state.belies(mine)
    assert state.unsound(mine) == (own, "it was saved with another curve than curve.jsonl")


def test_a_trial_has_one_state_the_last_saved_with_torch_or_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, rows = AskTell(), [{"epoch": number, "loss": 1.0, "seconds": 0.0} for number in (1, 2, 3, 4)]
    mine, given = (tmp_path / name for name in ("mine", "given"))
    for folder in (mine, given):
        folder.mkdir()
    for epochs, suffix in enumerate(("pt", "json", "pt", "json"), 1):
        trial.write_rows(mine, rows[:epochs])
        with monkeypatch.context() as process:
            # one that has torch, or has not; this one keeps it
            process.setattr(state, "sys", SimpleNamespace(modules={"torch": torch} if suffix == "pt" else {}))
            state.save(mine, target, rows[:epochs])
        saved = state.place(mine)
        assert saved is not None
        state.hand_over(saved, given)
        for folder in (mine, given):
            assert [path.name for path in folder.glob("state.*")] == [f"state.{suffix}"]
        assert state.unsound(mine) is None


# --- handed over to another trial --------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "file"), [("Counter", "sample_targets.py"), ("Scheduled", "torch_targets.py")])
def test_another_trial_goes_on_from_a_state_that_was_handed_over(study: Study, target: str, file: str) -> None:
    study = study.of(target, file)
    source = study.add("a")
    study.train_here("a", 3)
    twin = study.twin()
    folder = twin.add("b")
    path = state.place(source)
    assert path is not None
    state.hand_over(path, folder)
    assert twin.train_here("b", 5).status == "ok"
    assert twin.curve("b")[:3] == study.curve("a")
    assert twin.started("b") == [4, 5]
    # the state is the trial's own, and sound, and the other one's is still there
    assert state.unsound(folder) is None
    assert state.unsound(source) is None
    damaged(path)
    with pytest.raises(UserError, match="must be a trial's state as it was saved, found that its bytes are not"):
        state.hand_over(path, folder)


def test_the_folder_of_a_program_is_handed_over_with_its_state(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    # jobs of programs do without it
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    script = """
import pathlib, sys
came, goes, first, last = sys.argv[1:]
total = 0 if came == "-" else int(pathlib.Path(came, "total").read_text())
for epoch in range(int(first) + 1, int(last) + 1):
    total += epoch
    print("loss:", total)
pathlib.Path(goes, "total").write_text(str(total))
"""
    keys: dict[str, Any] = dict.fromkeys(("first_command", "piece"))
    words = [sys.executable, "-c", script, "{state_in}", "{state_out}", "{from}", "{to}"]
    keys |= {"command": words, "resumable": True}
    keys |= {"metric": "loss", "metrics": {"format": "regex", "pattern": r"loss: (?P<loss>\S+)"}}
    study = study.with_(
        target="swift_hyperband.targets.program.target:CommandTarget", options={"command": keys}, metric="loss"
    )
    source = study.add("a")
    study.train_here("a", 3)
    twin = study.twin()
    state.hand_over(source / "state.json", twin.add("b"))
    assert twin.train_here("b", 5).values == [1, 3, 6, 10, 15]
    assert (source / "state.3/total").read_text() == "6"
