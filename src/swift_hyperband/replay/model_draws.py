"""Rows of a table whose configurations a model draws from the curves so far, as `search.sampling` does for a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from swift_hyperband.base.errors import UserError
from swift_hyperband.replay.draws import (
    Draw,
    Drawing,
    Nearest,
    Rows,
    nearest_rows,
    permutation,
    permutations,
    places,
    trial_slots,
)
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.search import Curve, sampling
from swift_hyperband.search.sampling import Configuration, Place, Sampling
from swift_hyperband.search.schedule import Schedule
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.space.parameters import Categorical, Float, Hyperparameter, Int, Space

WIDE = 100.0
"""A positive hyperparameter whose largest value is so many times its smallest is searched in its logarithm."""


def draws(table: CurveTable, method: Sampling, space: Space | None) -> tuple[Draw | None, Draw | None]:
    """Return what draws configurations, and those of the Hyperband beside; None for shuffled rows.

    Parameters
    ----------
    table : CurveTable
        Rows that can be replayed.
    method : {"random", "tpe", "bohb"}
    space : Space, optional
        Where configurations are drawn from; rows are shuffled if left out.

    Raises
    ------
    UserError
        If a model is to draw them and the table has no hyperparameters.
    """
    plain = None if space is None else nearest_rows(space, table)
    if method == "random":
        return plain, plain
    return model_based(table, method, space), plain or permutations(table.rows)


def flattered(table: CurveTable) -> str | None:
    """Return why a model looks better on a table than it is; None without a reason."""
    if not (repeats := int(table.repeats.sum())) or not table.hyperparameters:
        return None
    return (
        f"{repeats} of {table.rows} rows repeat the configuration of an earlier row: a model that has found a good one "
        "draws it again, which flatters it here"
    )


def with_caution(table: CurveTable, method: Sampling) -> CurveTable:
    """Return a table with a note where it flatters what draws configurations."""
    found = None if method == "random" else flattered(table)
    return table if found is None else replace(table, notes=(*table.notes, found))


def model_based(table: CurveTable, method: Sampling, space: Space | None = None) -> Draw:
    """Return what draws configurations by a model.

    Parameters
    ----------
    table : CurveTable
    method : {"tpe", "bohb"}
    space : Space, optional
        Where configurations are drawn from, exactly as a study with the same seed draws them; each takes the nearest
        row. If left out, rows are drawn from the box that they fill, each once until all were drawn; those that are
        drawn at random are those of `draws.permutations`.

    Raises
    ------
    UserError
        If the table has no hyperparameters.
    """
    if space is None and not table.hyperparameters:
        raise UserError(f"{table.name}: must have hyperparameters for --sampling {method}, found none")
    nearest = Nearest(space or box(table), table)

    def draw(schedule: Schedule) -> Drawing:
        def drawing(seed: int) -> tuple[Mapping[int, Sequence[str]], Rows]:
            if space is not None:
                slots = {bracket: trial_slots(schedule, seed, bracket) for bracket in schedule.brackets}
                ids_of = {bracket: list(trials) for bracket, trials in slots.items()}
                return ids_of, _OfSpace(space, nearest, method, seed, slots)
            ids, by_bracket = places(schedule)
            numbered = {bracket: {trial: slot for slot, trial in enumerate(of)} for bracket, of in by_bracket.items()}
            return by_bracket, _OfTable(table, nearest, method, seed, numbered, permutation(table.rows, len(ids), seed))

        return drawing

    return draw


def box(table: CurveTable) -> Space:
    """Return the space that a table's rows fill: ranges of numbers, in the logarithm if wide, and choices of others."""
    return Space({name: _range(values) for name, values in table.hyperparameters.items()})


def _range(values: Sequence[Scalar | None]) -> Hyperparameter:
    known = sorted({value for value in values if value is not None}, key=lambda value: (str(type(value)), value))
    numbers = [value for value in known if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(known) or len(known) < 2:
        return Categorical(tuple(known))
    low, high = min(numbers), max(numbers)
    log = low > 0 and high / low >= WIDE
    if all(isinstance(number, int) for number in numbers):
        return Int(int(low), int(high), log)
    return Float(float(low), float(high), log)


class _OfSpace(Rows):
    """Rows nearest to the configurations that a study with the same seed draws.

    Parameters
    ----------
    space : Space
    nearest : Nearest
    method : {"tpe", "bohb"}
    seed : int
    trials : mapping
        By bracket, the slots of its trials by trial id.
    """

    in_turn = True

    def __init__(
        self, space: Space, nearest: Nearest, method: Sampling, seed: int, trials: Mapping[int, Mapping[str, int]]
    ) -> None:
        super().__init__()
        self._space, self._nearest, self._method, self._seed = space, nearest, method, seed
        self._places = {trial: Place(bracket, slot) for bracket, of in trials.items() for trial, slot in of.items()}
        self._curves: Mapping[str, Curve] = {}
        self._known: dict[str, Configuration] = {}

    def watch(self, curves: Mapping[str, Curve]) -> None:
        self._curves = curves

    def draw(self, trials: Sequence[str]) -> None:
        places = {trial: self._places[trial] for trial in trials}
        drawn = sampling.draw(self._space, self._method, self._seed, places, self._known, self._curves)
        for trial, found in drawn.items():
            self[trial], self._known[trial] = self._row(trial, found)

    def __missing__(self, trial: str) -> int:
        self.draw([trial])
        return self[trial]

    def _row(self, _: str, drawn: sampling.Drawn) -> tuple[int, Configuration]:
        return self._nearest(drawn.configuration), drawn.configuration


class _OfTable(_OfSpace):
    """Rows nearest to configurations in the box that a table fills, each drawn once before any is drawn again.

    Parameters
    ----------
    table : CurveTable
    nearest, method, seed, trials
        As in `_OfSpace`.
    shuffled : sequence of int
        The rows that are drawn at random, by place; another one where that was drawn.
    """

    def __init__(
        self,
        table: CurveTable,
        nearest: Nearest,
        method: Sampling,
        seed: int,
        trials: Mapping[int, Mapping[str, int]],
        shuffled: Sequence[int],
    ) -> None:
        super().__init__(box(table), nearest, method, seed, trials)
        self._free = np.ones(table.rows, dtype=bool)
        self._shuffled = list(shuffled)
        columns = table.hyperparameters
        self._configurations = [
            {name: value for name, of in columns.items() if (value := of[row]) is not None} for row in range(table.rows)
        ]

    def _row(self, trial: str, drawn: sampling.Drawn) -> tuple[int, Configuration]:
        if not self._free.any():
            self._free[:] = True
        if drawn.by_model:
            row = self._nearest(drawn.configuration, self._free)
        else:
            row = self._shuffled[int(trial)]
            if not self._free[row]:
                row = next((other for other in self._shuffled if self._free[other]), int(np.argmax(self._free)))
        self._free[row] = False
        return row, self._configurations[row]
