"""The study file's section `target`: the model, and the metrics file of a program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from swift_hyperband.base.errors import InvalidKeysError
from swift_hyperband.base.wording import shown
from swift_hyperband.study.checks import command_words, metric_name, target_is_here, target_name, target_options
from swift_hyperband.study.section import Section
from swift_hyperband.targets import BUILT_IN
from swift_hyperband.targets.program.patterns import compiled
from swift_hyperband.targets.program.writers import NAMED_BY_THE_USER, WRITERS

Word = Annotated[str, WithJsonSchema({"type": ["string", "number", "boolean"]})]
Words = Annotated[str | list[Word] | None, BeforeValidator(command_words)]


ELSEWHERE = {"elsewhere": True}
"""The context of validation of a study that may be read where its target is not, as nothing is trained there."""


def _name(value: str, info: ValidationInfo) -> str:
    target_name(value)
    if info.context != ELSEWHERE:
        target_is_here(value)
    return value


class MetricsFile(Section):
    """Where an existing program leaves its metrics."""

    writer: (
        Literal[
            "catboost",
            "fastai",
            "huggingface",
            "keras",
            "lightgbm",
            "lightning",
            "ray",
            "skorch",
            "syne-tune",
            "tensorboard",
            "ultralytics",
            "xgboost",
        ]
        | None
    ) = Field(
        default=None, description="The library that writes the metrics; it fills the keys below that are left out."
    )
    format: Literal["csv", "tsv", "json", "jsonl", "regex", "tensorboard"] | None = Field(
        default=None, description="The format of the metrics; required without writer."
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        description="The file, with placeholders, and * and ** for any names; the program's output if left out.",
    )
    epoch: str | None = Field(
        default=None,
        min_length=1,
        description="The column of the epoch, the named group, or a tag (tensorboard); if left out, the rows are "
        "consecutive epochs, and TensorBoard's steps are the epochs.",
    )
    counts_from_zero: bool = Field(default=False, description="Whether the program's first epoch is 0.")
    counts_anew: bool = Field(
        default=False, description="Whether each start of the program counts its epochs from the beginning again."
    )
    every: int = Field(
        default=1,
        ge=1,
        description="The program reports every n-th epoch, and the search counts reports: its epoch 1 is the "
        "program's epoch n; {from} and {to} are epochs of the program.",
    )
    missing: Literal["error", "last", "diverged"] = Field(
        default="error",
        description="An epoch without the metric is an error; or the last value still counts; or the epoch has "
        "diverged, if it has a row with an empty cell.",
    )
    pattern: str | None = Field(
        default=None,
        description="A regular expression whose named groups are metrics, and epoch (regex); or name and value, which "
        "match the metrics of a line one by one; or json, which matches the object in a line (jsonl).",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_by_writer(cls, raw: Any) -> Any:
        writer = raw.get("writer") if isinstance(raw, Mapping) else None
        return {**WRITERS[writer], **raw} if isinstance(writer, str) and writer in WRITERS else raw

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.format is None:
            raise InvalidKeysError(("format", "must be given, or writer, found neither (how the metrics stand there)"))
        if self.path is None and (self.format == "tensorboard" or self.writer in NAMED_BY_THE_USER):
            raise InvalidKeysError(("path", "must name the file that the program writes, found nothing"))
        if self.format == "regex":
            names = self._groups()
            if not names - {self.epoch or "epoch"}:
                needed = "must have a named group for each metric, such as (?P<loss>\\S+)"
                raise InvalidKeysError(("pattern", f"{needed}, found {shown(self.pattern)}"))
            if self.epoch is not None and self.epoch not in names:
                raise InvalidKeysError(("epoch", f"must be a named group of pattern, found {shown(self.epoch)}"))
        if self.format == "jsonl" and self.pattern is not None and "json" not in self._groups():
            raise InvalidKeysError(("pattern", f"must have the named group json (jsonl), found {shown(self.pattern)}"))
        return self

    def _groups(self) -> set[str]:
        try:
            return set(compiled(self.pattern or "").groupindex)
        except (re.error, OverflowError, RecursionError) as error:
            raise InvalidKeysError(("pattern", f"must be a regular expression, found: {error}")) from None

    def finds(self, metric: str) -> bool:
        """Whether the keys allow a metric to be found."""
        return self.format != "regex" or metric in (names := self._groups()) or {"name", "value"} <= names


class Target(Section):
    """What is trained, and which of its metrics counts."""

    name: Annotated[str, AfterValidator(_name)] | None = Field(
        default=None,
        description=f"The model to train: {', '.join(BUILT_IN)}, path/to/file.py:Class or package.module:Class.",
    )
    command: Words = Field(default=None, description="Instead of name: a program, as a text or a list of words.")
    first_command: Words = Field(default=None, description="The program for a trial without a state.")
    metrics: MetricsFile | None = Field(
        default=None,
        description="The metrics of an existing program; without it, command is a segment command.",
    )
    resumable: bool = Field(
        default=True, description="Whether the program can resume; otherwise each start trains from the first epoch."
    )
    piece: int | None = Field(default=None, ge=1, description="Most epochs of one start of the program.")
    metric: Annotated[str, AfterValidator(metric_name)] = Field(
        description="The metric of the target that is optimised."
    )
    mode: Literal["min", "max"] = Field(description="Whether the metric is minimised or maximised.")
    metric_at: Literal["last", "best"] = Field(
        default="last",
        description="Which epoch of a trial counts: its last one, or its best one so far, whose state is kept as well.",
    )
    threads: int = Field(
        default=1, ge=1, le=4096, description="CPU threads of a training; another number gives other bits."
    )
    options: Annotated[dict[str, Any], BeforeValidator(target_options)] = Field(
        default_factory=dict, description="Options of the target."
    )

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if (self.name is None) == (self.command is None):
            found = "found neither" if self.name is None else "found both"
            raise InvalidKeysError(("name", f"or command must be given, and one of them, {found}"))
        if self.name is not None:
            given = [key for key in ("first_command", "metrics", "piece") if getattr(self, key) is not None]
            if given or not self.resumable:
                key = (given or ["resumable"])[0]
                raise InvalidKeysError((key, "is for a program, given by command, and name is given; leave it out"))
        if self.metrics is not None and not self.metrics.finds(self.metric):
            needed = f"must have the named group {self.metric}, as target.metric says"
            raise InvalidKeysError(("metrics.pattern", f"{needed}, found {shown(self.metrics.pattern)}"))
        return self
