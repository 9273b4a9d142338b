"""A frozen study, as each job of the workflow reads it: without validation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from swift_hyperband.base import keys
from swift_hyperband.base.errors import Problem
from swift_hyperband.base.metric import Metric
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.fast_hyperband import FastSettings
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.sampling import Sampling
from swift_hyperband.search.schedule import Schedule
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.search.start import SearchSettings, most_epochs, supplied
from swift_hyperband.space.parameters import Categorical, Float, Hyperparameter, Int, Space

BEFORE: Mapping[str, Mapping[str, Any]] = {
    "swift": {
        "pay_extra": False,
        "margin_later": 2.0,
        "widened": 3,
        "pay_extra_below": 0.3,
        "expected_share": 0.25,
        "teachers": "reference",
        "reference": 0,
        "places": 1.0,
        "thaw": 0.0,
        "thaw_chance": 0.1,
    },
    "predictor": {"fewest_curves": 3, "far": 1e6, "values": "loss", "errors": "common"},
}
"""Values of keys for studies that were frozen before the keys existed; later changes of defaults do not matter."""


def completed(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a frozen definition with the keys that came later, at the values of BEFORE.

    It has every key that decides, so that decisions do not depend on defaults.
    """
    return dict(definition) | {section: {**before, **definition.get(section, {})} for section, before in BEFORE.items()}


@dataclass(frozen=True)
class FrozenStudy:
    """The content of study.json and settings.json: a study with all defaults and presets spelled out.

    Attributes
    ----------
    definition : mapping
        As `Study.definition` returns it.
    settings : mapping
        As `Study.settings` returns it.
    """

    definition: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.definition["name"])

    @property
    def metric(self) -> Metric:
        return Metric.of_target(self.definition["target"])

    @property
    def max_epochs(self) -> int:
        return int(self.definition["search"]["max_epochs"])

    @property
    def seed(self) -> int:
        return int(self.definition["search"]["seed"])

    @property
    def sampling(self) -> Sampling:
        """Who draws configurations."""
        # a definition has the key only if a model does
        found: Sampling = self.definition["search"].get("sampling", "random")
        return found

    @property
    def imported(self) -> str | None:
        """The digest of the file with imported trials that teach; None without one."""
        found: str | None = self.definition["search"].get("imported")
        return found

    @property
    def keep_states(self) -> bool:
        return bool(self.settings["keep_states"])

    @property
    def execution(self) -> str:
        """Who trains: the jobs of rounds, or workers that stay."""
        # older settings lack the key
        return str(self.settings.get("execution", "rounds"))

    @property
    def speculate(self) -> bool | float:
        """Whether workers train ahead, or by which share of the epochs that were asked for so far."""
        # older settings lack the key
        found = self.settings.get("speculate", True)
        return found if isinstance(found, bool) else float(found)

    @property
    def fallback(self) -> str:
        """The reaction to an annealer that cannot answer: stop, or simulated-annealing."""
        return str(self.settings["fallback"])

    @property
    def retries(self) -> int:
        return int(self.settings["retries"])

    @property
    def save_every(self) -> int:
        return int(self.settings["save_every"])

    @property
    def live(self) -> tuple[str, ...]:
        """Tools that are told of each epoch."""
        # older settings lack the key
        return tuple(self.settings.get("live", ()))

    @property
    def give_up_after(self) -> int:
        """After how many trials that crash alike in their first epoch the search stops, if no trial completes one."""
        return int(self.settings.get("give_up_after", 0))

    @property
    def side_by_side(self) -> int:
        """Trials that train at the same time in a job."""
        return int(self.settings["resources"]["side_by_side"])

    @property
    def workers(self) -> int:
        """Training jobs at a time."""
        return int(self.settings["resources"]["workers"])

    @property
    def cpus(self) -> int:
        """Cores that a training job holds."""
        return int(self.definition["target"]["threads"]) * self.side_by_side

    @property
    def gpus(self) -> int:
        """GPUs that a training job holds."""
        return int(self.settings["resources"]["gpus"])

    @property
    def needs_gpu(self) -> bool:
        """Whether a training job must see a GPU."""
        # older settings lack the key
        return self.gpus > 0 and bool(self.settings["resources"].get("gpus_required", True))

    @property
    def algorithm(self) -> str:
        return str(self.definition["search"]["algorithm"])

    def schedule(self) -> Schedule:
        """Return the brackets and rounds of the search; those of a search without rounds are its rungs."""
        found = ALGORITHMS[self.algorithm].schedule(self.definition["search"], self.swift())
        # with further curves to learn from no round idles
        return found.idling(0 if self.imported is not None else self.predictor().fewest_curves)

    def supply(self) -> Schedule:
        """Return the schedule from whose brackets the search takes its trials; more than its own if it adapts."""
        return supplied(self.algorithm, self.schedule(), self.adaptive())

    def most_epochs(self) -> int | None:
        """Return how many epochs a search without rounds trains at most; None where only a useless bound is known."""
        return most_epochs(self.algorithm, self.schedule(), self.adaptive())

    def settings_of_search(self) -> SearchSettings:
        """Return the settings from which its search is made."""
        fast = keys.build(FastSettings, self.definition.get("fast", {}))
        return SearchSettings(self.rules(), fast, self.adaptive())

    def adaptive(self) -> AdaptiveSettings:
        """Return the settings of adaptive Hyperband."""
        return keys.build(AdaptiveSettings, self.definition.get("adaptive", {}))

    def space(self) -> Space:
        """Return the space from which configurations are drawn."""
        parameters = {name: _parameter(keys) for name, keys in self.definition["space"].items()}
        return Space(parameters, tuple(self.definition["constraints"]))

    def swift(self) -> SwiftSettings:
        """Return the settings of Swift-Hyperband."""
        return keys.build(SwiftSettings, completed(self.definition)["swift"])

    def predictor(self) -> PredictorSettings:
        """Return the settings of the predictor, with the seed and the budget of its sampler."""
        found = keys.build(PredictorSettings, completed(self.definition)["predictor"])
        seed = self.definition["search"]["seed"] % 2**31
        sampler = replace(found.sampler, seed=seed, budget=self.settings["budget"]["annealer_seconds"])
        return replace(found, sampler=sampler)

    def rules(self) -> Rules:
        """Return the rules of the search's decisions."""
        return Rules(self.swift(), self.predictor())


def _parameter(keys: Mapping[str, Any]) -> Hyperparameter:
    when = {name: tuple(values) for name, values in keys["when"].items()} or None
    match keys["type"]:
        case "float":
            return Float(keys["low"], keys["high"], keys["log"], when)
        case "int":
            return Int(keys["low"], keys["high"], keys["log"], when)
        case _:
            return Categorical(tuple(keys["choices"]), when)


def differences(frozen: Mapping[str, Any], now: Mapping[str, Any]) -> list[Problem]:
    """Return how two definitions differ, by key: ("search.max_epochs", "is 27 in the frozen study, 81 now")."""
    found: list[Problem] = []

    def compare(before: Any, after: Any, path: str) -> None:
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            for key in dict.fromkeys([*before, *after]):
                below = f"{path}.{key}" if path else key
                if key not in after:
                    found.append((below, "is in the frozen study, not now"))
                elif key not in before:
                    found.append((below, "is not in the frozen study"))
                else:
                    compare(before[key], after[key], below)
        elif before != after:
            found.append((path, f"is {json.dumps(before)} in the frozen study, {json.dumps(after)} now"))

    compare(frozen, now, "")
    return found
