"""The units of work of a comparison: each makes a row for each seed, in a file of its own.

A unit replays one search over one table (`Pair`) or judges one predictor on one table (`Accuracy`). A row follows
from the unit's definition and the seed alone, so rows can be made anywhere, in any order.

`compare.rows` is imported where a row is made: it loads numpy, and threads are limited before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from swift_hyperband.base import files
from swift_hyperband.compare import code
from swift_hyperband.compare.comparison import Comparison, Source, file_name
from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.sampling import Sampling
from swift_hyperband.space.parameters import Space
from swift_hyperband.study.model import load

if TYPE_CHECKING:
    from swift_hyperband.compare.accuracy import Judged
    from swift_hyperband.compare.store import Row
    from swift_hyperband.replay.runs import Replay
    from swift_hyperband.replay.tables.table import CurveTable

RUNS, PREDICTIONS = "runs", "predictions"
"""Folders of the two kinds of units."""

QSVR_COST = 40.0
"""How much more a replay takes with an annealer simulated."""

LITTLE = 20_000.0
"""Units below this cost, of all their rows, share a job: a job takes two seconds to start, most of them for imports."""

EPOCHS = 100
"""Length of the curves of which the costs of searches are told."""


class Unit(Protocol):
    """A unit of work."""

    @property
    def source(self) -> Source:
        """The table."""

    @property
    def key(self) -> str:
        """Its file in the folder of the comparison, without the suffix."""

    @property
    def seeds(self) -> int:
        """How many rows are wanted, of seeds 0, 1, ..."""

    @property
    def columns(self) -> dict[str, type]:
        """Names and types of its rows' values, `seed` the first."""

    @property
    def definition(self) -> dict[str, Any]:
        """Everything that its rows follow from, beside the seed, in JSON's types."""

    @property
    def cost(self) -> float:
        """How long a row takes, in replays of Hyperband over 100 epochs: about a millisecond."""

    def check(self) -> None:
        """Raise a `UserError` if no row can be made."""

    def row(self, seed: int) -> Row:
        """Return the row of a seed."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A search over a table.

    Attributes
    ----------
    source : Source
    recipe : Recipe
    sampling : {"random", "tpe", "bohb"}
    cluster : ClusterSettings or None
    seeds : int
    baseline : bool
        Whether it is a baseline of the comparison.
    """

    source: Source
    recipe: Recipe
    sampling: Sampling
    cluster: ClusterSettings | None
    seeds: int
    baseline: bool = False

    columns: ClassVar[dict[str, type]] = {
        "seed": int,
        "best": float,
        "regret": float,
        "epochs": int,
        "hyperband_best": float,
        "hyperband_regret": float,
        "hyperband_epochs": int,
        "winner_stopped": bool,
        "kill_risk": float,
        "fits": int,
        "cpu_s": float,
        "makespan": float,
        "utilisation": float,
        "used_ahead": int,
        "in_vain": int,
    }

    @property
    def is_plain(self) -> bool:
        """Whether it is the Hyperband that all searches are compared with."""
        return self.recipe.is_plain and self.sampling == "random"

    @property
    def key(self) -> str:
        return f"{RUNS}/{file_name(self.source.name)}--{file_name(self.recipe.label)}"

    @property
    def definition(self) -> dict[str, Any]:
        study = self.recipe.study.definition
        return {
            **_table_definition(self.source),
            "draws": _space_definition(_space(self.source.draws)),
            "algorithm": self.recipe.algorithm,
            "search": study["search"],
            "swift": study["swift"],
            "predictor": study["predictor"],
            "fast": asdict(self.recipe.fast),
            "adaptive": asdict(self.recipe.adaptive),
            "sampling": self.sampling,
            "cluster": None if self.cluster is None else asdict(self.cluster),
        }

    @property
    def cost(self) -> float:
        annealed = self.recipe.study.definition["predictor"]["name"] == "qsvr"
        algorithm = ALGORITHMS[self.recipe.algorithm]
        size = self.source.max_epochs / EPOCHS
        return algorithm.cost * size * (QSVR_COST if annealed and algorithm.predicts else 1.0)

    def check(self) -> None:
        _replay(self.source, self.sampling)

    def row(self, seed: int) -> Row:
        row: Row = _making().run(_replay(self.source, self.sampling), self.recipe, self.cluster, seed)
        return row


