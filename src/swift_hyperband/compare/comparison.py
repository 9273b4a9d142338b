"""The file of a comparison: its searches, tables and seeds, and the simulated cluster.

`load` reads and checks it, without reading the tables of curves. Mistakes become one `UserError`, a line for each.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from swift_hyperband.base.errors import InvalidKeysError, UserError
from swift_hyperband.base.metric import At
from swift_hyperband.base.wording import shown
from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.algorithms import Name
from swift_hyperband.search.fast_hyperband import FastSettings
from swift_hyperband.study.checks import slug
from swift_hyperband.study.reader import read
from swift_hyperband.study.section import FromKeys, Section, validated


def _by_name(value: object) -> object:
    """Take a predictor's name for its settings."""
    return {"name": value} if isinstance(value, str) else value


class TableKeys(Section):
    """A table of learning curves."""

    name: str = Field(min_length=1, description="What pictures and tables call it.")
    path: str = Field(description="The file, in the folder of curves or, where it is not there, from here.")
    format: Literal["mlpf", "cifar10", "ptb", "svhn", "long"] | None = Field(
        default=None, description="Who wrote it; null: guessed from the file."
    )
    metric: str | None = Field(default=None, description="The metric to optimise, where there are several.")
    mode: Literal["min", "max"] | None = Field(default=None, description="Whether it is minimised or maximised.")
    metric_at: Literal["last", "best"] = Field(
        default="last", description="Which epoch of a curve counts: the last one, or the best one so far."
    )
    max_epochs: int = Field(ge=2, description="R, the most epochs that any trial trains.")
    eta: int = Field(ge=2, description="One in eta trials is promoted from a round to the next.")
    draws: str | None = Field(
        default=None,
        description="A study file, from whose space configurations are drawn; null: rows in random order.",
    )
    model: str | None = Field(default=None, description="What was trained, for the table of the data sets.")
    source: str | None = Field(default=None, description="Where it is published, told where it is missing.")
    record: str | None = Field(
        default=None,
        description="The study file that 'swift-hyperband record' makes it from, told where it is missing; path is "
        "then relative to the working directory.",
    )

    @property
    def origin(self) -> str:
        """How a user gets it, in the words of a message; nothing if the file does not say."""
        if self.record is not None:
            return f"make it with: swift-hyperband record {shlex.quote(self.record)}"
        return f"get it from {self.source}" if self.source is not None else ""

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.max_epochs < self.eta:
            raise InvalidKeysError(("max_epochs", f"must be at least eta ({self.eta}), found {self.max_epochs}"))
        return self


class SearchKeys(Section):
    """A search with its settings, the same for all tables."""

    label: str = Field(min_length=1, description="What pictures and tables call it.")
    search: Name = Field(description="The algorithm.")
    preset: Literal["default", "published", "bold"] = Field(
        default="default", description="Fills what predictor and swift leave out."
    )
    predictor: Annotated[dict[str, Any], BeforeValidator(_by_name)] = Field(
        default_factory=dict, description="The predictor's name, or its settings as a study has them."
    )
    swift: dict[str, Any] = Field(default_factory=dict, description="Settings of Swift-Hyperband, as a study has them.")
    fast: Annotated[FastSettings, FromKeys()] = Field(
        default_factory=FastSettings, description="Settings of Fast-Hyperband."
    )
    adaptive: Annotated[AdaptiveSettings, FromKeys()] = Field(
        default_factory=AdaptiveSettings, description="Settings of adaptive Hyperband."
    )
    brackets: list[int] | None = Field(default=None, description="Which brackets to run; null: all.")
    trials: int | None = Field(default=None, description="Trials of a random search; null: as Hyperband pays for.")
    full: int | None = Field(default=None, description="How many of them train fully (predicted-random, one-epoch).")
    baseline: bool = Field(
        default=False, description="Whether it is a baseline: where it beats another search, tables say so."
    )
    sampling: Literal["random", "tpe", "bohb"] = Field(
        default="random", description="Who draws configurations, as in a study."
    )


class PredictionKeys(Section):
    """How the predictors are judged for the table of the data sets."""

    splits: int = Field(default=50, ge=2, le=100_000, description="Random divisions of a table.")
    trained: int = Field(default=20, ge=3, description="Curves that a predictor learns from.")
    seen: float = Field(default=0.25, gt=0, lt=1, description="Share of the epochs that it sees.")
    qsvr: bool = Field(default=True, description="Whether to judge the QSVR too, which takes a minute.")


class ComparisonKeys(Section):
    """The whole file."""

    name: Annotated[str, AfterValidator(slug)] = Field(description="Names the folder, `results/compare/<name>`.")
    seeds: int = Field(
        default=100, ge=1, le=100_000, description="Replays of each search over each table, seeds 0, 1, ..."
    )
    curves: str = Field(default="curves", description="The folder in which the tables lie.")
    tables: list[TableKeys] = Field(min_length=1, description="The tables of curves.")
    searches: list[SearchKeys] = Field(min_length=1, description="The searches.")
    cluster: Annotated[ClusterSettings, FromKeys()] | None = Field(
        default=None, description="A simulated cluster; null: one worker."
    )
    predictions: PredictionKeys = Field(default_factory=PredictionKeys, description="How predictors are judged.")

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        """Check that no two files of runs are one."""
        for key, names in {
            "tables[{}].name": [table.name for table in self.tables],
            "searches[{}].label": [search.label for search in self.searches],
        }.items():
            for number, name in enumerate(names):
                if not file_name(name):
                    raise InvalidKeysError((key.format(number), f"must have a letter or digit, found {shown(name)}"))
                for other in names[:number]:
                    if file_name(name) == file_name(other):
                        text = f"must differ from the others in letters and digits, found {shown(name)} and "
                        raise InvalidKeysError((key.format(number), text + shown(other)))
        return self


