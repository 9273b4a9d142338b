"""The decisions of a round: the threshold, which trials continue, which are promoted. Pure functions of values.

Values are losses: a metric that is maximised enters negated, and a trial that diverged or failed counts as infinity,
the worst. Source: García Amboage et al., EPJ Web of Conferences 295, 12005 (2024), section 3; the margin is ours; the
rule of Fast-Hyperband is that of Baker et al., arXiv 1705.10823.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Verdict:
    """The verdict of a decision point on one partial trial.

    Attributes
    ----------
    seen : float
        The loss at the decision point.
    predicted : float or None
        The loss predicted for the round's end; None without a prediction.
    continues : bool
        Whether the trial trains on to the round's end.
    """

    seen: float
    predicted: float | None
    continues: bool


def rank(losses: Mapping[str, float]) -> list[str]:
    """Return trial ids by loss, best first; ties by trial id."""
    return [trial for _, trial in sorted(zip(losses.values(), losses, strict=True))]


@dataclass(frozen=True)
class Decision:
    """The decision at a decision point.

    Attributes
    ----------
    threshold : float
        The loss that a prediction had to beat.
    sigma : float
        Standard error of the predictor; 0 without one, and where the margin is 0.
    verdicts : dict of str to Verdict
        By partial trial.
    outside : dict of str to float
        Finite losses, by trial, that count as diverged because they are far outside the others: at the round's end of
        reference trials, at the decision point of partial ones.
    """

    threshold: float
    sigma: float
    verdicts: dict[str, Verdict]
    outside: dict[str, float] = field(default_factory=dict)


def quantile_threshold(losses: Sequence[float], quantile: float) -> float:
    """Return the quantile of the reference trials' losses at the round's end: the published threshold.

    Parameters
    ----------
    losses : sequence of float, shape (m,)
        Losses of the reference trials; infinity for those that failed.
    quantile : float
        In [0, 1]; interpolated linearly, numpy's default, as in the published runs.

    Returns
    -------
    float
        Infinity (no trial is stopped) without losses, or if the quantile touches a failed trial.
    """
    if not losses:
        return math.inf
    # numpy: the DAG and the jobs that train do without it
    import numpy as np

    with np.errstate(invalid="ignore"):
        found = float(np.quantile(np.asarray(losses, dtype=float), quantile))
    return math.inf if math.isnan(found) else found


def promotion_threshold(losses: Sequence[float], promoted: int) -> float:
    """Return the loss that a trial must beat to be promoted, if all predictions are true.

    Parameters
    ----------
    losses : sequence of float
        Losses at the round's end of all living competitors: reached by the reference trials, predicted for the others.
    promoted : int
        Number of trials in the next round.

    Returns
    -------
    float
        Just above the loss of the last trial that would be promoted, so that this one still beats it; infinity
        (no trial is stopped) if all can be promoted.
    """
    ordered = sorted(losses)
    return math.nextafter(ordered[promoted - 1], math.inf) if promoted < len(ordered) else math.inf


def kth_best(losses: Sequence[float], k: int) -> float:
    """Return the k-th best loss (1 is the best); infinity if there are fewer."""
    return sorted(losses)[k - 1] if len(losses) >= k else math.inf


def chance_beaten(predicted: float, sigma: float, rival: float, delta: float = 0.0) -> float:
    """Return the probability that a trial ends worse than a rival by more than `delta`.

    Parameters
    ----------
    predicted, sigma : float
        Predicted loss at the round's end and its standard error; the prediction is taken as normally distributed.
    rival : float
        Loss of the rival; infinity without one.
    delta : float
        In units of the metric.

    Returns
    -------
    float
        Phi((predicted - rival - delta) / sigma), in [0, 1]: the rule of Baker et al., arXiv 1705.10823, section 4, for
        losses. Without any error in the prediction it is 0 or 1.
    """
    distance = predicted - rival - delta
    if sigma <= 0 or math.isinf(distance):
        return float(distance > 0)
    return 0.5 * (1 + math.erf(distance / sigma / math.sqrt(2)))


def passes(predicted: float, sigma: float, threshold: float, margin: float) -> bool:
    """Return whether a predicted loss less `margin` times its standard error `sigma` is below a threshold."""
    return predicted - margin * sigma < threshold


def decide(
    seen: Mapping[str, float],
    predicted: Mapping[str, float] | None,
    optimistic: Mapping[str, float],
    sigma: float,
    *,
    threshold: float,
    wanted: int,
    most: int | None = None,
) -> Decision:
    """Return which partial trials go on from the decision point to the round's end.

    A trial continues if its predicted loss less its margin is below `threshold`. If fewer than `wanted` would, the
    `wanted` best-predicted ones continue instead; if more than `most` would, the `most` best-predicted ones.

    Parameters
    ----------
    seen : mapping of str to float
        Loss at the decision point by partial trial; infinity for a trial that failed, which never continues.
    predicted : mapping of str to float, or None
        Predicted loss at the round's end by living trial; None if no predictor could be fitted. Then only the worst at
        the decision point stop, those beyond `most`.
    optimistic : mapping of str to float
        The same less a margin of some standard errors; the prediction itself as published.
    sigma : float
        Standard error of the predictor (leave one out), for the record.
    threshold : float
        The loss that a prediction must beat.
    wanted : int
        Number of trials, beside the reference trials, that the next round needs.
    most : int, optional
        Most trials that may continue; any number if left out.
    """
    alive = {trial: loss for trial, loss in seen.items() if math.isfinite(loss)}
    if predicted is None:
        going = set(rank(alive)[:most])
        return Decision(threshold, sigma, {trial: Verdict(loss, None, trial in going) for trial, loss in seen.items()})
    hopeful = {trial: predicted[trial] for trial in alive}
    going = {trial for trial in hopeful if optimistic[trial] < threshold}
    if len(going) < wanted:
        going = set(rank(hopeful)[:wanted])
    elif most is not None and len(going) > most:
        going = set(rank(hopeful)[:most])
    verdicts = {trial: Verdict(loss, hopeful.get(trial), trial in going) for trial, loss in seen.items()}
    return Decision(threshold, sigma, verdicts)


def certain(
    seen: Mapping[str, float],
    predicted: Mapping[str, float] | None,
    optimistic: Mapping[str, float],
    outstanding: int,
    *,
    lowest: float,
    highest: float,
    wanted: int,
    most: int,
) -> tuple[set[str], set[str]]:
    """Return which partial trials go on, and which stop, whatever trials reach that are not at the decision point yet.

    Parameters
    ----------
    seen, predicted, optimistic, wanted, most
        As in `decide`, of the trials that are at the decision point.
    outstanding : int
        Number of trials that are not. Each may be predicted better or worse than any other, or fail.
    lowest, highest : float
        Bounds of the threshold.

    Notes
    -----
    `decide` has three cases: too few, enough or too many predictions below the threshold. A trial is certain if every
    case that can still come says the same of it. A rank by prediction worsens by at most `outstanding`, and never
    improves.
    """
    alive = {trial: loss for trial, loss in seen.items() if math.isfinite(loss)}
    failed = set(seen).difference(alive)
    order = rank(alive if predicted is None else {trial: predicted[trial] for trial in alive})
    place = {trial: at for at, trial in enumerate(order)}
    inside = {trial for trial in order if place[trial] + outstanding < most}
    beyond = set(order[most:])
    if predicted is None:
        return inside, failed | beyond
    below = {trial for trial in order if optimistic[trial] < lowest}
    above = {trial for trial in order if optimistic[trial] >= highest}
    most_below = len(order) - len(above) + outstanding
    going, stopping = set(order), set(order)
    if len(below) < wanted:
        going &= {trial for trial in order if place[trial] + outstanding < wanted}
        stopping &= set(order[max(0, wanted) :])
    if most_below > most and most_below >= wanted:
        going &= inside
        stopping &= beyond
    if most_below >= wanted and len(below) <= most:
        going &= below
        stopping &= above
    return going, failed | stopping


def promote(losses: Mapping[str, float], promoted: int) -> list[str]:
    """Return the trials of the next round: the best by real loss, never a failed one.

    Parameters
    ----------
    losses : mapping of str to float
        Losses at the round's end of the trials that reached it (predictions are never scores).
    promoted : int
        Number of trials in the next round; fewer are returned if fewer are alive.
    """
    return [trial for trial in rank(losses) if math.isfinite(losses[trial])][:promoted]
