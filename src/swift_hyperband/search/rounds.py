"""The steps of one round, on curves: pure functions shared by the workflow's jobs and by `search.scheduled`.

A curve is the sequence of a trial's losses at epochs 1, 2, ...; it is shorter than asked for, or not finite at its
end, if training diverged or failed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING

from swift_hyperband.predictors import Predictor
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search import Curve, decisions
from swift_hyperband.search.decisions import Decision
from swift_hyperband.search.schedule import Round, Schedule, ceil_share
from swift_hyperband.search.settings import SwiftSettings

if TYPE_CHECKING:
    from swift_hyperband.predictors.kernel_machine import Solve
    from swift_hyperband.search.thaw import Thawing

FEWEST_TO_THAW = 4
"""Fewest curves from which a regression of three coefficients says how wrong it is."""


@dataclass(frozen=True)
class Rules:
    """The rules of a search's decisions, besides its schedule.

    Attributes
    ----------
    swift : SwiftSettings
    predictor : PredictorSettings
    """

    swift: SwiftSettings
    predictor: PredictorSettings


def loss_at(curve: Curve, epoch: int) -> float:
    """Return the loss at an epoch (1 is the first); infinity if the curve ends before it or is not finite."""
    loss = curve[epoch - 1] if len(curve) >= epoch else math.inf
    return loss if math.isfinite(loss) else math.inf


def divide(round_: Round, competitors: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the full and the partial trials of a round, given its competitors by rank."""
    return list(competitors[: round_.full]), list(competitors[round_.full :])


def reference_curves(round_: Round, competitors: Sequence[str], curves: Mapping[str, Curve]) -> dict[str, Curve]:
    """Return the curves, up to the round's end, of the trials that set the threshold and train predictors."""
    return {trial: curves[trial][: round_.end] for trial in competitors[: round_.reference]}


def quantile_threshold(round_: Round, reference: Mapping[str, Curve], rules: Rules) -> float | None:
    """Return the threshold that the reference trials set; None if it also depends on the predictions."""
    if rules.swift.threshold == "promotion":
        return None
    losses = [loss_at(curve, round_.end) for curve in reference.values()]
    return decisions.quantile_threshold(losses, rules.swift.threshold_quantile)


def fit(
    round_: Round,
    references: Iterable[Mapping[str, Curve]],
    rules: Rules,
    solve: Solve | None = None,
) -> Predictor | None:
    """Fit the predictor of a round to the reference curves of its training rounds, in their order.

    `solve` is as in `predictors.fitting.fit`.
    """
    assert round_.decision_epoch is not None
    curves = [curve for reference in references for curve in reference.values()]
    return fit_curves(curves, round_.decision_epoch, round_.end, rules.predictor, solve)


def fit_curves(
    curves: Sequence[Curve],
    seen: int,
    end: int,
    settings: PredictorSettings,
    solve: Solve | None = None,
) -> Predictor | None:
    """Fit a predictor of the loss at epoch `end` from the first `seen` epochs; None if too few curves are sound.

    `solve` is as in `predictors.fitting.fit`.
    """
    found: Predictor | None = _fitting().fit_curves(curves, seen, end, settings, solve)
    return found


def _fitting() -> ModuleType:
    # numpy: the DAG and the jobs that train import this module, too
    from swift_hyperband.predictors import fitting

    return fitting


def predict(predictor: Predictor, curves: Sequence[Curve], seen: int, margin: float = 0.0) -> list[float]:
    """Return the predicted losses at the round's end of curves, all of which reach epoch `seen`, less a margin.

    The margin is in standard errors.
    """
    if not curves:
        return []
    predicted: list[float] = predictor.optimistic([curve[:seen] for curve in curves], margin).tolist()
    return predicted


@dataclass(frozen=True)
class _Evidence:
    """What a decision rests on, by trial: losses seen at the decision point, and predictions for the round's end.

    Attributes
    ----------
    predicted : dict of str to float or None
    seen, optimistic, outside : dict of str to float
    sound, expected : list of float
        Losses at the end that count for the threshold: those of the reference trials, and predictions.
    """

    seen: dict[str, float]
    predicted: dict[str, float] | None
    optimistic: dict[str, float]
    outside: dict[str, float]
    sound: list[float]
    expected: list[float]


def _evidence(
    round_: Round,
    reference: Mapping[str, Curve],
    partial: Mapping[str, Curve],
    predictor: Predictor | None,
    rules: Rules,
) -> _Evidence:
    point = round_.decision_epoch
    assert point is not None
    reached = {trial: loss_at(curve, round_.end) for trial, curve in reference.items()}
    seen = {trial: loss_at(curve, point) for trial, curve in partial.items()}
    alive = [trial for trial, loss in seen.items() if math.isfinite(loss)]
    outside = _outside(predictor, reached, at_end=True) | _outside(predictor, seen, at_end=False)
    margin = rules.swift.margin * (rules.swift.margin_later if round_.index > 0 else 1.0)
    predicted: dict[str, float] | None = None
    optimistic: dict[str, float] = {}
    if predictor is not None:
        living = [partial[trial] for trial in alive]
        predicted = dict(zip(alive, predict(predictor, living, point), strict=True))
        optimistic = dict(zip(alive, predict(predictor, living, point, margin), strict=True)) if margin else predicted
    sound = [loss for trial, loss in reached.items() if math.isfinite(loss) and trial not in outside]
    expected = [loss for trial, loss in (predicted or {}).items() if trial not in outside]
    return _Evidence(seen, predicted, optimistic, outside, sound, expected)


