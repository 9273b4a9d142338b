"""How much each hyperparameter mattered: permutation importance over a random forest.

A forest learns the ranks of the trials from their configurations. The importance of a hyperparameter is by how much the
forest's out-of-bag R² falls if its values are shuffled among the trials (L. Breiman, Random Forests, Machine Learning
45, 2001). It is 0 for a hyperparameter that tells nothing, and may exceed 1, as wrong values mislead the forest.
Functional ANOVA (F. Hutter, H. Hoos and K. Leyton-Brown, ICML 2014) divides the variance of such a forest instead, over
the whole space; promotions leave most of it empty.

- All trials are compared at one epoch, the largest rung that enough trials reached: later rungs have few trials, and
  values of different epochs do not compare.
- Ranks stand in the place of values, so that one exploded trial does not decide, and so that failed and diverged trials
  can count as the worst, as they do in the search: what makes trainings fail matters.
- An inactive hyperparameter gets values at random: else its place would tell that it is inactive, which is the
  importance of the hyperparameter in its condition. It is shuffled among the trials in which it is active.
- The error is the standard deviation of the importance over forests that learn from random halves of the trials, an
  estimate of its standard error (the delete-half jackknife; J. Shao and C. F. J. Wu, Annals of Statistics 17, 1989).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from swift_hyperband.report.numbers import ranks
from swift_hyperband.results.history import History
from swift_hyperband.results.standing import lost
from swift_hyperband.space.parameters import Categorical, Hyperparameter, Space

WELL_FILLED, WELL_FILLED_EACH, WELL_FILLED_OF = 20, 5, 50
"""A rung is well filled if so many trials reached it, so many for each hyperparameter, and one in so many of all."""
MANY, MANY_EACH = 40, 10
"""With fewer trials, or fewer for each hyperparameter, there is a warning."""
FEWEST = 8
"""With fewer trials nothing is computed."""
MOST = 1000
"""Of more trials so many are drawn: the forest gains nothing from more, and takes long."""
EXPLAINS_NOTHING = 0.1
"""Out-of-bag R² below which the importances mean nothing."""
TREES, LEAF, SHUFFLES = 100, 3, 5
"""Trees of the forest, least trials in a leaf, and how often a hyperparameter is shuffled."""
HALVES, TREES_OF_HALF = 10, 30
"""Random halves of the trials, whose forests tell the error."""
MANY_HYPERPARAMETERS = 50
"""Of more there are fewer trees and shuffles."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Weight:
    """The importance of one hyperparameter.

    Attributes
    ----------
    name : str
    importance : float
        By how much R² falls without it.
    error : float
        Its standard error.
    active : int
        Trials in which it is active.
    """

    name: str
    importance: float
    error: float
    active: int


@dataclass(frozen=True)
class Importance:
    """How much each hyperparameter of a search mattered.

    Attributes
    ----------
    epoch : int or None
        The epoch at which trials are compared, where they come from a search.
    trials : int
        How many are compared.
    lost : int
        Those of them that failed or diverged, and count as worst.
    drawn_from : int
        How many there were to compare.
    r2 : float
        Out-of-bag R² of the forest: 1 if it explains the ranks, 0 or less if it explains nothing.
    weights : tuple of Weight
        The most important first; none where nothing could be computed.
    warnings : tuple of str
        Why not to trust them.
    """

    epoch: int | None
    trials: int
    lost: int
    drawn_from: int
    r2: float
    weights: tuple[Weight, ...]
    warnings: tuple[str, ...]


def of_search(history: History) -> Importance:
    """Return the importances at the largest well-filled rung of a search."""
    space = history.study.search_space()
    epoch, losses = well_filled(history, len(space.hyperparameters))
    configurations = [history.trials[trial].configuration for trial in losses]
    return importance(space, configurations, list(losses.values()), epoch)


def well_filled(history: History, hyperparameters: int) -> tuple[int, dict[str, float]]:
    """Return the largest epoch of a rung that enough trials reached, else that of most trials, with its losses.

    The loss of a trial that was lost on the way is infinite.
    """
    metric, trials = history.study.metric, history.trials.values()
    losses = {trial.trial: metric.losses(trial.values(metric.name)) for trial in trials}
    epochs = sorted({round_.end for round_ in history.schedule.rounds}, reverse=True)
    needed = max(WELL_FILLED, WELL_FILLED_EACH * hyperparameters, len(trials) / WELL_FILLED_OF)
    counts = {
        epoch: sum(len(curve) >= epoch and math.isfinite(curve[epoch - 1]) for curve in losses.values())
        for epoch in epochs
    }
    chosen = next((epoch for epoch in epochs if counts[epoch] >= needed), max(epochs, key=counts.__getitem__))
    if history.rungs is None:
        asked = history.asked
    else:
        asked = {trial: event.epochs for trial, event in history.rungs.told.items()}
    gone = {trial.trial for trial in trials if lost(history, trial) and asked.get(trial.trial, 0) >= chosen}
    found = {
        trial: curve[chosen - 1] if len(curve) >= chosen else math.inf
        for trial, curve in losses.items()
        if len(curve) >= chosen or trial in gone
    }
    return chosen, found


