"""The settings of Swift-Hyperband: the section `swift` of the study file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from swift_hyperband.base.keys import key


@dataclass(frozen=True)
class SwiftSettings:
    """The settings with which Swift-Hyperband stops trials by prediction."""

    preset: Literal["default", "published", "bold"] = key(
        "default",
        "Fills the keys that swift and predictor leave out; published: exactly the settings of the paper; bold: fewer "
        "epochs, and often a worse result, where curves cross late.",
    )
    teachers: Literal["all", "reference"] = key(
        "all",
        "The trials of earlier brackets whose curves teach the predictors: all that trained to the end of a round, or "
        "reference trials, the best before.",
    )
    reference: int = key(
        1, "Reference trials of each round, which train to its end without a decision; used with teachers all.", ge=0
    )
    d: int = key(5, "Fewest curves to fit a predictor.", ge=3)
    k: float = key(
        0.5,
        "At least this share of the promoted number of trials trains fully; used with threshold quantile.",
        gt=0,
        le=1,
    )
    decision_fraction: float = key(0.6, "Position of the decision point between a round's start and end.", gt=0, le=1)
    threshold: Literal["promotion", "quantile"] = key(
        "promotion", "The value that a prediction must beat: the last that would be promoted, or a quantile."
    )
    threshold_quantile: float = key(
        0.25,
        "The quantile of the losses of the trials that train fully; used with threshold quantile.",
        ge=0,
        le=1,
    )
    places: float = key(
        0.7,
        "Share of the next round's places, the first ones, that count for threshold promotion: a trial that would take "
        "one of the last seldom wins.",
        gt=0,
        le=1,
    )
    margin: float = key(
        1.5,
        "Benefit of the doubt in a prediction, in standard errors of the predictor, in the first round of a bracket.",
        ge=0,
        le=1e6,
    )
    margin_later: float = key(1.0, "Factor on margin in the later rounds of a bracket.", ge=0, le=1e6)
    share_curves: bool = key(
        True, "Whether brackets learn from each other's curves: saves epochs, takes longer with many workers."
    )
    extra: float = key(
        0.0,
        "Further configurations in the last brackets, as a share of Hyperband's; see widened.",
        ge=0,
        le=100,
    )
    # Their first rounds are the longest, so there the epochs saved at the decision points pay for most configurations.
    # In the others the next round's few places would go, out of more trials, to those that begin well.
    widened: int = key(3, "Number of brackets, the last ones, that start with extra configurations.", ge=0)
    pay_extra: bool = key(
        True,
        "Whether a search that can save little (see pay_extra_below) starts only as many extra configurations as "
        "trials that certainly stop pay for: then it never trains more than Hyperband.",
    )
    # below, a few trials that a careful predictor lets go on are enough to train more than Hyperband
    pay_extra_below: float = key(
        0.3, "A search that saves less than this share of Hyperband's epochs, at best, can save little.", ge=0, le=1
    )
    # what the published threshold lets pass
    expected_share: float = key(
        0.25,
        "Expected share of partial trials that go on; sets the number of trials of predicted-random if search.trials "
        "is null.",
        ge=0,
        le=1,
    )
    thaw: float = key(
        0.04,
        "Share of Hyperband's epochs that may be spent, when all brackets are over, on the trials left behind that are "
        "most likely to beat the best; 0: none.",
        ge=0,
        le=1,
    )
    thaw_chance: float = key(
        0.1, "Least predicted chance of beating the best with which a trial goes on then.", ge=0, le=1
    )

    @property
    def full_share(self) -> float:
        """Share of the promoted number of trials that trains fully, at least.

        0 with the threshold `promotion`: the last value that would be promoted is known without such trials.
        """
        return self.k if self.threshold == "quantile" else 0.0
