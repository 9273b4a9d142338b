"""The searches that can be replayed, by name, with all their settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import one_of, shown, suggestion
from swift_hyperband.search import Search
from swift_hyperband.search.asha import AshaSearch
from swift_hyperband.search.fast_hyperband import FastHyperbandSearch, FastSettings
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import Schedule, hyperband, swift_hyperband
from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.study.frozen import FrozenStudy

NAMES = {
    "random": "Random search",
    "predicted-random": "Random search with a predictor",
    "hyperband": "Hyperband",
    "fast-hyperband": "Fast-Hyperband",
    "swift-hyperband": "Swift-Hyperband",
    "asha": "ASHA",
    "swift-asha": "Swift-ASHA",
}
"""Every search, and what pictures and tables call it."""

_LIKE = {"fast-hyperband": "hyperband", "asha": "hyperband", "swift-asha": "swift-hyperband"}
"""The study that has the settings of a search which the workflow does not run."""


@dataclass(frozen=True)
class Recipe:
    """A search with all its settings, from which a fresh one is made for each replay.

    Attributes
    ----------
    label : str
        What pictures and tables call it.
    algorithm : str
        One of `NAMES`.
    study : FrozenStudy
        Its settings, as a study has them.
    fast : FastSettings
        Those of Fast-Hyperband.
    repeats : int
        How often all brackets are run with fresh configurations, curves and predictors kept from one to the next.
    """

    label: str
    algorithm: str
    study: FrozenStudy
    fast: FastSettings = field(default_factory=FastSettings)
    repeats: int = 1

    @property
    def max_epochs(self) -> int:
        return self.study.max_epochs

    @property
    def synchronous(self) -> bool:
        """Whether its result does not depend on the order in which trainings end."""
        return self.algorithm not in ("fast-hyperband", "asha", "swift-asha")

    @cached_property
    def schedule(self) -> Schedule:
        """Brackets and rounds; those of an asynchronous search are its rungs."""
        search = self.study.definition["search"]
        size = search["max_epochs"], search["eta"], search["brackets"]
        if self.algorithm in ("hyperband", "fast-hyperband", "asha", "swift-asha"):
            return hyperband(*size, self.repeats)
        if self.algorithm == "swift-hyperband":
            return swift_hyperband(*size[:2], self.study.swift(), size[2], self.repeats)
        return self.study.schedule()

    @property
    def plain(self) -> Recipe:
        """Hyperband of the same size, once."""
        return replace(self, algorithm="hyperband", label=NAMES["hyperband"], repeats=1)

    def prepare(self) -> None:
        """Import what its predictor needs, so that the first replay is not charged with it."""
        from importlib import import_module

        if self.algorithm not in ("random", "hyperband", "asha"):
            names = {"svr": "svr", "qsvr": "annealed", "last-value": "last_value"}
            import_module(f"swift_hyperband.predictors.{names[self._rules.predictor.name]}")

    def start(self, trials: Mapping[int, Sequence[str]]) -> Search:
        """Return a new search over trials, by bracket."""
        rules = self._rules
        if self.algorithm == "fast-hyperband":
            return FastHyperbandSearch(self.schedule, trials, self.fast, rules.predictor)
        if self.algorithm == "asha":
            return AshaSearch(self.schedule, trials)
        if self.algorithm == "swift-asha":
            return AshaSearch(self.schedule, trials, rules)
        return ScheduledSearch(self.schedule, trials, rules)

    @cached_property
    def _rules(self) -> Rules:
        return self.study.rules()


def recipe(
    algorithm: str,
    max_epochs: int,
    eta: int,
    *,
    where: str = "search",
    label: str | None = None,
    preset: str = "default",
    brackets: Collection[int] | None = None,
    trials: int | None = None,
    full: int | None = None,
    swift: Mapping[str, Any] | None = None,
    predictor: Mapping[str, Any] | None = None,
    fast: FastSettings | None = None,
    repeats: int = 1,
) -> Recipe:
    """Return a search by name.

    Parameters
    ----------
    algorithm : str
        One of `NAMES`.
    max_epochs, eta, brackets, trials, full
        As the section `search` of a study has them.
    where : str
        What error messages begin with.
    label : str, optional
        What pictures and tables call it; the algorithm's name, with what is special about it, if left out.
    preset : {"default", "published"}
        Fills what `swift` and `predictor` leave out.
    swift, predictor : mapping, optional
        As the sections of a study.
    fast : FastSettings, optional
        Of Fast-Hyperband.
    repeats : int
        As `Recipe.repeats`.

    Raises
    ------
    UserError
        If a setting does not hold.
    """
    from swift_hyperband.study.model import parse

    if algorithm not in NAMES:
        raise UserError(f"{where}: must be {one_of(NAMES)}, found {shown(algorithm)}{suggestion(algorithm, NAMES)}")
    search = {
        "algorithm": _LIKE.get(algorithm, algorithm),
        "max_epochs": max_epochs,
        "eta": eta,
        "brackets": None if brackets is None else list(brackets),
        "trials": trials,
        "full": full,
    }
    study = parse(
        {
            "name": "replay",
            "target": {"name": "curve-table", "metric": "loss", "mode": "min"},
            "space": {"row": {"type": "int", "low": 0, "high": 1}},
            "search": search,
            "swift": {"preset": preset, **(swift or {})},
            "predictor": dict(predictor or {}),
        },
        where,
    )
    name = study.predictor.name
    return Recipe(label or _label(algorithm, preset, name), algorithm, study.frozen(), fast or FastSettings(), repeats)


def _label(algorithm: str, preset: str, predictor: str) -> str:
    if algorithm not in ("predicted-random", "fast-hyperband", "swift-hyperband", "swift-asha"):
        return NAMES[algorithm]
    quantum = "Quantum-" if predictor == "qsvr" else ""
    special = [preset] if preset != "default" else []
    special += [predictor] if predictor == "last-value" else []
    return f"{quantum}{NAMES[algorithm]}" + (f" ({', '.join(special)})" if special else "")
