"""The settings of adaptive Hyperband: the section `adaptive` of a comparison, and of `replay --set`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from swift_hyperband.base.keys import key


@dataclass(frozen=True)
class AdaptiveSettings:
    """How adaptive Hyperband chooses brackets and stops trials."""

    choice: Literal["correlation", "hyper-tune"] = key(
        "correlation",
        "Who chooses the next bracket: the rank correlations of rungs with the end, or the weights of Hyper-Tune.",
    )
    budget: float = key(1.0, "Epochs to spend, in those of one Hyperband.", ge=1, le=100)
    most_workers: int = key(
        4, "With more workers all brackets run in Hyperband's order before any is chosen.", ge=0, le=10**6
    )
    fewest_ended: int = key(
        0,
        "Curves at the last epoch before brackets are chosen; until then each runs once, in a fixed order.",
        ge=0,
    )
    decision_fraction: float = key(0.15, "Position of the decision point between a round's start and end.", gt=0, le=1)
    round_chance: float = key(0.1, "A trial with less chance of promotion stops.", ge=0, le=1)
    final_chance: float = key(0.05, "A trial with less chance to end best of all so far stops.", ge=0, le=1)
    d: int = key(4, "Fewest curves from which a chance is predicted.", ge=3)
