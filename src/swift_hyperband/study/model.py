"""The study file: the model that validates it. Its JSON schema and the table of its keys are made from the model.

`load` reads a file, `parse` takes a mapping that was read already. Mistakes become one `UserError`, a line for each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from swift_hyperband.base.errors import InvalidKeysError, UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.base.wording import one_line, path_of, shown
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.batches import MINUTES
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import Schedule
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.space import checks, draw
from swift_hyperband.space import draw as spaces
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.space.parameters import Space
from swift_hyperband.study.checks import LONGEST_WORD, batch_size_value, braces, slug
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.study.presets import PRESETS, PUBLISHED_QSVR
from swift_hyperband.study.reader import read
from swift_hyperband.study.section import FromKeys, Section, validated
from swift_hyperband.study.sections import Budget, Resources, Search
from swift_hyperband.study.space import Choice, FloatRange, IntRange
from swift_hyperband.study.target import Target
from swift_hyperband.targets import recorded
from swift_hyperband.targets.program.target import COUNTS, MAX_EPOCHS, PLACEHOLDERS
from swift_hyperband.targets.program.template import Placeholder, in_braces, placeholders, words

NOT_DEFINING = frozenset(
    (
        *("execution", "resources", "retries", "give_up_after", "batch_size", "save_every", "keep_states"),
        *("fallback", "budget"),
    )
)
"""Keys that may change while a search runs: its result does not depend on them."""

OWN = frozenset(("state_out", "folder", "trial", "config", "metrics"))
"""Placeholders with another value for each trial."""

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
    execution: Literal["rounds", "workers"] = Field(
        default="rounds",
        description="rounds: each batch of a round is a job; workers: long-lived jobs take one training after another.",
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

    @model_validator(mode="before")
    @classmethod
    def _fill_preset(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or not isinstance(swift := raw.get("swift", {}), Mapping):
            return raw
        preset = PRESETS.get(str(swift.get("preset", "default")), {})
        given = {section: raw.get(section, {}) for section in preset}
        filled = {section: {**preset[section], **keys} for section, keys in given.items() if isinstance(keys, Mapping)}
        if swift.get("preset") == "published" and filled.get("predictor", {}).get("name") == "qsvr":
            keys = given["predictor"]
            filled["predictor"] |= {**PUBLISHED_QSVR, **keys}
            if isinstance(keys.get("qsvr"), Mapping):
                filled["predictor"]["qsvr"] = {**PUBLISHED_QSVR["qsvr"], **keys["qsvr"]}
        return {**raw, **filled}

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
        target = self.target
        commands = {"command": target.command, "first_command": target.first_command}
        texts = [(key, word) for key, command in commands.items() if command is not None for word in words(command)]
        if target.metrics is None:
            # a segment command gets options, and its braces stay as they are
            for key, word in texts:
                if found := in_braces(word):
                    problem = "must have names in braces that are left out, as there is no target.metrics"
                    raise InvalidKeysError((f"target.{key}", f"{problem}, found {found[0]}"))
            return self
        if target.metrics.path is not None:
            texts.append(("metrics.path", target.metrics.path))
        if taken := [name for name in self.space if name in PLACEHOLDERS]:
            needed = f"must have another name than what target.command has ({', '.join(PLACEHOLDERS)})"
            raise InvalidKeysError(*((f"space.{name}", f"{needed}, found {name}; rename it") for name in taken))
        known: dict[str, Sequence[Scalar]] = {name: keys.examples() for name, keys in self.space.items()}
        for name in (*PLACEHOLDERS, MAX_EPOCHS):
            known.setdefault(name, [1] if name in COUNTS else ["text"])
        for key, text in texts:
            try:
                braces(text, known)
            except InvalidKeysError as error:
                raise InvalidKeysError((f"target.{key}", error.problems[0][1])) from None
        return self

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if (count := self.schedule().configurations) > MOST_TRIALS:
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

    def rules(self) -> Rules:
        """Return the rules of the search's decisions."""
        return self.frozen().rules()

    def search_space(self) -> Space:
        """Return the space from which configurations are drawn."""
        return Space({name: keys.core() for name, keys in self.space.items()}, tuple(self.constraints))

    def trials(self, bracket: int) -> dict[str, tuple[int, dict[str, Scalar]]]:
        """Return slot and configuration of the trials that start in a bracket, by trial id in order of the ids.

        Raises
        ------
        UserError
            If the constraints leave no configuration for a slot.
        """
        space, seed = self.search_space(), self.search.seed
        slots = range(self.schedule().brackets[bracket][0].trials)
        drawn = {spaces.trial_id(seed, bracket, slot): slot for slot in slots}
        return {trial: (drawn[trial], spaces.draw(space, seed, bracket, drawn[trial])) for trial in sorted(drawn)}

    def definition(self) -> dict[str, Any]:
        """Return the keys that define the study, in JSON's types; presets are spelled out, without their name."""
        found = self.model_dump(mode="json", exclude=set(NOT_DEFINING))
        del found["swift"]["preset"]
        return found

    def settings(self) -> dict[str, Any]:
        """Return the keys that may change while the search runs, in JSON's types."""
        return self.model_dump(mode="json", include=set(NOT_DEFINING))

    def frozen(self) -> FrozenStudy:
        """Return the study as the jobs of a search read it."""
        return FrozenStudy(self.definition(), self.settings())