def decide(
    round_: Round,
    reference: Mapping[str, Curve],
    partial: Mapping[str, Curve],
    predictor: Predictor | None,
    rules: Rules,
) -> Decision:
    """Return which partial trials, given with their curves, go on to the round's end."""
    of = _evidence(round_, reference, partial, predictor, rules)
    threshold = quantile_threshold(round_, reference, rules)
    if threshold is None:
        threshold = decisions.promotion_threshold(of.sound + of.expected, _places(round_, rules))
    found = decisions.decide(
        of.seen,
        of.predicted,
        of.optimistic,
        # n more fits, which only a margin needs
        predictor.sigma if predictor is not None and rules.swift.margin > 0 else 0.0,
        threshold=threshold,
        wanted=round_.promoted - len(of.sound),
        most=round_.most_completed,
    )
    return replace(found, outside=of.outside)


def certain(
    round_: Round,
    reference: Mapping[str, Curve],
    partial: Mapping[str, Curve],
    predictor: Predictor | None,
    rules: Rules,
) -> tuple[set[str], set[str]]:
    """Return which of the partial trials given, not all of them, go on for certain, and which stop for certain.

    The threshold only falls as further trials come to the decision point: it is lowest if all of them are predicted to
    be better than those that are there, and highest if all fail.
    """
    of = _evidence(round_, reference, partial, predictor, rules)
    outstanding = round_.partial - len(partial)
    lowest = highest = quantile_threshold(round_, reference, rules)
    if lowest is None or highest is None:
        known, places = of.sound + of.expected, _places(round_, rules)
        lowest = decisions.promotion_threshold([-math.inf] * outstanding + known, places)
        highest = decisions.promotion_threshold(known, places)
    wanted, most = round_.promoted - len(of.sound), round_.most_completed
    return decisions.certain(
        of.seen, of.predicted, of.optimistic, outstanding, lowest=lowest, highest=highest, wanted=wanted, most=most
    )


def _places(round_: Round, rules: Rules) -> int:
    """Return how many places count: a trial that would take one of the last of the next round seldom wins."""
    return ceil_share(rules.swift.places, round_.promoted)


def _outside(predictor: Predictor | None, losses: Mapping[str, float], at_end: bool) -> dict[str, float]:
    """Return the finite losses that count as diverged."""
    if predictor is None:
        return {}
    found = zip(losses.items(), predictor.diverged(list(losses.values()), at_end), strict=True)
    return {trial: loss for (trial, loss), far in found if far and math.isfinite(loss)}


def left_out(round_: Round, references: Iterable[Mapping[str, Curve]], settings: PredictorSettings) -> list[str]:
    """Return the trials with finite curves that `fit` leaves out, because they are far outside the others."""
    assert round_.decision_epoch is not None
    known = {trial: curve for reference in references for trial, curve in reference.items()}
    far = _fitting().left_out(list(known.values()), round_.decision_epoch, round_.end, settings)
    return [trial for trial, is_far in zip(known, far, strict=True) if is_far]


def thaw(schedule: Schedule, curves: Mapping[str, Curve], goals: Mapping[str, int], rules: Rules) -> Thawing:
    """Return which trials go on when all brackets are over.

    Parameters
    ----------
    schedule : Schedule
    curves : mapping of str to Curve
        Of every trial, as far as its bracket trained it.
    goals : mapping of str to int
        The epoch to which its bracket trained each. A trial whose curve ends before it failed, and is left out.
    rules : Rules
    """
    alive = {trial: curve for trial, curve in curves.items() if len(curve) >= goals[trial]}
    found: Thawing = _thawing().thaw(alive, *_thaw_settings(schedule, rules))
    return found


def likely_to_thaw(schedule: Schedule, curves: Mapping[str, Curve], left: Mapping[str, int], rules: Rules) -> list[str]:
    """Return which of the trials left behind are likely to go on when all brackets are over.

    Parameters
    ----------
    schedule : Schedule
    curves : mapping of str to Curve
        Of every trial, as far as it is trained, ahead of what was asked for, too.
    left : mapping of str to int
        The epochs that the search asked for of each trial left behind.
    rules : Rules
    """
    sound = {trial: epochs for trial, epochs in left.items() if len(curves[trial]) >= epochs}
    found: list[str] = _thawing().likely(curves, sound, *_thaw_settings(schedule, rules))
    return found


def _thawing() -> ModuleType:
    # numpy, as in `fit_curves`
    from swift_hyperband.search import thaw

    return thaw


def _thaw_settings(schedule: Schedule, rules: Rules) -> tuple[list[int], int, float, int, float]:
    """Return the rungs, the budget, the least chance, the fewest curves and the farthest loss of a thaw."""
    assert schedule.thaw is not None
    assert schedule.thaw.budget is not None
    rungs = sorted({round_.end for round_ in schedule.rounds})
    fewest = max(rules.predictor.fewest_curves, FEWEST_TO_THAW)
    return rungs, schedule.thaw.budget, rules.swift.thaw_chance, fewest, rules.predictor.far


def promote(round_: Round, curves: Mapping[str, Curve]) -> list[str]:
    """Return the promoted trials, best first, given the curves of all that trained to the round's end."""
    return decisions.promote({trial: loss_at(curve, round_.end) for trial, curve in curves.items()}, round_.promoted)
