"""The schedule of Swift-Hyperband: Hyperband's, with a decision point in each round.

Source: García Amboage et al., EPJ Web of Conferences 295, 12005 (2024), section 3. Where the paper leaves a rounding
open, the authors' published epoch counts settle it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import replace
from fractions import Fraction

from swift_hyperband.search.schedule import Round, RoundKey, Schedule, ceil_share, decision_point, hyperband, s_max
from swift_hyperband.search.settings import SwiftSettings


def swift_hyperband(
    max_epochs: int, eta: int, settings: SwiftSettings, brackets: Collection[int] | None = None, in_turn: bool = False
) -> Schedule:
    """Return the schedule of Swift-Hyperband: Hyperband's, each round divided at its decision point.

    The number of reference trials is m = max(ceil(k n_next), d - |D[r_i]|), at most all, where D[r_i] holds the
    reference curves of earlier rounds with the same end. As only reference curves join D, m follows from the settings.
    The epochs that decisions free are spent in part on `extra` configurations in the first rounds of some brackets.
    A round decides nothing where its decision point falls on its end, or where all its trials are reference trials.
    A predictor for (end, decision point) is fitted once, in the first round that needs it, and never again.

    Parameters
    ----------
    max_epochs, eta, brackets, in_turn
        As in `hyperband`.
    settings : SwiftSettings
        How a round is divided.

    Raises
    ------
    ValueError
        As in `hyperband`.

    Notes
    -----
    García Amboage et al. (2024), section 3; the roundings are those of the authors' published runs.
    """
    plain = hyperband(max_epochs, eta, brackets, in_turn=in_turn)
    return _with_thaw(_widened(divide(plain, settings), settings), settings)


def divide(plain: Schedule, settings: SwiftSettings) -> Schedule:
    """Return a schedule of Hyperband with a decision point in each round that can have one, and no extra trials."""
    if settings.teachers == "all":
        return _taught_by_all(plain, settings)
    contributors: dict[tuple[int | None, int], list[Round]] = {}
    fitted: dict[tuple[int | None, int, int], RoundKey] = {}
    rounds: list[Round] = []
    for r in plain.rounds:
        scope = None if settings.share_curves else r.bracket
        earlier = contributors.setdefault((scope, r.end), [])
        curves = sum(other.reference for other in earlier)
        m = min(r.trials, max(ceil_share(settings.full_share, r.promoted), settings.d - curves, 0))
        point = decision_point(r.start, r.end, settings.decision_fraction)
        divided = replace(r, reference=m)
        earlier.append(divided)
        if point < r.end and m < r.trials:
            predictor = fitted.setdefault((scope, r.end, point), r.key)
            # rounds without reference trials have nothing to teach, and need not be waited for
            training = tuple(other.key for other in earlier if other.reference) if predictor == r.key else ()
            divided = replace(divided, decision_epoch=point, predictor=predictor, training_rounds=training)
        rounds.append(divided)
    return replace(plain, rounds=tuple(rounds))


def _taught_by_all(plain: Schedule, settings: SwiftSettings) -> Schedule:
    """Return a schedule of Hyperband with a decision point in each round, and a predictor for each.

    Its training rounds are the rounds of earlier brackets with the same end, whose trials all teach, and the round
    itself, whose reference trials do. Where these cannot be d curves nothing is decided.
    """
    rounds: list[Round] = []
    for r in plain.rounds:
        point = decision_point(r.start, r.end, settings.decision_fraction)
        m = min(r.trials, settings.reference)
        earlier = [other for other in rounds if other.end == r.end and settings.share_curves]
        if point < r.end and m < r.trials and m + sum(other.trials for other in earlier) >= settings.d:
            own = [r.key] if m else []
            training = tuple([other.key for other in earlier] + own)
            r = replace(r, reference=m, decision_epoch=point, predictor=r.key, training_rounds=training)
        rounds.append(r)
    return replace(plain, rounds=tuple(rounds), taught_by_all=True)


def _widened(plain: Schedule, settings: SwiftSettings) -> Schedule:
    """Return a schedule with extra trials: all that are wanted if much can be saved, else those paid for."""

    def wide(widen: Callable[[Round, float], Round]) -> Schedule:
        rounds = [
            widen(r, settings.extra)
            if r.decision_epoch is not None and r.index == 0 and r.bracket < settings.widened
            else r
            for r in plain.rounds
        ]
        return replace(plain, rounds=tuple(rounds))

    found = wide(_with_extra)
    saves = 1 - found.epochs_best / found.epochs_hyperband
    return wide(_with_paid_extra) if settings.pay_extra and saves < settings.pay_extra_below else found


def _with_thaw(plain: Schedule, settings: SwiftSettings) -> Schedule:
    """Return a schedule with a round after all brackets, if the share of epochs set for it pays for a trial."""
    end, budget = plain.max_epochs, math.floor(Fraction(str(settings.thaw)) * plain.epochs_hyperband)
    stops = [r.end for r in plain.rounds if r.trials > r.promoted and r.end < end]
    stops += [r.decision_epoch for r in plain.rounds if r.decision_epoch is not None]
    trials = min(budget // (end - max(stops)), plain.configurations) if stops else 0
    if not trials:
        return plain
    above = 1 + max(s_max(end, plain.eta), *(r.bracket for r in plain.rounds))
    return replace(plain, thaw=Round(above, 0, trials, 0, end, 1, reference=0, budget=budget))


def _with_extra(round_: Round, share: float) -> Round:
    extra = ceil_share(share, round_.trials)
    return replace(round_, trials=round_.trials + extra, extra=extra)


def _with_paid_extra(round_: Round, share: float) -> Round:
    """Return a round with as many extra trials as are paid for when half of the partial trials go on."""
    assert round_.decision_epoch is not None
    begin, rest = round_.decision_epoch - round_.start, round_.end - round_.decision_epoch
    for extra in range(ceil_share(share, round_.trials), 0, -1):
        found = replace(round_, trials=round_.trials + extra, extra=extra, paying=-(-extra * begin // rest))
        if found.most_completed >= max(found.partial // 2, found.promoted):
            return found
    return round_
