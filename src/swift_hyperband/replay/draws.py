"""The table row of each trial of a search: by permutation of the rows, or the nearest to a drawn configuration."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.search import Curve
from swift_hyperband.search.schedule import Schedule
from swift_hyperband.space import draw as spaces
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.space.parameters import Categorical, Float, Hyperparameter, Int, Space


class Rows(dict[str, int]):
    """The row of each trial."""

    in_turn = False
    """Whether a draw depends on the losses of those before it, so that one trial must follow another."""

    def watch(self, curves: Mapping[str, Curve]) -> None:
        """Look at the losses that a search is told from now on, where draws depend on them."""

    def draw(self, trials: Sequence[str]) -> None:
        """Draw the rows of trials together, where draws depend on losses."""


Drawing = Callable[[int], tuple[Mapping[int, Sequence[str]], Rows]]
"""Draws the configurations of one search: from a seed, trial ids by bracket and the row of each."""

Draw = Callable[[Schedule], Drawing]
"""What draws configurations for the trials of a schedule."""


def permutations(rows: int) -> Draw:
    """Return what draws rows without replacement; all rows again where a schedule has more trials than there are."""

    def draw(schedule: Schedule) -> Drawing:
        ids, trials = places(schedule)
        return lambda seed: (trials, Rows(zip(ids, permutation(rows, len(ids), seed), strict=True)))

    return draw


def permutation(rows: int, wanted: int, seed: int) -> list[int]:
    """Return `wanted` row numbers: a permutation of all rows, and further ones where that is not enough."""
    generator = np.random.default_rng(seed)
    found: list[int] = generator.permutation(rows)[:wanted].tolist()
    while len(found) < wanted:
        found += generator.permutation(rows)[: wanted - len(found)].tolist()
    return found


def places(schedule: Schedule) -> tuple[list[str], dict[int, list[str]]]:
    """Return trial ids that count the places of a schedule, and the same by bracket.

    The places that Hyperband has come first, in its order, so that searches of one size meet the same configurations
    there; those that Swift-Hyperband starts in addition come after all of them.
    """
    ids = [f"{place:06}" for place in range(schedule.configurations)]
    following = iter(ids)
    # Hyperband's order, also where brackets run in turn
    brackets = sorted(schedule.brackets, reverse=True) if schedule.in_turn else list(schedule.brackets)
    first = {bracket: schedule.brackets[bracket][0] for bracket in brackets}
    trials = {bracket: list(islice(following, round_.trials - round_.extra)) for bracket, round_ in first.items()}
    for bracket, round_ in first.items():
        trials[bracket] += islice(following, round_.extra)
    return ids, trials


def nearest_rows(space: Space, table: CurveTable) -> Draw:
    """Return what draws configurations from a space, as a study with the same seed does, and takes the nearest rows.

    Raises
    ------
    UserError
        If the space has a hyperparameter that the table does not have.
    """
    nearest = Nearest(space, table)

    def draw(schedule: Schedule) -> Drawing:
        def drawing(seed: int) -> tuple[Mapping[int, Sequence[str]], Rows]:
            trials: dict[int, list[str]] = {}
            rows = Rows()
            for bracket in schedule.brackets:
                slots = trial_slots(schedule, seed, bracket)
                trials[bracket] = list(slots)
                for trial, slot in slots.items():
                    rows[trial] = nearest(spaces.draw(space, seed, bracket, slot))
            return trials, rows

        return drawing

    return draw


def trial_slots(schedule: Schedule, seed: int, bracket: int) -> dict[str, int]:
    """Return the slots of a bracket's trials by trial id, in the order in which a study with this seed ranks them."""
    slots = {spaces.trial_id(seed, bracket, slot): slot for slot in range(schedule.brackets[bracket][0].trials)}
    return dict(sorted(slots.items()))


class Nearest:
    """Finds the row of a table that is nearest to a configuration.

    Each hyperparameter is scaled to [0, 1] over its range, in the logarithm where it is drawn so; a categorical one
    is 0 or 1 away. Where one of the two is inactive they are 1 apart in it. Distances are Euclidean; ties go to the
    first row.
    """

    def __init__(self, space: Space, table: CurveTable) -> None:
        if missing := [name for name in space.hyperparameters if name not in table.hyperparameters]:
            raise UserError(
                f"{table.name}: must have a column for each hyperparameter of the space, found none for "
                f"{', '.join(missing)}; its hyperparameters are {', '.join(table.hyperparameters) or 'none'}"
            )
        self._space = space
        self._columns = {name: self._column(name, table) for name in space.hyperparameters}

    def __call__(self, configuration: Mapping[str, Scalar], free: NDArray[np.bool_] | None = None) -> int:
        """Return the nearest row; of those that are free, if some are not."""
        squares: NDArray[np.float64] | float = 0.0
        for name, hyperparameter in self._space.hyperparameters.items():
            column = self._columns[name]
            value = _place(hyperparameter, configuration.get(name))
            if math.isnan(value):
                distance = np.where(np.isnan(column), 0.0, 1.0)
            elif isinstance(hyperparameter, Categorical):
                distance = (column != value).astype(float)
            else:
                distance = np.where(np.isnan(column), 1.0, column - value)
            squares = squares + distance**2
        return int(np.argmin(squares if free is None else np.where(free, squares, np.inf)))

    def _column(self, name: str, table: CurveTable) -> NDArray[np.float64]:
        hyperparameter = self._space.hyperparameters[name]
        return np.array([_place(hyperparameter, value) for value in table.hyperparameters[name]])


def _place(hyperparameter: Hyperparameter, value: Scalar | None) -> float:
    """Return where a value lies in a hyperparameter's range, 0 at low and 1 at high; nan where it is inactive.

    Of a categorical one it is the number of the choice, or -1.
    """
    if value is None:
        return math.nan
    match hyperparameter:
        case Categorical(choices=choices):
            return float(choices.index(value)) if value in choices else -1.0
        case Float(low=low, high=high, log=log) | Int(low=low, high=high, log=log):
            if isinstance(value, str):
                return math.nan
            if log and math.isinf(high / low):
                return (math.log(max(value, low)) - math.log(low)) / (math.log(high) - math.log(low))
            if log:
                return math.log(max(float(value), 1e-300) / low) / math.log(high / low)
            # whole numbers beyond 2^53 as they are
            return (value - low) / (high - low)
