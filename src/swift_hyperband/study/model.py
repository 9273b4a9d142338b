"""The study file: the model that validates it. Its JSON schema and the table of its keys are made from the model.

`load` reads a file, `parse` takes a mapping that was read already. Mistakes become one `UserError`, a line for each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from swift_hyperband.base.errors import InvalidKeysError, UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.base.wording import one_line, path_of, shown
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.algorithms import ALGORITHMS, Family
from swift_hyperband.search.batches import MINUTES
from swift_hyperband.search.fast_hyperband import FastSettings
from swift_hyperband.search.hopes import switch_or_share
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import Schedule
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.space import checks, draw, given
from swift_hyperband.space import draw as spaces
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.space.parameters import Space
from swift_hyperband.study import imported
from swift_hyperband.study.checks import LONGEST_WORD, batch_size_value, slug
from swift_hyperband.study.commands import check_placeholders
from swift_hyperband.study.files import check_ready
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.study.presets import filled
from swift_hyperband.study.reader import read
from swift_hyperband.study.section import FromKeys, Section, validated
from swift_hyperband.study.sections import Budget, Resources, Search
from swift_hyperband.study.space import Choice, FloatRange, IntRange
from swift_hyperband.study.target import ELSEWHERE, Target

NOT_DEFINING = frozenset(
    (
        *("results", "execution", "speculate", "resources", "retries", "give_up_after", "batch_size", "save_every"),
        *("keep_states", "fallback", "budget", "live", "earlier"),
    )
)
"""Keys that may change while a search runs: its result does not depend on them."""

SECTIONS = {Family.FAST_HYPERBAND: "fast", Family.ADAPTIVE: "adaptive"}
"""Sections that define the studies of one family of algorithms only."""

NAME = rf"[A-Za-z_][A-Za-z0-9_]{{0,{LONGEST_WORD - 1}}}"
"""Pattern of hyperparameters' names, which constraints and tables use."""
MOST_HYPERPARAMETERS = 1000
MOST_CONSTRAINTS = 1000
MOST_TRIALS = 1_000_000
"""Beyond it ids of 12 digits would collide, and nothing here is made for so many files."""


HyperparameterKeys = Annotated[FloatRange | IntRange | Choice, Field(discriminator="type")]


