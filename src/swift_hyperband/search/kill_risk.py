"""The kill risk that the decisions themselves predict: that they stopped the winner of Hyperband.

It takes predictions and their standard errors at their word. So it is too small where these are, such as for predictors
that learned from winners only; a replay counts the true share.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from swift_hyperband.predictors import Predictor
from swift_hyperband.search import Curve

if TYPE_CHECKING:
    from swift_hyperband.search.schedule import Round


def chance(predictor: Predictor, round_: Round, stopped: Sequence[Curve], promoted: Sequence[float]) -> float:
    """Return the predicted chance that one of a round's stopped trials would have won its bracket.

    Parameters
    ----------
    predictor : Predictor
        That stopped them.
    round_ : Round
    stopped : sequence of Curve
        Their losses, at least up to the decision point and finite there.
    promoted : sequence of float
        Losses at the round's end of the promoted trials.

    Notes
    -----
    A stopped trial i would have beaten the k-th of the n promoted ones, whose loss is L_k, with the probability
    p_ik = Phi((L_k - m_i) / s_i), where m_i is its prediction with the standard error s_i. The trial at place k is
    taken to win the bracket with the probability w_k = 2 (n - k + 1) / (n (n + 1)): it falls linearly from the first
    place to the last. Then trial i wins with the probability sum_k p_ik 2 / (n (n + 1)). Only one trial wins, so the
    chances of the trials add up.
    """
    n = round_.promoted
    # places that stayed empty go to any trial
    reached = [*promoted, *[math.inf] * (n - len(promoted))]
    seen = [curve[: round_.decision_epoch] for curve in stopped]
    return float(predictor.below(seen, reached).sum()) * 2 / (n * (n + 1)) if seen else 0.0


def of_search(chances: Sequence[float], brackets: int) -> float:
    """Return the kill risk of a search from the chances of its rounds; all brackets are equally likely to win."""
    return min(1.0, sum(chances) / brackets)