@dataclass(frozen=True)
class Source:
    """Where the curves of a table come from, and how they are replayed.

    Attributes
    ----------
    name : str
    path : Path
    format, metric, mode : str or None
    metric_at : {"last", "best"}
        As `replay.tables.reader.read` takes them.
    max_epochs, eta : int
    draws : Path or None
        The study from whose space configurations are drawn.
    model : str or None
    """

    name: str
    path: Path
    format: str | None
    metric: str | None
    mode: str | None
    metric_at: At
    max_epochs: int
    eta: int
    draws: Path | None
    model: str | None


@dataclass(frozen=True)
class Comparison:
    """A comparison, checked.

    Attributes
    ----------
    keys : ComparisonKeys
    where : str
        The file.
    folder : Path
        Of the tables.
    seeds : int
    sources : list of Source
        The tables that are there.
    absent : list of str
        A line for each table that is not.
    recipes : dict
        By name of the table and label of the search.
    """

    keys: ComparisonKeys
    where: str
    folder: Path
    seeds: int
    sources: list[Source]
    absent: list[str]
    recipes: Mapping[tuple[str, str], Recipe]

    @property
    def name(self) -> str:
        return self.keys.name

    @property
    def cluster(self) -> ClusterSettings | None:
        return self.keys.cluster

    @property
    def notes(self) -> list[str]:
        """A line for each search that differs on the cluster, whatever the table."""
        workers = 1 if self.cluster is None else self.cluster.workers
        found = {label: recipe.note(workers) for (_, label), recipe in self.recipes.items()}
        return [f"{label}: {note}" for label, note in found.items() if note is not None]


def file_name(text: str) -> str:
    """Return a name for a file: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def load(path: Path, curves: Path | None = None, seeds: int | None = None) -> Comparison:
    """Read and check the file of a comparison.

    Parameters
    ----------
    path : Path
    curves : Path, optional
        Where the tables lie, in the place of what the file says.
    seeds : int, optional
        In the place of what the file says.

    Raises
    ------
    UserError
        A line for each mistake; or that all of its tables are missing, and where to get them.
    """
    if not path.is_file():
        raise UserError(f"{path}: must be the file of a comparison, found no such file; mend the path")
    raw = read(path)
    keys = validated(ComparisonKeys, raw, str(path))
    folder = Path(keys.curves) if curves is None else curves
    mistakes: dict[str, None] = {}
    recipes: dict[tuple[str, str], Recipe] = {}
    for number, search in enumerate(keys.searches):
        for table in keys.tables:
            try:
                recipes[table.name, search.label] = _recipe(search, table, f"{path}: searches[{number}]")
            except UserError as error:
                mistakes |= dict.fromkeys(str(error).splitlines())
    for number, table in enumerate(keys.tables):
        if table.draws is not None and not Path(table.draws).is_file():
            mistakes[f"{path}: tables[{number}].draws must be a study file, found no file {table.draws}"] = None
    if mistakes:
        raise UserError("\n".join(mistakes))
    sources = [_source(table, folder) for table in keys.tables]
    there = [source for source in sources if source.path.is_file()]
    absent = [(table, source.path) for table, source in zip(keys.tables, sources, strict=True) if source not in there]
    if not there:
        raise UserError(_where_to_get(path, folder, [table for table, _ in absent]))
    skipped = [
        f"{table.name}: skipped, there is no {missing}" + (f"; {table.origin}" if table.origin else "")
        for table, missing in absent
    ]
    return Comparison(keys, str(path), folder, keys.seeds if seeds is None else seeds, there, skipped, recipes)


def _where_to_get(path: Path, folder: Path, tables: Sequence[TableKeys]) -> str:
    by_source: dict[str, list[str]] = {}
    # recorded tables do not lie in the folder
    published = [table for table in tables if table.record is None]
    if not published:
        ways = "; ".join(table.origin for table in tables)
        return f"{path}: at least one of its tables must be there, found none; {ways}"
    for table in published:
        by_source.setdefault(f" from {table.source}" if table.source else "", []).append(table.path)
    files = "; ".join(" and ".join(paths) + source for source, paths in by_source.items())
    return (
        f"{path}: at least one of its tables must be in the folder {folder}, found none; put there {files}; or name "
        "another folder with --curves or the key curves"
    )


def _source(table: TableKeys, folder: Path) -> Source:
    path = folder / table.path
    if table.record is not None or (not path.is_file() and Path(table.path).is_file()):
        path = Path(table.path)
    return Source(
        table.name,
        path,
        table.format,
        table.metric,
        table.mode,
        table.metric_at,
        table.max_epochs,
        table.eta,
        None if table.draws is None else Path(table.draws),
        table.model,
    )


def _recipe(search: SearchKeys, table: TableKeys, where: str) -> Recipe:
    return recipe(
        search.search,
        table.max_epochs,
        table.eta,
        where=where,
        label=search.label,
        preset=search.preset,
        brackets=search.brackets,
        trials=search.trials,
        full=search.full,
        swift=search.swift,
        predictor=search.predictor,
        fast=search.fast,
        adaptive=search.adaptive,
        sampling=search.sampling,
    )