def check_data(study: Study, where: str) -> None:
    """Check that a table of curves holds everything that a search may read from it.

    Raises
    ------
    UserError
        If the table lacks something that the search may ask for.
    """
    if study.target.name != "curve-table":
        return

    drawn = (
        configuration for bracket in study.schedule().brackets for _, configuration in study.trials(bracket).values()
    )
    try:
        recorded.check(study.target.options, drawn, study.search.max_epochs, study.target.metric)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def load(path: Path, data: bool = True) -> Study:
    """Read and validate a study file.

    Parameters
    ----------
    path : Path
    data : bool
        Whether to check that the table of a curve-table target holds the curves of the search.

    Raises
    ------
    UserError
        As `read`, `parse` and `check_data`.
    """
    study = parse(read(path), str(path))
    # a missing table is reported when the search starts
    table = study.target.options.get("table")
    if data and (not isinstance(table, str) or Path(table).is_file()):
        check_data(study, str(path))
    check_own_files(study, str(path), study.resources.workers * study.resources.side_by_side)
    return study


def check_own_files(study: Study, where: str, at_a_time: int) -> None:
    """Check that trials which train at the same time write their metrics to different files.

    `parse` does not check it, as their number is not part of a frozen study.

    Raises
    ------
    UserError
        If several would write to one file.
    """
    place = study.target.metrics.path if study.target.metrics is not None else None
    if place is None or at_a_time == 1:
        return
    if not any(
        found.name in OWN or _is_drawn_once(study.space.get(found.name), found) for found in placeholders(place)
    ):
        raise UserError(
            f"{where}: target.metrics.path must name a file of each trial's own, with {{state_out}}, {{folder}} or "
            f"{{trial}} in it, found {shown(place)}, which several write to side by side; or let one train at a time "
            "(resources.workers: 1, side_by_side: 1)"
        )


def _is_drawn_once(keys: FloatRange | IntRange | Choice | None, placeholder: Placeholder) -> bool:
    """Whether no two trials have the same value as text. Choices and rounded numbers repeat."""
    return isinstance(keys, FloatRange) and not keys.when and not placeholder.format


def parse(raw: Mapping[str, Any], where: str) -> Study:
    """Validate a study that was read from the file `where`.

    Raises
    ------
    KeysError
        A line for each mistake.
    UserError
        If the constraints leave no configuration for a trial.
    """
    study = validated(Study, raw, where)
    if study.constraints:
        # constraints may leave no configuration for a trial; that must show now, not in the middle of the search
        starts = {bracket: rounds[0].trials for bracket, rounds in study.schedule().brackets.items()}
        try:
            draw.check_room(study.search_space(), study.search.seed, starts)
        except UserError as error:
            raise UserError(f"{where}: {one_line(str(error))}") from None
    return study
