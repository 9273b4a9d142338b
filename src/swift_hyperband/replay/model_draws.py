"""Configurations drawn from a model of the losses so far: TPE and BOHB, with Optuna's sampler.

Sources: TPE as Optuna runs it under its Hyperband pruner; BOHB, Falkner, Klein and Hutter, ICML 2018: the model sees
the losses at the largest number of epochs that enough trials reached, and one configuration in three is drawn at
random. Both take the row of the table that is nearest to the configuration and was not drawn before.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from swift_hyperband.base.errors import UserError
from swift_hyperband.replay.draws import Draw, Drawing, Nearest, Rows, places
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.search import Curve
from swift_hyperband.search.schedule import Schedule
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.space.parameters import Categorical, Float, Hyperparameter, Int, Space

Method = Literal["tpe", "bohb"]

RANDOM_SHARE = 1 / 3
"""Of BOHB's configurations, drawn without the model."""

WIDE = 100.0
"""A positive hyperparameter whose largest value is so many times its smallest is searched in its logarithm."""


def model_based(table: CurveTable, method: Method, space: Space | None = None) -> Draw:
    """Return what draws configurations by a model.

    Parameters
    ----------
    table : CurveTable
    method : {"tpe", "bohb"}
    space : Space, optional
        Where configurations are drawn from; the box that the table's rows fill if left out. Conditions count only for
        which row is near.

    Raises
    ------
    UserError
        If the table has no hyperparameters.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if space is None and not table.hyperparameters:
        raise UserError(f"{table.name}: must have hyperparameters for --sampling {method}, found none")
    space = space or box(table)
    nearest = Nearest(space, table)

    def draw(schedule: Schedule) -> Drawing:
        _, trials = places(schedule)

        def drawing(seed: int) -> tuple[Mapping[int, Sequence[str]], Rows]:
            return trials, _Modelled(space, nearest, table.rows, method, seed)

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


class _Modelled(Rows):
    """Rows that are drawn when they are first asked for, from a model of the curves so far."""

    in_turn = True

    def __init__(self, space: Space, nearest: Nearest, rows: int, method: Method, seed: int) -> None:
        super().__init__()
        self._nearest = nearest
        self._free = np.ones(rows, dtype=bool)
        self._method = method
        self._coin = random.Random(f"{seed}/random share")
        self._curves: Mapping[str, Curve] = {}
        self._parameters: dict[str, dict[str, Scalar]] = {}
        self._distributions = {name: _distribution(found) for name, found in space.hyperparameters.items()}
        sampler = optuna.samplers.TPESampler
        # BOHB's density is one of all hyperparameters together; how much it must see first is said below
        bohb = method == "bohb"
        self._model = sampler(seed=seed, multivariate=True, n_startup_trials=0) if bohb else sampler(seed=seed)
        self._random = optuna.samplers.RandomSampler(seed=seed)

    def watch(self, curves: Mapping[str, Curve]) -> None:
        self._curves = curves

    def __missing__(self, trial: str) -> int:
        seen = self._seen()
        at_random = not seen or (self._method == "bohb" and self._coin.random() < RANDOM_SHARE)
        study = optuna.create_study(sampler=self._random if at_random else self._model)
        study.add_trials(seen)
        parameters = study.ask(self._distributions).params
        if not self._free.any():
            self._free[:] = True
        row = self._nearest(parameters, self._free)
        self._free[row] = False
        self._parameters[trial] = parameters
        self[trial] = row
        return row

    def _seen(self) -> list[FrozenTrial]:
        """Return what the model learns from, as Optuna's trials."""
        most = max((len(curve) for curve in self._curves.values()), default=0)
        found = []
        if self._method == "tpe":
            for trial, curve in self._curves.items():
                if not curve:
                    continue
                # as under Optuna's pruner: a trial that was stopped early is judged by its last loss, after longer ones
                complete = len(curve) == most
                found.append(
                    create_trial(
                        params=self._parameters[trial],
                        distributions=self._distributions,
                        value=curve[-1],
                        intermediate_values={len(curve): curve[-1]},
                        state=TrialState.COMPLETE if complete else TrialState.PRUNED,
                    )
                )
            return found
        enough = len(self._distributions) + 2
        lengths = sorted({len(curve) for curve in self._curves.values()}, reverse=True)
        budget = next((n for n in lengths if sum(len(c) >= n for c in self._curves.values()) >= enough), None)
        if budget is None:
            return []
        return [
            create_trial(
                params=self._parameters[trial],
                distributions=self._distributions,
                value=curve[budget - 1] if math.isfinite(curve[budget - 1]) else math.inf,
                state=TrialState.COMPLETE,
            )
            for trial, curve in self._curves.items()
            if len(curve) >= budget
        ]


def _distribution(hyperparameter: Hyperparameter) -> BaseDistribution:
    match hyperparameter:
        case Categorical(choices=choices):
            return CategoricalDistribution(choices)
        case Float(low=low, high=high, log=log):
            return FloatDistribution(low, high, log=log)
        case Int(low=low_, high=high_, log=log):
            return IntDistribution(low_, high_, log=log)
