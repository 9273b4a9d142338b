"""A file with its digest: every flipped bit and zeroed block is found."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from swift_hyperband.training import sealed, state

if TYPE_CHECKING:
    from collections.abc import Callable


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
