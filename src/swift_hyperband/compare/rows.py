"""Making the rows of a comparison: replays of searches, and predictors judged on splits of a table.

All code that rows follow from is this module and what it imports: `compare.code` takes its digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from swift_hyperband.compare.accuracy import Judged, measure
from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.model_draws import draws
from swift_hyperband.replay.runs import Replay
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.replay.tables.reader import read
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.search.sampling import Sampling
from swift_hyperband.space.parameters import Space

if TYPE_CHECKING:
    from swift_hyperband.compare.comparison import Source
    from swift_hyperband.compare.store import Row


def table(source: Source) -> CurveTable:
    """Return the curves of a source."""
    return read(source.path, source.format, source.metric, source.mode, source.metric_at)


def replay(curves: CurveTable, max_epochs: int, sampling: Sampling, space: Space | None) -> Replay:
    """Return what replays searches over curves, with configurations drawn as `sampling` says."""
    complete = curves.complete(max_epochs)
    return Replay(complete, max_epochs, *draws(complete, sampling, space))


def run(replay: Replay, recipe: Recipe, cluster: ClusterSettings | None, seed: int) -> Row:
    """Return the row of a replay."""
    return next(replay.runs(recipe, [seed], cluster)).to_json()


def judged(curves: CurveTable, max_epochs: int) -> Judged:
    """Return the curves by which predictors are judged."""
    return Judged.of(curves, max_epochs)


def accuracy(judged: Judged, recipe: Recipe, epochs_seen: int, trained: int, seed: int) -> Row:
    """Return the row of the predictor of a recipe on one split."""
    r2, ranks = measure(judged, recipe.study.predictor(), epochs_seen, trained, seed)
    return {"seed": seed, "r2": r2, "rank_correlation": ranks}