class Study(Section):
    """A study: what is searched, how, and with what."""

    name: Annotated[str, AfterValidator(slug)] = Field(description="Names the folder of the results, `results/<name>`.")
    target: Target = Field(description="The model to train, and the metric to optimise.")
    space: dict[str, HyperparameterKeys] = Field(
        min_length=1,
        max_length=MOST_HYPERPARAMETERS,
        description="The hyperparameters by name, with their ranges.",
        json_schema_extra={"propertyNames": {"pattern": f"^{NAME}$"}},
    )
    constraints: list[str] = Field(
        # not `list`: reading the signature of a builtin costs as much as the model
        default_factory=lambda: [],  # noqa: PIE807
        max_length=MOST_CONSTRAINTS,
        description="Conditions on configurations, such as `a * b <= 200`; others are drawn again.",
    )
    search: Search = Field(description="The algorithm and its size.")
    swift: Annotated[SwiftSettings, FromKeys()] = Field(
        default_factory=SwiftSettings, description="The settings with which Swift-Hyperband stops trials by prediction."
    )
    predictor: Annotated[PredictorSettings, FromKeys()] = Field(
        default_factory=PredictorSettings, description="The predictor of the end of a learning curve."
    )
    fast: Annotated[FastSettings, FromKeys()] = Field(
        default_factory=FastSettings, description="The settings of algorithm fast-hyperband."
    )
    adaptive: Annotated[AdaptiveSettings, FromKeys()] = Field(
        default_factory=AdaptiveSettings, description="The settings of algorithm adaptive-hyperband."
    )
    results: str = Field(
        default="results",
        min_length=1,
        description="Where the folder <name> of the results lies: below the working directory, or elsewhere, such as "
        "$SCRATCH/searches; variables of the environment are filled in. A started search goes on where it was moved.",
    )
    execution: Literal["rounds", "workers"] = Field(
        default="rounds",
        description="rounds: each batch of a round is a job; workers: long-lived jobs take one training after another.",
    )
    speculate: Annotated[bool | float, BeforeValidator(switch_or_share)] = Field(
        default=True,
        description="Whether workers without other work train ahead of a search in rounds; a number: most epochs "
        "ahead, as a share of those asked for so far. Used with execution workers.",
    )
    batch_size: Annotated[int | str, BeforeValidator(batch_size_value)] = Field(
        default="auto",
        description="Trials that a job trains, or how long it trains, such as 30min (short trainings share a job); "
        "auto: a round's trials are spread over resources.workers jobs.",
        json_schema_extra={
            "anyOf": [
                {"const": "auto"},
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": f"^{MINUTES}$", "examples": ["30min"]},
            ]
        },
    )
    save_every: int = Field(
        default=1, ge=1, description="Epochs between two saved states; a kill costs a trial at most as many."
    )
    resources: Resources = Field(default_factory=lambda: Resources(), description="The needs of a training job.")
    retries: int = Field(
        default=2,
        ge=0,
        description="A crashing trial starts again this often without gaining an epoch, then counts as failed.",
    )
    give_up_after: int = Field(
        default=5,
        ge=0,
        description="The search stops if this number of trials crash alike in their first epoch and no trial "
        "completes one; 0: never.",
    )
    fallback: Literal["stop", "simulated-annealing"] = Field(
        "stop", description="What to do if the sampler of a running search cannot answer."
    )
    budget: Budget = Field(default_factory=Budget, description="Limits of what the search may spend.")
    keep_states: bool = Field(
        default=False, description="Whether to keep the states of trials that are out of the search."
    )
    earlier: list[str] = Field(
        default_factory=lambda: [],  # noqa: PIE807
        description="Folders of earlier searches, such as results/small, whose trials this one goes on with where it "
        "draws the same ones, instead of training their epochs again.",
    )
    live: list[Literal["tensorboard"]] = Field(
        default=[], description="Tools that are told of each epoch while trials train (event files below tensorboard)."
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_preset(cls, raw: Any) -> Any:
        return filled(raw)

    @model_validator(mode="after")
    def _check_space(self) -> Self:
        if wrong := [name for name in self.space if not re.fullmatch(NAME, name)]:
            needed = "must be named by letters, digits and _, not starting with a digit"
            if len(wrong[0]) > LONGEST_WORD:
                needed = f"must have a name of at most {LONGEST_WORD} characters"
            raise InvalidKeysError(*((path_of(("space", name)), f"{needed}, found {shown(name)}") for name in wrong))
        if found := checks.problems(self.search_space()):
            raise InvalidKeysError(*found)
        return self

    @model_validator(mode="after")
    def _check_placeholders(self) -> Self:
        check_placeholders(self.target, self.space)
        return self

    @model_validator(mode="after")
    def _check_first(self) -> Self:
        # before the study is asked for its definition, which has them as draws would
        if found := given.mistakes(self.search_space(), self.search.first):
            raise InvalidKeysError(*((f"search.first{path}", text) for path, text in found))
        if (wrong := imported.problem(self)) is not None:
            raise InvalidKeysError(wrong)
        if (known := len(self.search.first)) and known > (room := self.supply().brackets[self.first_bracket][0].trials):
            needed = f"must hold at most {room} configurations, as so many start in bracket {self.first_bracket}"
            raise InvalidKeysError(("search.first", f"{needed}, found {known}"))
        return self

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if (count := self.supply().configurations) > MOST_TRIALS:
            key, found = "search.max_epochs", f"{self.search.max_epochs} with eta {self.search.eta}"
            if self.search.trials is not None:
                key, found = "search.trials", ""
            problem = f"must make a search of at most {MOST_TRIALS} trials, found"
            raise InvalidKeysError((key, f"{problem} {count} ({found})" if found else f"{problem} {count}"))
        return self

    @model_validator(mode="after")
    def _check_full(self) -> Self:
        search = self.search
        full = search.full or self.swift.d
        algorithm = ALGORITHMS[search.algorithm]
        if algorithm.random and algorithm.predicts and search.trials is not None and search.trials <= full:
            problem = f"must be more than the {full} that train fully (swift.d), found {search.trials}"
            raise InvalidKeysError(("search.trials", problem))
        return self

    @property
    def metric(self) -> Metric:
        """Return what the search minimises or maximises."""
        return Metric(self.target.metric, self.target.mode, self.target.metric_at)

    def schedule(self) -> Schedule:
        """Return the brackets and rounds of the search."""
        return self.frozen().schedule()

    def supply(self) -> Schedule:
        """Return the schedule from whose brackets the search takes its trials."""
        return self.frozen().supply()

    def rules(self) -> Rules:
        """Return the rules of the search's decisions."""
        return self.frozen().rules()

    def search_space(self) -> Space:
        """Return the space from which configurations are drawn."""
        return Space({name: keys.core() for name, keys in self.space.items()}, tuple(self.constraints))

    @property
    def first_bracket(self) -> int:
        """The bracket that begins first; the given configurations have its first slots."""
        return next(iter(self.supply().brackets))

    def first_configurations(self, bracket: int) -> list[dict[str, Scalar]]:
        """Return the configurations that the user gave for the first slots of a bracket."""
        return self._first() if self.search.first and bracket == self.first_bracket else []

    def _first(self) -> list[dict[str, Scalar]]:
        return [given.as_drawn(self.search_space(), configuration) for configuration in self.search.first]

    def slots(self, bracket: int) -> dict[str, int]:
        """Return the slots of the trials that start in a bracket, by trial id in order of the ids.

        Without rounds, where trials begin in this order, those with given configurations come first.
        """
        slots = range(self.supply().brackets[bracket][0].trials)
        found = sorted((spaces.trial_id(self.search.seed, bracket, slot), slot) for slot in slots)
        if not ALGORITHMS[self.search.algorithm].synchronous:
            first = len(self.first_configurations(bracket))
            found.sort(key=lambda item: item[1] >= first)
        return dict(found)

    def configuration(self, bracket: int, slot: int) -> dict[str, Scalar]:
        """Return the configuration in a slot of a bracket.

        Raises
        ------
        UserError
            If the constraints leave none.
        """
        first = self.first_configurations(bracket)
        return first[slot] if slot < len(first) else spaces.draw(self.search_space(), self.search.seed, bracket, slot)

    def trials(self, bracket: int) -> dict[str, tuple[int, dict[str, Scalar]]]:
        """Return slot and configuration of the trials that start in a bracket, by trial id in order of the ids.

        Raises
        ------
        UserError
            If the constraints leave no configuration for a slot.
        """
        space, seed, first = self.search_space(), self.search.seed, self.first_configurations(bracket)
        return {
            trial: (slot, first[slot] if slot < len(first) else spaces.draw(space, seed, bracket, slot))
            for trial, slot in self.slots(bracket).items()
        }

    def definition(self) -> dict[str, Any]:
        """Return the keys that define the study, in JSON's types; presets are spelled out, without their name."""
        found = self.model_dump(mode="json", exclude=set(NOT_DEFINING))
        del found["swift"]["preset"]
        for family, section in SECTIONS.items():
            # also so that the definitions of other algorithms are those of earlier versions
            if ALGORITHMS[self.search.algorithm].family is not family:
                del found[section]
        # as in files of versions without these keys
        if found["search"]["sampling"] == "random":
            del found["search"]["sampling"]
        if not self.search.seed_per_trial:
            del found["search"]["seed_per_trial"]
        del found["search"]["first"]
        if self.search.first:
            found["search"]["first"] = self._first()
        if (file := found["search"].pop("imported")) is not None:
            found["search"]["imported"] = imported.as_frozen(file)
        return found

    def settings(self) -> dict[str, Any]:
        """Return the keys that may change while the search runs, in JSON's types."""
        return self.model_dump(mode="json", include=set(NOT_DEFINING))

    def frozen(self) -> FrozenStudy:
        """Return the study as the jobs of a search read it."""
        return FrozenStudy(self.definition(), self.settings())


def load(path: Path, data: bool = True) -> Study:
    """Read and validate a study file.

    Parameters
    ----------
    path : Path
    data : bool
        As of `files.check_ready`.

    Raises
    ------
    UserError
        As `read`, `parse` and `check_ready`.
    """
    study = parse(read(path), str(path))
    check_ready(study, str(path), data)
    return study


def parse(raw: Mapping[str, Any], where: str, here: bool = True) -> Study:
    """Validate a study that was read from the file `where`.

    `here` says whether the target must be found from the working directory; not where results are only read.

    Raises
    ------
    KeysError
        A line for each mistake.
    UserError
        If the constraints leave no configuration for a trial.
    """
    study = validated(Study, raw, where, None if here else ELSEWHERE)
    if study.constraints:
        # constraints may leave no configuration for a trial; that must show now, not in the middle of the search
        starts = {bracket: rounds[0].trials for bracket, rounds in study.supply().brackets.items()}
        try:
            draw.check_room(study.search_space(), study.search.seed, starts)
        except UserError as error:
            raise UserError(f"{where}: {one_line(str(error))}") from None
    return study
