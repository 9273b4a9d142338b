"""The last step of a search: trials that were left behind go on where they may still beat the best.

Hyperband promotes by the losses at a rung alone, and a decision point by a prediction. Both leave trials behind that
would have won. When all brackets are over much more is known, so the trials that are most likely to win, for their
epochs, train to the end. Freezing and thawing trials by a model of learning curves is due to Swersky, Snoek and Adams
(arXiv 1406.3896).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from swift_hyperband.predictors.bounds import Bounds
from swift_hyperband.predictors.forecast import Forecast, forecasts
from swift_hyperband.search import Curve


@dataclass(frozen=True)
class Thawing:
    """The trials that go on after the brackets.

    Attributes
    ----------
    best : float or None
        Smallest loss at the last epoch before; None if no trial has reached it.
    chosen : list of str
        In the order of their promise.
    forecasts : dict of str to Forecast
        Of all trials that were left behind and of which something can be said.
    epochs : dict of str to int
        Behind each of them.
    """

    best: float | None
    chosen: list[str]
    forecasts: dict[str, Forecast]
    epochs: dict[str, int]


def thaw(
    curves: Mapping[str, Curve], rungs: list[int], budget: int, chance: float, fewest: int, far: float = math.inf
) -> Thawing:
    """Return the trials that go on to the last epoch.

    Parameters
    ----------
    curves : mapping of str to Curve
        Losses of every trial of the search, as far as it trained.
    rungs : list of int
        The ends of all rounds, in ascending order; the last is the last epoch, R.
    budget : int
        Most epochs that they train in all.
    chance : float
        Least predicted probability of beating the best.
    fewest : int
        Fewest curves from which a forecast learns.
    far : float
        How far outside the others a loss counts as diverged, see `predictors.bounds`.

    Notes
    -----
    Trials are taken in the order of their expected improvement over the best, per epoch that it takes to know; one that
    the budget does not pay for is passed over. Ties go by trial id. Trials that diverged or failed never go on.
    """
    length = rungs[-1]
    alive = _sound(curves, far)
    ends = [curve[length - 1] for curve in alive.values() if len(curve) >= length]
    if not ends:
        return Thawing(None, [], {}, {})
    best = min(ends)
    found = forecasts(alive, rungs, fewest)
    hopeful = [trial for trial, forecast in found.items() if forecast.chance(best) >= chance]
    missing = {trial: length - len(alive[trial]) for trial in hopeful}
    chosen: list[str] = []
    for trial in sorted(hopeful, key=lambda trial: -found[trial].improvement(best) / missing[trial]):
        if missing[trial] <= budget:
            budget -= missing[trial]
            chosen.append(trial)
    return Thawing(best, chosen, found, {trial: len(alive[trial]) for trial in found})


def _sound(curves: Mapping[str, Curve], far: float) -> dict[str, Curve]:
    """Return the curves that are finite and nowhere far outside the others, by trial id."""
    finite = {trial: curve for trial, curve in sorted(curves.items()) if curve and all(map(math.isfinite, curve))}
    out: set[str] = set()
    for epoch in range(max(map(len, finite.values()), default=0)):
        reached = [trial for trial, curve in finite.items() if len(curve) > epoch]
        losses = np.array([finite[trial][epoch] for trial in reached])
        out.update(
            trial for trial, beyond in zip(reached, Bounds.of(losses, far).outside(losses), strict=True) if beyond
        )
    return {trial: curve for trial, curve in finite.items() if trial not in out}