def importance(
    space: Space, configurations: Sequence[Mapping[str, Any]], losses: Sequence[float], epoch: int | None = None
) -> Importance:
    """Return how much each hyperparameter mattered for the losses of trials; the same for the same arguments.

    Parameters
    ----------
    space : Space
    configurations : sequence of mapping
        Hyperparameters by name; inactive ones are not in it.
    losses : sequence of float
        One for each configuration, smaller is better; inf of a trial that failed or diverged.
    epoch : int, optional
        The epoch of the losses, which is passed on.
    """
    random = np.random.default_rng(0)
    chosen = list(range(len(losses)))
    if len(losses) > MOST:
        chosen = sorted(random.choice(len(losses), MOST, replace=False).tolist())
    configurations = [configurations[place] for place in chosen]
    kept = np.array([losses[place] for place in chosen], dtype=float)
    gone = int(np.sum(~np.isfinite(kept)))
    counts = (len(kept), gone, len(losses))
    if len(kept) < FEWEST or len(set(kept.tolist())) < 2:
        why = "all of them have the same value" if len(kept) >= FEWEST else f"at least {FEWEST} are needed"
        return Importance(epoch, *counts, math.nan, (), (f"{len(kept)} trials can be compared, and {why}.",))
    target = ranks(kept) / len(kept)
    blocks = {name: _columns(keys, name, configurations, random) for name, keys in space.hyperparameters.items()}
    active = {name: np.array([name in found for found in configurations]) for name in blocks}
    everyone = np.arange(len(kept))
    r2, falls = _falls(blocks, active, target, everyone, TREES, random)
    halves = [
        _falls(blocks, active, target, random.permutation(everyone)[: len(kept) // 2], TREES_OF_HALF, random)[1]
        for _ in range(HALVES)
    ]
    weights = [
        Weight(name, fall, float(np.std([half[name] for half in halves], ddof=1)), int(active[name].sum()))
        for name, fall in falls.items()
    ]
    weights.sort(key=lambda weight: (-weight.importance, weight.name))
    return Importance(epoch, *counts, r2, tuple(weights), _warnings(len(kept), len(blocks), r2))


def _warnings(trials: int, hyperparameters: int, r2: float) -> tuple[str, ...]:
    found = []
    if trials < max(MANY, MANY_EACH * hyperparameters):
        found.append(
            f"Few trials: {trials} for {hyperparameters} hyperparameter{'s' if hyperparameters > 1 else ''}. "
            "Another seed may give another order."
        )
    if r2 < EXPLAINS_NOTHING:
        found.append(
            f"The forest explains nothing (out-of-bag R² {r2:.2f}): the bars do not tell which hyperparameters matter."
        )
    return tuple(found)


def _columns(
    keys: Hyperparameter, name: str, configurations: Sequence[Mapping[str, Any]], random: np.random.Generator
) -> Values:
    """Return a hyperparameter's columns: its place in its range, or one column for each choice."""
    if isinstance(keys, Categorical):
        choices = list(keys.choices)
        drawn = random.integers(len(choices), size=len(configurations))
        places = [
            choices.index(found[name]) if name in found else drawn[row] for row, found in enumerate(configurations)
        ]
        return np.eye(len(choices))[places]
    filled = random.random(len(configurations))
    return np.array(
        [[keys.place(found[name]) if name in found else filled[row]] for row, found in enumerate(configurations)]
    )


def _falls(
    blocks: Mapping[str, Values],
    active: Mapping[str, NDArray[np.bool_]],
    target: Values,
    trials: NDArray[np.int64],
    trees: int,
    random: np.random.Generator,
) -> tuple[float, dict[str, float]]:
    """Return the out-of-bag R² of a forest that learns from some trials, and by how much it falls by hyperparameter.

    Each trial is predicted by the trees that did not learn from it.
    """
    inputs, target = np.hstack(list(blocks.values()))[trials].astype(np.float32), target[trials]
    few = len(blocks) <= MANY_HYPERPARAMETERS
    shuffles, trees = (SHUFFLES, trees) if few else (1, max(1, trees // 4))
    forest = RandomForestRegressor(trees, min_samples_leaf=LEAF, random_state=0).fit(inputs, target)
    edges = np.cumsum([0, *(block.shape[1] for block in blocks.values())])
    columns = {name: slice(*edges[place : place + 2]) for place, name in enumerate(blocks)}
    orders = {name: [_order(active[name][trials], random) for _ in range(shuffles)] for name in blocks}
    sums = {name: np.zeros((shuffles, len(target))) for name in blocks}
    whole, counts = np.zeros(len(target)), np.zeros(len(target))
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        rows = np.setdiff1d(np.arange(len(target)), drawn)
        whole[rows] += tree.predict(inputs[rows], check_input=False)
        counts[rows] += 1
        for name, where in columns.items():
            stacked = np.tile(inputs[rows], (shuffles, 1))
            stacked[:, where] = np.vstack([inputs[order[rows], where] for order in orders[name]])
            sums[name][:, rows] += tree.predict(stacked, check_input=False).reshape(shuffles, -1)
    # a trial from which every tree learned says nothing
    known = counts > 0
    truth, counts = target[known], counts[known]
    # of a half whose trials are all equal nothing can be explained
    spread = float(np.mean((truth - truth.mean()) ** 2)) or math.inf
    error = float(np.mean((truth - whole[known] / counts) ** 2))
    falls = {
        name: (float(np.mean((truth - total[:, known] / counts) ** 2)) - error) / spread for name, total in sums.items()
    }
    return 1 - error / spread, falls


def _order(active: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.int64]:
    """Return an order of the trials in which the active ones are shuffled."""
    order = np.arange(len(active))
    order[active] = random.permutation(order[active])
    return order