@dataclass(frozen=True, eq=False)
class Accuracy:
    """A predictor on a table.

    Attributes
    ----------
    source : Source
    predictor : str
        What tables call it.
    recipe : Recipe
        A search that uses it.
    trained : int
        Curves that it learns from.
    seen : float
        Share of the epochs that it sees.
    seeds : int
        Splits.
    """

    source: Source
    predictor: str
    recipe: Recipe
    trained: int
    seen: float
    seeds: int

    columns: ClassVar[dict[str, type]] = {"seed": int, "r2": float, "rank_correlation": float}

    @property
    def key(self) -> str:
        return f"{PREDICTIONS}/{file_name(self.source.name)}--{file_name(self.predictor)}"

    @property
    def definition(self) -> dict[str, Any]:
        predictor = self.recipe.study.definition["predictor"]
        table = _table_definition(self.source)
        return {**table, "predictor": predictor, "trained": self.trained, "epochs_seen": self.epochs_seen}

    @property
    def epochs_seen(self) -> int:
        return max(1, round(self.seen * self.source.max_epochs))

    @property
    def cost(self) -> float:
        return 50.0 if self.recipe.study.definition["predictor"]["name"] == "qsvr" else 3.0

    def check(self) -> None:
        _judged(self.source).split(self.trained, 0)

    def row(self, seed: int) -> Row:
        row: Row = _making().accuracy(_judged(self.source), self.recipe, self.epochs_seen, self.trained, seed)
        return row


def pairs(comparison: Comparison) -> list[Pair]:
    """Return a pair for each table that is there and each search, in the order of the file."""
    return [
        Pair(
            source,
            comparison.recipes[source.name, search.label],
            search.sampling,
            comparison.cluster,
            comparison.seeds,
            search.baseline,
        )
        for source in comparison.sources
        for search in comparison.keys.searches
    ]


def accuracies(comparison: Comparison) -> list[Accuracy]:
    """Return, for each table that is there, the predictors that are judged on it."""
    asked = comparison.keys.predictions
    return [
        Accuracy(source, label, _predictor(source, preset, name), asked.trained, asked.seen, asked.splits)
        for source in comparison.sources
        for label, preset, name in JUDGED
        if name != "qsvr" or asked.qsvr
    ]


JUDGED = (
    # the value itself, without a shift, is what "published" makes of it
    ("last value", "published", "last-value"),
    ("linear (default)", "default", "linear"),
    ("SVR (published)", "published", "svr"),
    ("SVR (default)", "default", "svr"),
    ("QSVR (published)", "published", "qsvr"),
)
"""The predictors of the table of data sets: what it calls them, preset and name."""


def units(comparison: Comparison) -> Sequence[Unit]:
    """Return all units of a comparison."""
    return [*pairs(comparison), *accuracies(comparison)]


def jobs(comparison: Comparison) -> dict[str, list[Unit]]:
    """Return the units that each job of the workflow makes, by the job's name.

    A unit that takes long has a job of its own, of its name. The others of a table share one.
    """
    found: dict[str, list[Unit]] = {}
    for unit in units(comparison):
        shared = f"{RUNS}/{file_name(unit.source.name)}"
        found.setdefault(shared if whole_cost([unit]) < LITTLE else unit.key, []).append(unit)
    return found


def whole_cost(units: Iterable[Unit]) -> float:
    """Return how long all rows of units take, in replays of Hyperband over 100 epochs: about a millisecond."""
    return sum(unit.cost * unit.seeds for unit in units)


def table(source: Source) -> CurveTable:
    """Return the table of a source."""
    return _table(source)


def _predictor(source: Source, preset: str, name: str) -> Recipe:
    return recipe("swift-hyperband", source.max_epochs, source.eta, preset=preset, predictor={"name": name})


def _table_definition(source: Source) -> dict[str, Any]:
    return {
        "code": code.digest(),
        "table": _bytes(source.path),
        "format": source.format,
        "metric": source.metric,
        "mode": source.mode,
        "metric_at": source.metric_at,
        "max_epochs": source.max_epochs,
        "eta": source.eta,
    }


def _making() -> ModuleType:
    """Return the module that makes rows."""
    # numpy, which is of one thread only where it comes after `pool.single_threaded`
    from swift_hyperband.compare import rows

    return rows


# of each process: a table is read once, not for each row
@cache
def _bytes(path: Path) -> str:
    return files.digest(path)


@cache
def _table(source: Source) -> CurveTable:
    read: CurveTable = _making().table(source)
    return read


@cache
def _judged(source: Source) -> Judged:
    judged: Judged = _making().judged(_table(source), source.max_epochs)
    return judged


@cache
def _replay(source: Source, sampling: Sampling) -> Replay:
    replay: Replay = _making().replay(_table(source), source.max_epochs, sampling, _space(source.draws))
    return replay


@cache
def _space(study: Path | None) -> Space | None:
    return None if study is None else load(study, data=False).search_space()


def _space_definition(space: Space | None) -> Any:
    """Return a space in JSON's types, in its order."""
    if space is None:
        return None
    keys = [[name, type(keys).__name__, asdict(keys)] for name, keys in space.hyperparameters.items()]
    return {"hyperparameters": keys, "constraints": list(space.constraints)}
