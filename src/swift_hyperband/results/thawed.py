"""thaw.json: which of the trials that the brackets left behind go on to the last epoch, in losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from swift_hyperband.base.files import read_json
from swift_hyperband.base.metric import Metric, from_json, to_json
from swift_hyperband.results.contents import NUMBER, as_loss, as_value
from swift_hyperband.results.decided import INPUTS, Inputs, write_decision

if TYPE_CHECKING:
    from swift_hyperband.search.thaw import Thawing

LEFT = {"epochs": int, "predicted": NUMBER, "sigma": NUMBER, "log": bool, "chance": float}


@dataclass(frozen=True)
class Left:
    """The prospects of a trial that was left behind.

    Attributes
    ----------
    epochs : int
        Behind it.
    predicted : float
        The loss that it would have at the last epoch, the median.
    sigma : float
        Standard error of that, or of its logarithm.
    log : bool
        Whether of its logarithm.
    chance : float
        Predicted probability of beating the best.
    """

    epochs: int
    predicted: float
    sigma: float
    log: bool
    chance: float


@dataclass(frozen=True)
class Thawed:
    """thaw.json: which of the trials that were left behind go on to the last epoch, after all brackets.

    Attributes
    ----------
    best : float or None
        The loss to beat; None if no trial reached the last epoch.
    chosen : sequence of str
        In the order of their promise.
    left : mapping of str to Left
        All trials left behind of which something could be said.
    inputs : Inputs
    """

    best: float | None
    chosen: Sequence[str]
    left: Mapping[str, Left]
    inputs: Inputs = field(default_factory=dict)

    @classmethod
    def of(cls, thawing: Thawing) -> Self:
        """Return what the file holds."""
        best = thawing.best
        left = {
            trial: Left(thawing.epochs[trial], found.loss, found.sigma, found.log, found.chance(best))
            for trial, found in thawing.forecasts.items()
            if best is not None
        }
        return cls(best, thawing.chosen, left)

    def is_of_trials_of(self, other: Thawed) -> bool:
        """Whether it was chosen from the same trials with as many epochs behind them, given the same best."""
        epochs = [{trial: left.epochs for trial, left in one.left.items()} for one in (self, other)]
        return self.best == other.best and epochs[0] == epochs[1] and set(self.chosen) <= self.left.keys()

    @classmethod
    def read(cls, path: Path, metric: Metric) -> Self:
        stored = read_json(path, {"best": NUMBER, "chosen": [str], "left": {str: LEFT}, **INPUTS})
        best = None if stored["best"] is None else metric.loss(stored["best"])
        left = {trial: _left(metric, found) for trial, found in stored["left"].items()}
        return cls(best, stored["chosen"], left, stored["inputs"])

    def write(self, path: Path, metric: Metric, sources: Iterable[Path] | None = None) -> None:
        left = {
            trial: {**vars(one), "predicted": as_value(metric, one.predicted), "sigma": to_json(one.sigma)}
            for trial, one in self.left.items()
        }
        content = {"best": as_value(metric, self.best), "chosen": list(self.chosen), "left": left}
        write_decision(path, content, sources)


def _left(metric: Metric, stored: Mapping[str, Any]) -> Left:
    predicted, sigma = as_loss(metric, stored["predicted"]), from_json(stored["sigma"])
    return Left(stored["epochs"], predicted, sigma, stored["log"], stored["chance"])
