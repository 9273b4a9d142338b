"""Drawing configurations from a model of the curves so far: what it sees, and which are drawn at random all the same.

Trial ids follow from seed, bracket and slot, whoever draws. Only the configuration of a trial depends on curves: on all
those that are known when it is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from swift_hyperband.search import Curve
from swift_hyperband.space import draw as spaces
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.space.parameters import Space

if TYPE_CHECKING:
    from swift_hyperband.space.tpe import Tpe

Sampling = Literal["random", "tpe", "bohb"]
"""Who draws configurations.

random: the seed alone. tpe and bohb: a model (`space.tpe`). With tpe it sees all trials: those that trained longer are
better, and of those that trained as long the one with the smaller last loss. So Optuna judges pruned trials. With bohb
it sees the losses at the largest number of epochs that enough trials reached, and no other trials.
"""

Configuration = Mapping[str, Scalar]

ONE_IN = 3
"""One slot in so many is drawn at random, so that a model that is wrong does not lose everything."""


class Place(NamedTuple):
    """The place of a trial in its search."""

    bracket: int
    slot: int


@dataclass(frozen=True)
class Drawn:
    """A configuration, and whether the model drew it."""

    configuration: dict[str, Scalar]
    by_model: bool


def draw(
    space: Space,
    sampling: Sampling,
    seed: int,
    places: Mapping[str, Place],
    known: Mapping[str, Configuration],
    curves: Mapping[str, Curve],
) -> dict[str, Drawn]:
    """Draw the configurations of trials, all from the same curves.

    Parameters
    ----------
    space : Space
    sampling : {"random", "tpe", "bohb"}
    seed : int
        That of the study.
    places : mapping of str to Place
        The trials.
    known : mapping of str to mapping
        Configurations of the trials that were drawn before.
    curves : mapping of str to Curve
        Losses of these trials, as far as they trained.

    Returns
    -------
    dict of str to Drawn
        In the order of their places. Every third slot is drawn exactly as sampling random draws it; so are all while
        fewer trials are known than the space has hyperparameters and two more, and where a model does not find a
        configuration that keeps the constraints.

    Raises
    ------
    UserError
        As `space.draw.draw`.
    """
    model = _model(space, sampling, known, curves)
    found: dict[str, Drawn] = {}
    for trial, (bracket, slot) in sorted(places.items(), key=lambda item: item[1]):
        drawn = None
        if model is not None and slot % ONE_IN != ONE_IN - 1:
            drawn = model.draw(f"{seed}/{bracket}/{slot}/{sampling}")
        by_model = drawn is not None
        found[trial] = Drawn(spaces.draw(space, seed, bracket, slot) if drawn is None else drawn, by_model)
    return found


def _model(
    space: Space, sampling: Sampling, known: Mapping[str, Configuration], curves: Mapping[str, Curve]
) -> Tpe | None:
    """Return the model of what is known; None if that is too little."""
    fewest = len(space.hyperparameters) + 2
    # a trial that was drawn may not have begun
    begun = {trial: curves[trial] for trial in known if curves.get(trial)}
    if sampling == "random" or sum(math.isfinite(curve[-1]) for curve in begun.values()) < fewest:
        return None
    # numpy, which searches at random do without
    from swift_hyperband.space.tpe import Tpe

    order = _by_length(begun) if sampling == "tpe" else _at_one_length(begun, fewest)
    return Tpe(space, [known[trial] for trial in order])


def _by_length(curves: Mapping[str, Curve]) -> list[str]:
    """Return trials from the best to the worst: longer ones are better, then smaller losses."""
    return sorted(curves, key=lambda trial: (-len(curves[trial]), _loss(curves[trial][-1])))


def _at_one_length(curves: Mapping[str, Curve], fewest: int) -> list[str]:
    """Return trials by their loss at the largest number of epochs that enough of them reached; no others."""
    lengths = sorted(map(len, curves.values()), reverse=True)
    epochs = lengths[fewest - 1]
    reached = [trial for trial, curve in curves.items() if len(curve) >= epochs]
    return sorted(reached, key=lambda trial: _loss(curves[trial][epochs - 1]))


def _loss(loss: float) -> float:
    return loss if math.isfinite(loss) else math.inf
