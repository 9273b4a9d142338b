"""Damaged states are never trained on from: every flipped bit and zeroed block is found, the trial starts anew."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from swift_hyperband.training import sealed, state, trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Study


def flipped(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]


def zeroed(data: bytes, draw: random.Random) -> bytes:
    # a block of zeros where there was something else
    while True:
        at = draw.randrange(len(data))
        if any(data[at : at + 512]):
            return data[:at] + bytes(len(data[at : at + 512])) + data[at + 512 :]


def cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


@pytest.fixture(scope="module")
def torch_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torch")
    target = type("Target", (), {})()
    target.model = torch.nn.Linear(40, 40)
    state.save(folder, target, [{"epoch": 1, "accuracy": 0.5}])
    return folder / "state.pt"


@pytest.fixture(scope="module")
def json_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("json") / "state.json"
    content = {"curve": [{"epoch": 1, "accuracy": 0.1}], "parts": {"target": {"weights": [0.1 * n for n in range(99)]}}}
    path.write_text(sealed.sealed_json(content))
    return path


@pytest.fixture(scope="module")
def archive_without_digest(torch_state: Path) -> Path:
    path = torch_state.with_name("old.pt")
    content = torch.load(torch_state, weights_only=True)
    # nor whose state it is
    del content["trial"]
    torch.save(content, path)
    return path


@pytest.mark.parametrize("damage", [flipped, zeroed, cut])
@pytest.mark.parametrize("kind", ["torch_state", "json_state"])
def test_every_damage_of_a_state_is_found(
    kind: str, damage: Callable[[bytes, random.Random], bytes], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sound: Path = request.getfixturevalue(kind)
    assert sealed.wrong(sound) is None
    path, draw = tmp_path / sound.name, random.Random(0)
    data = sound.read_bytes()
    for _ in range(200):
        path.write_bytes(damage(data, draw))
        # cut right before the digest, an archive is whole and its own checksums count
        assert sealed.wrong(path) is not None or data.startswith(path.read_bytes() + b"\nswift")


def test_a_damaged_archive_without_a_digest_never_gives_other_numbers(
    archive_without_digest: Path, tmp_path: Path
) -> None:
    data, draw, found = archive_without_digest.read_bytes(), random.Random(0), 0
    weight = torch.load(archive_without_digest, weights_only=True)["parts"]["model"]["weight"]
    (tmp_path / "state.pt").write_bytes(data)
    assert state.load(tmp_path) is not None
    for _ in range(200):
        (tmp_path / "state.pt").write_bytes(flipped(data, draw))
        saved = state.load(tmp_path)
        found += saved is None
        # else flipped in the padding between tensors
        assert saved is None or torch.equal(saved.parts["model"]["weight"], weight)
    assert found > 150


def test_torch_reads_a_state_with_its_digest_as_any_other(torch_state: Path) -> None:
    for mapped in (False, True):
        content = torch.load(torch_state, weights_only=True, mmap=mapped)
        assert content["curve"] == [{"epoch": 1, "accuracy": 0.5}]
        assert content["parts"]["model"]["weight"].shape == (40, 40)


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
    study.train(["a"], 3)
    published = (folder / "curve.jsonl").read_text()
    path = state.place(folder)
    assert path is not None
    damaged(path)
    study.train(["a"], 5)
    assert study.started("a") == [1, 2, 3, 1, 2, 3, 4, 5]
    assert (folder / "curve.jsonl").read_text().startswith(published)
    (line,) = trial.damages(folder)
    assert line == f"{path.name} is damaged, as its bytes are not those that were saved; the trial starts anew"
    other = study.twin()
    other.add("a")
    other.train(["a"], 5)
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
    study.train(["a", "b"], 3)
    (own,), (foreign,) = mine.glob("state.*"), other.glob("state.*")
    kept = own.read_bytes()
    own.write_bytes(foreign.read_bytes())
    assert state.unsound(mine) == (own, "it is the state of trial b")
    assert not state.belies(mine)
    study.train(["a"], 5)
    assert trial.damages(mine) == [f"{own.name} is damaged, as it is the state of trial b; the trial starts anew"]
    # the state of an earlier epoch is gone on from, but is not what the whole curve led to
    own.write_bytes(kept)
    assert state.unsound(mine) == (own, "it is of epoch 3, and the trial is trained to epoch 5")
    study.train(["a"], 6)
    assert study.started("a") == [1, 2, 3, 1, 2, 3, 4, 5, 4, 5, 6]
    twin = study.twin()
    twin.add("a")
    twin.train(["a"], 6)
    assert study.curve("a") == twin.curve("a")
    assert state.unsound(mine) is None
    # whoever wrote the curve, it is not the one that led to the state
    rows = trial.read_rows(mine)
    trial.write_rows(mine, [{**rows[0], "accuracy": 0.123}, *rows[1:]])
    assert state.belies(mine)
    assert state.unsound(mine) == (own, "it was saved with another curve than curve.jsonl")
