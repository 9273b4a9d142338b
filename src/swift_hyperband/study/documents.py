"""Documents generated from the study model: the JSON schema for editors and the table of keys in config/README.md.

`python -m swift_hyperband.study.documents` writes both anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import write_text
from swift_hyperband.study.model import Study
from swift_hyperband.study.presets import PRESETS

SCHEMA = Path("workflow/schemas/study.schema.json")
README = Path("config/README.md")
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"


class _WithoutTitles(GenerateJsonSchema):
    """Makes schemas without pydantic's titles ("Max Epochs"), which editors would show before the descriptions."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a study file, as editors read it: YAML 1.2, where 1e-3 is a number."""
    schema = Study.model_json_schema(schema_generator=_WithoutTitles)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "Study file of Swift-Hyperband"}


def keys_table() -> str:
    """Return a Markdown table of all keys: path, type, default, meaning."""
    schema = json_schema()
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for path, keys, required in _keys(schema, schema, ""):
        default = "required" if required else _default(path, keys)
        cells = (f"`{path}`", _type(keys), default, keys["description"])
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows)


def write_docs(root: Path) -> None:
    """Write the schema and the table of keys below the project's folder `root`.

    Raises
    ------
    UserError
        If config/README.md lacks the markers between which the table stands.
    """
    readme = root / README
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise UserError(f"{readme}: must hold the lines '{BEGIN}' and '{END}', found no such lines; add them")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    write_text(readme, f"{before}{BEGIN}\n{keys_table()}\n{END}{after}")
    write_text(root / SCHEMA, json.dumps(json_schema(), indent=2) + "\n")


def _keys(schema: dict[str, Any], part: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield the path and the schema of every key below the sections, and whether it is required."""
    for name, keys in part["properties"].items():
        path = f"{prefix}{name}"
        # a section, or one that may be left out
        if found := next((part["$ref"] for part in (keys, *keys.get("anyOf", ())) if "$ref" in part), None):
            for below, inner, needed in _keys(schema, _resolve(schema, found), f"{path}."):
                yield below, inner, needed and "$ref" in keys
        elif name == "space" and not prefix:
            merged: dict[str, tuple[dict[str, Any], bool]] = {}
            for option in keys["additionalProperties"]["oneOf"]:
                for below, found, required in _keys(schema, _resolve(schema, option["$ref"]), f"{path}.<name>."):
                    merged.setdefault(below, (found, required))
            merged["space.<name>.type"] = (_TYPE_KEY, True)
            yield from ((below, *found) for below, found in merged.items())
        else:
            yield path, keys, name in part.get("required", [])


_TYPE_KEY = {
    "enum": ["float", "int", "categorical"],
    "description": "A real number, a whole number (both with low, high, log) or one of several values (choices).",
}


def _resolve(schema: dict[str, Any], reference: str) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"][reference.rpartition("/")[2]]
    return found


def _type(keys: Mapping[str, Any]) -> str:
    if "enum" in keys:
        return ", ".join(f"`{option}`" for option in keys["enum"])
    if "const" in keys:
        return f"`{keys['const']}`"
    if "anyOf" in keys:
        return " or ".join(_type(option) for option in keys["anyOf"])
    if isinstance(keys["type"], list):
        return "text, number or true/false"
    if "examples" in keys:
        return f"a time such as `{keys['examples'][0]}`"
    bounds = [f"{sign} {keys[bound]:g}" for bound, sign in _BOUNDS.items() if bound in keys]
    if keys["type"] == "array":
        return f"list of {_type(keys['items'])}"
    return " ".join([_TYPES[keys["type"]], ", ".join(bounds)]).strip()


_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_TYPES = {
    "boolean": "`true`, `false`",
    "integer": "whole number",
    "null": "`null`",
    "number": "number",
    "object": "mapping",
    "string": "text",
}


def _default(path: str, keys: Mapping[str, Any]) -> str:
    section, _, name = path.partition(".")
    default = keys.get("default")
    if default is None and "default" not in keys:
        # a factory makes an empty list or mapping
        return "none"
    filled = {preset: sections.get(section, {}).get(name, default) for preset, sections in PRESETS.items()}
    others = [f"{preset}: `{_plain(value)}`" for preset, value in filled.items() if value != default]
    return "; ".join([f"`{_plain(default)}`", *others])


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    write_docs(Path())
