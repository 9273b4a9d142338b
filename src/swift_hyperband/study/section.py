"""Sections of the study file: strict pydantic models, whose mistakes are one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

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
from swift_hyperband.base.errors import MOST_LINES, InvalidKeysError, KeysError, Problem
from swift_hyperband.base.wording import LONGEST_SHOWN, one_of, path_of, short, shown, suggestion
from swift_hyperband.study.checks import unfit

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def validated(model: type[M], raw: Mapping[str, Any], where: str) -> M:
    """Return the model of what was read from the file `where`.

    Raises
    ------
    KeysError
        A line for each mistake.
    """
    if found := [*unfit(raw)]:
        raise KeysError(where, found)
    try:
        return model.model_validate(dict(raw))
    except ValidationError as error:
        raise KeysError(where, problems(error)) from None


def checked(keys: type[T], given: Mapping[str, Any], where: str, section_name: str) -> T:
    """Return a dataclass from the values given for its keys, which are those of a section of `where`.

    Raises
    ------
    KeysError
        A line for each mistake.
    """
    try:
        return keys(**dict(section(keys).model_validate(dict(given))))
    except ValidationError as error:
        raise KeysError(where, [(f"{section_name}.{key}", text) for key, text in problems(error)]) from None


def problems(error: ValidationError) -> list[Problem]:
    """Return the problems that pydantic found, by key."""
    return [problem for detail in error.errors() for problem in _located(detail)]


def _located(detail: ErrorDetails) -> Iterator[Problem]:
    """Yield what is wrong by the keys of the file."""
    location = detail["loc"]
    if location[-1:] == ("[key]",):
        yield path_of(_keys(location[:-2])), f"must have text as keys, found {shown(detail['input'])}; put it in quotes"
        return
    path = path_of(_keys(location))
    for key, text in _problems(detail):
        dot = "." if path and key and not key.startswith("[") else ""
        yield f"{path}{dot}{key if len(key) <= 2 * LONGEST_SHOWN else short(key)}", text


def _keys(location: tuple[str | int, ...]) -> Sequence[str | int]:
    """Return a place in the model as keys of the file."""
    # the third part is the type of the hyperparameter, which chose the model; no key of the file
    return (*location[:2], *location[3:]) if location[:1] == ("space",) else location


def _problems(detail: ErrorDetails) -> Sequence[Problem]:
    context: Mapping[str, Any] = detail.get("ctx", {})
    broken = context.get("error")
    if isinstance(broken, InvalidKeysError):
        return broken.problems
    value = detail["input"]
    match detail["type"]:
        case "union_tag_not_found" if not isinstance(value, Mapping):
            return [("", f"{_NEEDED['dict_type']}, found {shown(value)}")]
        case "union_tag_not_found":
            return [("type", "must be float, int or categorical, found nothing")]
        case "union_tag_invalid":
            options = context["expected_tags"].replace("'", "").split(", ")
            needed, value = f"must be {one_of(options)}", value["type"]
            return [("type", f"{needed}, found {shown(value)}{suggestion(value, options)}")]
        case "literal_error":
            options = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            return [("", f"must be {one_of(options)}, found {shown(value)}{suggestion(value, options)}")]
        case "string_type" if isinstance(value, int | float):
            return [("", f"must be text, found {shown(value)}; put it in quotes")]
        case "too_long":
            return [("", f"must hold at most {context['max_length']} entries, found {len(value)}")]
        case "string_too_short":
            return [("", f"must not be empty, found {shown(value)}; leave the key out")]
        case "too_short":
            return [("", "must hold at least one entry, found none")]
        case "int_type" if isinstance(value, float):
            return [("", f"must be a whole number, found {value}")]
    bounds = {name: shown(bound) for name, bound in context.items()}
    needed = _NEEDED.get(detail["type"], "must hold another value").format(**bounds)
    return [("", f"{needed}, found {shown(value)}")]


_NEEDED = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "model_attributes_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "string_type": "must be text",
}


def _text(key: object) -> str:
    return path_of([key]) if isinstance(key, str) else shown(key)


def _not_given(field: FieldInfo) -> str:
    return f"must be given, found nothing ({(field.description or '').rstrip('.')})"


class Section(BaseModel):
    """A part of the study file: strict about types, and about keys, of which it tells typos first."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

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
            # a preset has filled some of those that are not free
            near = {key: suggestion(key, free) or suggestion(key, cls.model_fields) for key in unknown}
            raise InvalidKeysError(*((_text(key), f"is not a key{near[key] or keys}") for key in unknown))
        missing = [key for key, field in cls.model_fields.items() if field.is_required() and key not in raw]
        if missing:
            raise InvalidKeysError(*((key, _not_given(cls.model_fields[key])) for key in missing))
        return raw


class FromKeys:
    """Annotation of a pydantic field whose type is a dataclass with keys: read as a section, then the dataclass."""

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
