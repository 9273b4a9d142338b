"""Output for people on standard output: the console and its tables."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table


def console() -> Console:
    """Return the console of standard output; numbers are not coloured."""
    return Console(highlight=False)


def table(*columns: str, collapse_padding: bool = False) -> Table:
    """Return an empty table with a bold header; `columns` are set to the right."""
    found = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=collapse_padding, header_style="bold"
    )
    for name in columns:
        found.add_column(name, justify="right")
    return found
