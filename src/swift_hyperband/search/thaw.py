"""The last step of a search: trials that were left behind go on where they may still beat the best.

Hyperband promotes by the losses at a rung alone, and a decision point by a prediction. Both leave trials behind that
would have won. When all brackets are over much more is known, so the trials that are most likely to win, for their
epochs, train to the end. Freezing and thawing trials by a model of learning curves is due to Swersky, Snoek and Adams
(arXiv 1406.3896).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

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
    epochs = {trial: len(alive[trial]) for trial in found}
    return Thawing(best, _chosen(found, epochs, length, best, budget, chance), found, epochs)


def _chosen(
    found: Mapping[str, Forecast], epochs: Mapping[str, int], length: int, best: float, budget: int, chance: float
) -> list[str]:
    """Return the trials that are worth their epochs, most of all first, as far as the budget pays for them."""
    hopeful = [trial for trial, forecast in found.items() if forecast.chance(best) >= chance]
    missing = {trial: length - epochs[trial] for trial in hopeful}
    chosen: list[str] = []
    for trial in sorted(hopeful, key=lambda trial: -found[trial].improvement(best) / missing[trial]):
        if missing[trial] <= budget:
            budget -= missing[trial]
            chosen.append(trial)
    return chosen


def likely(
    curves: Mapping[str, Curve],
    left: Mapping[str, int],
    rungs: list[int],
    budget: int,
    chance: float,
    fewest: int,
    far: float = math.inf,
) -> list[str]:
    """Return the trials left behind that are likely to go on, by the curves of a search that is not over yet.

    Parameters
    ----------
    curves, rungs, budget, chance, fewest, far
        As in `thaw`; curves trained ahead teach as well.
    left : mapping of str to int
        The epochs that the search asked for of each trial left behind.

    Notes
    -----
    They are chosen as in `thaw`, with the farthest rung that enough curves have reached in the place of the last one.
    A trial that stands at this rung is taken to be as uncertain as its forecast from the rung before was.
    """
    alive = _sound(curves, far)
    reached = [rung for rung in rungs if sum(len(curve) >= rung for curve in alive.values()) >= fewest]
    if not reached:
        return []
    end = reached[-1]
    best = min(curve[end - 1] for curve in alive.values() if len(curve) >= end)
    as_left = {trial: alive[trial][:epochs] for trial, epochs in left.items() if trial in alive}
    standing = {trial: curve for trial, curve in as_left.items() if len(curve) >= end}
    found = forecasts({**alive, **as_left}, reached, fewest)
    likely = {trial: found[trial] for trial in as_left if trial in found}
    if standing and len(reached) > 1:
        before = {trial: curve[: reached[-2]] for trial, curve in standing.items()}
        # under names of their own, for they teach by their whole curves
        earlier = forecasts(
            {**alive, **as_left, **{f"{name}/": curve for name, curve in before.items()}}, reached, fewest
        )
        for trial, curve in standing.items():
            if (forecast := earlier.get(f"{trial}/")) is not None:
                likely[trial] = replace(forecast, mean=math.log(curve[end - 1]) if forecast.log else curve[end - 1])
    return _chosen(likely, left, rungs[-1], best, budget, chance)


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
