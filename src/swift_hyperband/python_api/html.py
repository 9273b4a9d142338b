"""Small tables for notebooks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from swift_hyperband.base.wording import plain


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as HTML. Numbers are shown to six digits, None as a dot."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell(value))}</td>' for value in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cell(value: object) -> str:
    """Return a value as tables show it."""
    if value is None:
        return "·"
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "not finite"
    return plain(value)


def configuration(values: object) -> str:
    """Return a configuration in a line."""
    assert isinstance(values, dict)
    return ", ".join(f"{name} {cell(value)}" for name, value in values.items())
