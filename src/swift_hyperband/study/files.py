"""Checks of a study against files: the table of curves that it reads, and the metrics files that its trials write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.packages import require
from swift_hyperband.base.wording import shown
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.space.parameters import Int
from swift_hyperband.study.space import Choice, FloatRange, IntRange
from swift_hyperband.targets import recorded
from swift_hyperband.targets.program.template import Placeholder, placeholders

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study

MOST_ROWS = 1_000_000
"""Rows of a table that are looked at; a search has no more trials."""
OWN = frozenset(("state_out", "folder", "trial", "config", "metrics"))
"""Placeholders with another value for each trial."""


def check_ready(study: Study, where: str, data: bool = True) -> None:
    """Check that a study can be searched here.

    Parameters
    ----------
    study : Study
    where : str
        The file that it was read from.
    data : bool
        Whether to check that the packages of `live` are installed, and that the table of a curve-table target holds the
        curves of the search.

    Raises
    ------
    UserError
        As `require`, `check_data` and `check_own_files`.
    """
    if data and study.live:
        require(f"{where}: live", *study.live)
    # a missing table is reported when the search starts
    table = study.target.options.get("table")
    if data and (not isinstance(table, str) or Path(table).is_file()):
        check_data(study, where)
    check_own_files(study, where, study.resources.workers * study.resources.side_by_side)


def check_data(study: Study, where: str) -> None:
    """Check that a table of curves holds everything that a search may read from it.

    Raises
    ------
    UserError
        If the table lacks something that the search may ask for.
    """
    if study.target.name != "curve-table":
        return

    drawn: Iterable[Mapping[str, Scalar]] = (
        configuration for bracket in study.supply().brackets for _, configuration in study.trials(bracket).values()
    )
    if study.search.sampling != "random" and isinstance(row := study.search_space().hyperparameters.get("row"), Int):
        # nobody knows before which rows a model draws
        drawn = ({"row": number} for number in (*range(row.low, min(row.high, row.low + MOST_ROWS)), row.high))
    try:
        recorded.check(study.target.options, drawn, study.search.max_epochs, study.target.metric)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


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
