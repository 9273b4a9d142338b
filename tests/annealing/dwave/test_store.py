"""Kept answers that were damaged: they are paid for, so one line names the file, and nothing is taken for an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dimod import BinaryQuadraticModel

from swift_hyperband.annealing.dwave.store import ANSWER, Answer, Kept, spent
from swift_hyperband.base.errors import UserError

# state 01 has the energy .5, state 10 has 1.5
BQM = BinaryQuadraticModel({0: 1.5, 1: 0.5}, {}, 0.0, "BINARY")
SOUND = Answer("id", "solver", ["01", "10"], [0.5, 1.5], [1, 2], [0.0, 0.0], {"qpu_access_time": 3}, 0.25)


def kept(folder: Path) -> Kept:
    found = Kept(folder / "problem")
    found.write_submitted("id", 0.5)
    found.write_answer(SOUND)
    return found


def test_a_sound_answer_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert kept(tmp_path).answer(BQM) == SOUND
    assert spent(tmp_path) == 0.25


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        (None, "must be JSON, found an empty file"),
        ({"states": None}, "states must be a list, found null"),
        ({"energies": ["x", 1]}, 'energies[0] must be a number, found "x"'),
        ({"seconds": "3"}, 'seconds must be a number, found "3"'),
        ({"states": ["01"]}, "must hold states with their energies, found others"),
        ({"states": ["01", "1"]}, "must hold states with their energies, found others"),
        ({"states": ["0x", "10"]}, "must hold states with their energies, found others"),
    ],
)
def test_a_damaged_answer_is_one_line_that_names_the_file(
    tmp_path: Path, changes: dict[str, Any] | None, wrong: str
) -> None:
    found = kept(tmp_path)
    path = tmp_path / "problem" / ANSWER
    path.write_text("" if changes is None else json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(UserError) as error:
        found.answer(BQM)
    told = "delete the file and start the search again; what it held is asked for again, and may be paid for again"
    assert str(error.value) == f"{path}: {wrong}; {told}"
