"""Fitting the predictor that the settings name, and reading a fitted one back. Imports numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from swift_hyperband.predictors import Predictor, last_value, linear
from swift_hyperband.predictors.bounds import Bounded, Machine, outside
from swift_hyperband.predictors.features import Floats
from swift_hyperband.predictors.kernel_machine import KernelMachine, Solve
from swift_hyperband.predictors.linear import Design, Linear, first_and_last
from swift_hyperband.predictors.settings import PredictorSettings


def fit(settings: PredictorSettings, curves: Floats, ends: Floats, solve: Solve | None = None) -> Predictor | None:
    """Fit a predictor.

    Parameters
    ----------
    settings : PredictorSettings
        Which predictor, and how it sees curves.
    curves : array of shape (n, epochs seen)
        Losses of the training curves up to the decision point.
    ends : array of shape (n,)
        Their losses at the round's end.
    solve : Solve, optional
        For the QSVR, its sampler bound to a label and to the place of its answers, see `annealed.solver`.

    Returns
    -------
    Predictor or None
        None where fewer than `settings.fewest_curves` training curves are finite throughout and nowhere far outside.
    """
    finite = np.isfinite(curves).all(axis=1) & np.isfinite(ends)
    curves, ends = curves[finite], ends[finite]
    far = outside(curves, ends, settings.far)
    if (~far).sum() < settings.fewest_curves:
        return None
    sound, sound_ends = curves[~far], ends[~far]
    log = settings.values == "log" and bool((sound > 0).all() and (sound_ends > 0).all())
    unit = float(np.median(sound_ends)) if log else 1.0
    if log:
        sound, sound_ends = np.log(sound), np.log(sound_ends)
    machine = _machine(settings, sound, sound_ends, solve)
    design = Design.of(*first_and_last(sound)) if settings.errors == "each" else None
    return Bounded.of(machine, curves, ends, settings.far, log, unit, design)


def _machine(settings: PredictorSettings, curves: Floats, ends: Floats, solve: Solve | None) -> Machine:
    if settings.name == "last-value":
        return last_value.fit(settings, curves, ends)
    if settings.name == "linear":
        return linear.fit(curves, ends)
    if settings.anneals:
        # dimod, which the other predictors do without
        from swift_hyperband.predictors import annealed

        return annealed.fit(settings, curves, ends, solve)
    # scikit-learn, which takes a second
    from swift_hyperband.predictors import svr

    return svr.fit(settings, curves, ends)


def load(stored: Mapping[str, Any]) -> Predictor:
    """Return the predictor that `to_dict` stored. Needs numpy alone."""
    if stored["name"] == "last-value":
        return Bounded.from_dict(last_value.LastValue(shift=stored["shift"], sigma=stored["sigma"]), stored)
    if stored["name"] == "linear":
        return Bounded.from_dict(Linear.from_dict(stored), stored)
    return Bounded.from_dict(KernelMachine.from_dict(stored), stored)


def fit_curves(
    curves: Sequence[Sequence[float]], seen: int, end: int, settings: PredictorSettings, solve: Solve | None = None
) -> Predictor | None:
    """Fit a predictor of the loss at epoch `end` from the first `seen` epochs of curves, see `fit`."""
    table = _table(curves, end)
    return fit(settings, table[:, :seen], table[:, -1], solve)


def left_out(curves: Sequence[Sequence[float]], seen: int, end: int, settings: PredictorSettings) -> list[bool]:
    """Return which curves are finite, and left out of a fit because they are far outside the others."""
    table = _table(curves, end)[:, [*range(seen), end - 1]]
    finite = np.isfinite(table).all(axis=1)
    far = np.zeros(len(curves), dtype=bool)
    far[finite] = outside(table[finite, :-1], table[finite, -1], settings.far)
    found: list[bool] = far.tolist()
    return found


def _table(curves: Sequence[Sequence[float]], end: int) -> Floats:
    """Return the losses of curves at epochs 1 to `end`; infinity beyond the end of a curve."""
    table = np.full((len(curves), end), np.inf)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = curve[:end]
    return table
