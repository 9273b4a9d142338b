"""Sections of the study file: strict pydantic models, written as such or made of dataclasses with keys."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from swift_hyperband.base import keys as plain
from swift_hyperband.base.errors import MOST_LINES, InvalidKeysError, KeysError
from swift_hyperband.base.wording import path_of, shown, suggestion
from swift_hyperband.study.checks import unfit
from swift_hyperband.study.problems import problems, with_options

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def validated(model: type[M], raw: Mapping[str, Any], where: str, context: Mapping[str, Any] | None = None) -> M:
    """Return the model of a file's content.

    Parameters
    ----------
    model : type
    raw : mapping
    where : str
        The file.
    context : mapping, optional
        What checks are told.

    Raises
    ------
    KeysError
        A line for each mistake.
    """
    if found := [*unfit(raw)]:
        raise KeysError(where, found)
    try:
        return model.model_validate(dict(raw), context=context)
    except ValidationError as error:
        raise KeysError(where, problems(error)) from None


def checked(keys: type[T], given: Mapping[str, Any], where: str, section_name: str) -> T:
    """Return a dataclass from values of its keys, the section `section_name` of the file `where`.

    Raises
    ------
    KeysError
        A line for each mistake.
    """
    try:
        return keys(**dict(section(keys).model_validate(dict(given))))
    except ValidationError as error:
        raise KeysError(where, [(f"{section_name}.{key}", text) for key, text in problems(error)]) from None


def _text(key: object) -> str:
    return path_of([key]) if isinstance(key, str) else shown(key)


def _not_given(field: FieldInfo) -> str:
    return f"must be given, found nothing ({(field.description or '').rstrip('.')})"


class Section(BaseModel):
    """A part of the study file: strict about types and about keys. An unknown key is reported before all else."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return with_options(handler(source), cls)

    @model_validator(mode="before")
    @classmethod
    def _know_the_keys(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            raise InvalidKeysError(("", f"must be a mapping of keys, found {shown(raw)}"))
        if unknown := [key for key in raw if key not in cls.model_fields][:MOST_LINES]:
            free = [key for key in cls.model_fields if key not in raw]
            if secret := [key for key in unknown if "token" in _text(key).lower()]:
                needed = "must not stand in a file; set the environment variable DWAVE_API_TOKEN instead"
                raise InvalidKeysError(*((_text(key), needed) for key in secret))
            keys = f"; the keys here are {', '.join(cls.model_fields)}"
            # keys that a preset filled are not free
            near = {key: suggestion(key, free) or suggestion(key, cls.model_fields) for key in unknown}
            raise InvalidKeysError(*((_text(key), f"is not a key{near[key] or keys}") for key in unknown))
        missing = [key for key, field in cls.model_fields.items() if field.is_required() and key not in raw]
        if missing:
            raise InvalidKeysError(*((key, _not_given(cls.model_fields[key])) for key in missing))
        return raw


class FromKeys:
    """Annotates a pydantic field whose type is a dataclass with keys: it is validated as a section."""

    def __get_pydantic_core_schema__(self, keys: type[Any], handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda found: keys(**dict(found)),
            handler.generate_schema(section(keys)),
            serialization=core_schema.plain_serializer_function_ser_schema(plain.values),
        )


_sections: dict[type[Any], type[Section]] = {}


def section(keys: type[Any]) -> type[Section]:
    """Return the strict model of a dataclass with keys."""
    if keys not in _sections:
        summary = (keys.__doc__ or "").partition("\n")[0]
        name = keys.__name__.removesuffix("Settings")
        _sections[keys] = create_model(name, __base__=Section, __doc__=summary, **_fields(keys))
    return _sections[keys]


def _fields(keys: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(keys)
    found: dict[str, Any] = {}
    for name, field in plain.of(keys).items():
        description, check = field.metadata["description"], field.metadata["check"]
        if below := plain.section(keys, name):
            found[name] = Annotated[below, FromKeys()], Field(default_factory=below, description=description)
            continue
        hint: Any = _bounded(hints[name], field.metadata["bounds"])
        if check is not None:
            hint = Annotated[hint, BeforeValidator(check)]
        found[name] = hint, Field(default=field.default, description=description)
    return found


def _bounded(hint: Any, bounds: plain.Bounds) -> Any:
    """Return the type of a key with the bounds of its numbers."""
    if not bounds:
        return hint
    if get_origin(hint) in (Union, UnionType):
        return Union[tuple(_bounded(one, bounds) if one in (int, float) else one for one in get_args(hint))]  # noqa: UP007
    return Annotated[hint, Field(**bounds)]
