"""The section `space`: ranges and choices of hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from swift_hyperband.space import parameters
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.study.checks import as_list, different, float_range, int_range, scalar
from swift_hyperband.study.section import Section

AnyScalar = Annotated[Scalar, BeforeValidator(scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]


Values = Annotated[list[AnyScalar], BeforeValidator(as_list, json_schema_input_type=AnyScalar | list[AnyScalar])]


Condition = Annotated[
    dict[str, Values],
    Field(description="Condition: it is drawn only if each hyperparameter named here has one of the given values."),
]


Log = Annotated[bool, Field(description="Whether its logarithm is drawn uniformly (float, int).")]


class FloatRange(Section):
    """A real number between low and high."""

    type: Literal["float"] = Field(description="A real number between low and high.")
    low: float = Field(description="The smallest value (float, int).")
    high: float = Field(description="The largest value (float, int).")
    log: Log = False
    when: Condition = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        float_range(self.low, self.high, self.log)
        return self

    def examples(self) -> Sequence[Scalar]:
        """Return examples of values, by which the formats of a command are checked."""
        return self.low, self.high

    def core(self) -> parameters.Float:
        """Return the hyperparameter that configurations are drawn from."""
        return parameters.Float(self.low, self.high, self.log, _when(self.when))


class IntRange(Section):
    """A whole number from low to high."""

    type: Literal["int"] = Field(description="A whole number from low to high, both included.")
    low: int = Field(description="The smallest value (float, int).")
    high: int = Field(description="The largest value (float, int).")
    log: Log = False
    when: Condition = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        int_range(self.low, self.high, self.log)
        return self

    def examples(self) -> Sequence[Scalar]:
        """Return examples of values, by which the formats of a command are checked."""
        return self.low, self.high

    def core(self) -> parameters.Int:
        """Return the hyperparameter that configurations are drawn from."""
        return parameters.Int(self.low, self.high, self.log, _when(self.when))


class Choice(Section):
    """One of several values."""

    type: Literal["categorical"] = Field(description="One of choices, each as likely as the others.")
    choices: list[AnyScalar] = Field(
        min_length=1, description="The values (categorical): text, numbers, true or false."
    )
    when: Condition = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_choices(self) -> Self:
        different(self.choices)
        return self

    def examples(self) -> Sequence[Scalar]:
        """Return examples of values, by which the formats of a command are checked."""
        return self.choices

    def core(self) -> parameters.Categorical:
        """Return the hyperparameter that configurations are drawn from."""
        return parameters.Categorical(tuple(self.choices), _when(self.when))


def _when(condition: Mapping[str, list[Scalar]]) -> dict[str, tuple[Scalar, ...]] | None:
    return {name: tuple(values) for name, values in condition.items()} or None
