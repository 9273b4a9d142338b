"""Files of metrics, whatever their format, as rows: where each stands, and its cells by name."""

from __future__ import annotations

import bisect
import csv
import io
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from swift_hyperband.base.delimited import cells_of, names_of
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown
from swift_hyperband.targets.program.files import ProgramError, Written, count_lines
from swift_hyperband.targets.program.patterns import compiled, longer_number, patience

PAIR = ("name", "value")
"""Named groups of a pattern that finds the metrics of a line one by one, whatever they are called."""
JSON = "json"
"""The named group of a pattern that finds a JSON object in a line with other text."""

NOT_MEASURED = frozenset({"", "na", "n/a", "#n/a", "<na>", "none", "null"})
NAN = re.compile(r"[-+]?(nan(\(\w*\))?|1\.#(QNAN|SNAN|IND|INF)\d*)", re.IGNORECASE)
"""Other words for what is not finite: C's, and those of Microsoft's old libraries."""


class Row(NamedTuple):
    """A row or record: where it stands, its cells, and which run of the program it is of, as repeated headers tell."""

    where: str
    cells: Mapping[str, Any]
    run: int = 0


@dataclass(frozen=True)
class Rows:
    """The rows of a file that are of this start.

    Attributes
    ----------
    path : Path
    rows : sequence of Row
    columns : sequence of str
        All names, also of cells that are empty.
    twice : sequence of str
        Names of several columns, which tell nothing: they are left out of the rows.
    appended : bool
        Whether earlier rows were left out, so that these are certainly of this start.
    """

    path: Path
    rows: Sequence[Row]
    columns: Sequence[str]
    twice: Sequence[str] = field(default_factory=tuple)
    appended: bool = False


class NotANumberError(ValueError):
    """A cell holds text that is no number."""


def number_in(cell: object) -> float | None:
    """Return the number in a cell, also nan and infinity; None where nothing was measured.

    Raises
    ------
    NotANumberError
        If it holds something else.
    """
    if cell is None:
        return None
    if isinstance(cell, str):
        return _number_in_text(cell.strip())
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise NotANumberError
    try:
        return float(cell)
    except OverflowError:
        return math.copysign(math.inf, cell)


def _number_in_text(text: str) -> float | None:
    if not text:
        return None
    # Python reads "1_000" as a number
    if "_" not in text:
        with suppress(ValueError):
            return float(text)
    if text.lower() in NOT_MEASURED:
        return None
    if NAN.fullmatch(text):
        return math.nan
    raise NotANumberError


# --- tables ------------------------------------------------------------------------------------------------------


def from_table(file: Written, between: str | None = None) -> Rows:
    """Read a table with a header, which may be repeated."""
    path, text = file.path, file.text()
    old = count_lines(file.old_text())
    columns: list[str] = []
    rows: list[Row] = []
    run = number = 0
    try:
        for number, cells in cells_of(io.StringIO(text, newline=""), between):
            if not columns:
                columns = names_of(cells)
            elif cells[0].strip() == columns[0] and names_of(cells) == columns:
                run += 1
            elif number > old:
                rows.append(
                    Row(f"line {number}", dict(zip(columns, _fitted(path, number, cells, columns), strict=True)), run)
                )
    except csv.Error as error:
        raise ProgramError(f"{path}: must be a table, found {error} after line {number}") from None
    count = Counter(columns)
    twice = [name for name in count if count[name] > 1 and name]
    kept = [Row(row.where, _without(row.cells, twice), row.run) for row in rows] if twice or "" in count else rows
    return Rows(path, kept, [name for name in count if name], twice, file.appended)


def _fitted(path: Path, number: int, cells: list[str], columns: Sequence[str]) -> list[str]:
    if any(cell.strip() for cell in cells[len(columns) :]) or len(cells) < len(columns):
        why = "does the program write decimal commas, or was it killed in the middle of a line?"
        if columns[0].startswith("#") or cells[0].lstrip().startswith("#"):
            why = "a table has no lines of comment (#): leave them out"
        raise ProgramError(
            f"{path}: line {number} must have {len(columns)} cells as the header has, found {len(cells)}; {why}"
        )
    return cells[: len(columns)]


def _without(cells: Mapping[str, Any], twice: Sequence[str]) -> dict[str, Any]:
    return {name: cell for name, cell in cells.items() if name and name not in twice}


# --- JSON --------------------------------------------------------------------------------------------------------


def from_jsonl(file: Written, pattern: str | None = None) -> Rows:
    """Read a JSON object a line; what a program prints between does not count, nor does a torn last line."""
    text = file.text()
    old = count_lines(file.old_text())
    lines = re.split(r"\r\n?|\n", text)
    given = [(number, line.strip()) for number, line in enumerate(lines[old:], old + 1)]
    if pattern is not None:
        expression = compiled(pattern)
        with patience(file.path, len(text)):
            found = [(number, expression.search(line)) for number, line in given]
        given = [(number, (match[JSON] or "").strip()) for number, match in found if match is not None]
    rows = []
    for number, line in given:
        if not line.startswith(("{", "[")):
            continue
        try:
            record = json.loads(line, object_pairs_hook=_object)
        except (ValueError, RecursionError):
            if number == len(lines) or line.startswith("["):
                continue
            why = "a JSON file over several lines has the format json"
            if line.startswith("{'"):
                why = "a dict as Python prints it is none; json.dumps() writes one, format regex reads the other"
            raise ProgramError(
                f"{file.path}: line {number} must be a JSON object, found {shown(line)}; {why}"
            ) from None
        if not isinstance(record, Mapping):
            raise ProgramError(f"{file.path}: line {number} must be a JSON object, found {shown(line)}")
        rows.append(Row(f"line {number}", dict(_flat(record))))
    return Rows(file.path, rows, _names(rows), appended=file.appended)


def from_json(file: Written, metric: str, epoch: str | None) -> Rows:
    """Read a JSON file: a list of records, an object that holds one, records by epoch, or values for each metric."""
    path = file.path
    try:
        content = json.loads(file.text(), object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise ProgramError(f"{path}: must be a JSON file, found {error}") from None
    rows = [
        Row(f"record {number}", _of_trainer(dict(_flat(record))))
        for number, record in enumerate(_records(path, content, metric, epoch), 1)
    ]
    return Rows(path, rows, _names(rows), appended=False)


def _records(path: Path, content: Any, metric: str, epoch: str | None) -> list[Mapping[str, Any]]:
    forms = (
        "must hold a list of records, an object with such a list in it, one with a record for each epoch, or one "
        "with a list of values for each metric"
    )
    if isinstance(content, list) and all(isinstance(record, Mapping) for record in content):
        return content
    if not isinstance(content, Mapping):
        raise ProgramError(f"{path}: {forms}, found {shown(content)}")
    if "iterations" in content and "meta" in content:
        return _of_catboost(path, content)
    lists = {key: below for key, below in content.items() if isinstance(below, list)}
    inside = {key: below for key, below in lists.items() if below and all(isinstance(one, Mapping) for one in below)}
    if len(inside) > 1:
        inside = {key: below for key, below in inside.items() if any(metric in dict(_flat(one)) for one in below)}
    if len(inside) == 1:
        return next(iter(inside.values()))
    if len(inside) > 1:
        raise ProgramError(f"{path}: must hold {metric} in one list of records, found it in {', '.join(inside)}")
    if content and all(isinstance(below, Mapping) and str(key).isdecimal() for key, below in content.items()):
        return [{(epoch or "epoch"): key, **below} for key, below in content.items()]
    if metric in lists:
        return _of_columns(path, lists, metric, epoch)
    if isinstance(content.get(metric), Mapping):
        # as DataFrame.to_json() of pandas writes: a column's values by row
        columns = {name: below for name, below in content.items() if isinstance(below, Mapping)}
        return [{name: below.get(row) for name, below in columns.items()} for row in content[metric]]
    if any(below == [] for below in lists.values()):
        # such as a log_history before the first record
        return []
    if any(content) and not any(isinstance(below, list | Mapping) for below in content.values()):
        return [content]
    raise ProgramError(f"{path}: {forms}, found an object of {', '.join(map(str, [*content][:8])) or 'nothing'}")


def _of_columns(path: Path, lists: Mapping[str, list[Any]], metric: str, epoch: str | None) -> list[Mapping[str, Any]]:
    length = len(lists[metric])
    if epoch is not None and epoch in lists and len(lists[epoch]) != length:
        found = f"found {length} and {len(lists[epoch])}"
        raise ProgramError(f"{path}: must have as many values of {metric} as of {epoch}, {found}")
    kept = {name: values for name, values in lists.items() if len(values) == length}
    return [dict(zip(kept, row, strict=True)) for row in zip(*kept.values(), strict=True)]


def _of_catboost(path: Path, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return records of catboost_training.json, whose values stand in the order of the names in its head."""
    try:
        meta = content["meta"]
        sets = [(name, meta[f"{kind}_metrics"]) for kind in ("learn", "test") for name in meta[f"{kind}_sets"]]
        return [
            {
                "iteration": record["iteration"],
                **{
                    f"{name}/{metric['name']}": value
                    for name, metrics in sets
                    for metric, value in zip(metrics, record.get(name, ()), strict=False)
                },
            }
            for record in content["iterations"]
        ]
    except (KeyError, TypeError, AttributeError):
        raise ProgramError(f"{path}: must hold meta and iterations as CatBoost writes them, found others") from None


def _of_trainer(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record of Transformers' Trainer with the loss that it had.

    It leaves what is not finite out of the mean that it logs, and logs 0.0 where nothing is left.
    """
    norm = record.get("grad_norm")
    if record.get("loss") == 0.0 and isinstance(norm, float) and not math.isfinite(norm):
        return record | {"loss": math.nan}
    return record


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; of a key that is there twice all values, which is no number, for it would hide one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        count = Counter(key for key, _ in pairs)
        found |= {key: [value for name, value in pairs if name == key] for key in count if count[key] > 1}
    return found


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            # what Ray Tune repeats in every record
            if key != "config":
                yield from _flat(value, f"{prefix}{key}/")
        else:
            # a NaN of numpy.float32, as Ray Tune writes it; where nothing was measured stands the word without quotes
            yield f"{prefix}{key}".strip(), math.nan if value == "null" else value


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(itertools.chain.from_iterable(row.cells for row in rows)))


# --- text --------------------------------------------------------------------------------------------------------


def from_text(file: Written, pattern: str, numbers: Collection[str] = ()) -> Rows:
    """Read what an expression finds: named groups are cells; or `name` and `value` are, each pair of a line in turn.

    Parameters
    ----------
    file : Written
    pattern : str
    numbers : collection of str
        Groups that must not hold a piece of a longer number.
    """
    old = count_lines(file.old_text())
    lines = [(number, line) for number, line in enumerate(re.split(r"\r\n?|\n", file.text(strict=False)), 1)]
    lines = [(number, line) for number, line in lines if number > old and line.strip()]
    text = "\n".join(line for _, line in lines)
    starts = list(itertools.accumulate((len(line) + 1 for _, line in lines), initial=0))[:-1]
    expression = compiled(pattern)
    with patience(file.path, len(text)):
        matches = list(expression.finditer(text))
    found = [(bisect.bisect_right(starts, match.start()) - 1, match.groupdict()) for match in matches]
    whole = [name for name in (*numbers, PAIR[1]) if name in expression.groupindex]
    for name, match in itertools.product(whole, matches):
        if match[name] and (longer := longer_number(text, *match.span(name))) is not None:
            number = lines[bisect.bisect_right(starts, match.start(name)) - 1][0]
            found_there = f"that {name} takes {shown(match[name])} of {shown(longer)} in line {number} of {file.path}"
            raise UserError(
                f"target.metrics.pattern: must take whole numbers, found {found_there}; \\S+ takes all up to a blank"
            )
    cells: list[tuple[int, dict[str, Any]]] = found
    columns = list(expression.groupindex)
    if set(PAIR) <= set(columns):
        cells = _pairs(found)
        columns = list(dict.fromkeys(itertools.chain.from_iterable(row for _, row in cells)))
    rows = [Row(f"line {lines[place][0]}", row) for place, row in cells]
    return Rows(file.path, rows, columns, appended=file.appended)


def _pairs(found: Sequence[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """Return a row for each line in which pairs of name and value follow on what tells its epoch."""
    rows: list[tuple[int, dict[str, Any]]] = []
    for place, groups in found:
        rest = {name: value for name, value in groups.items() if name not in PAIR and value is not None}
        if rest:
            rows.append((place, rest))
        if groups["name"] is not None and rows and rows[-1][0] == place:
            rows[-1][1][groups["name"].strip()] = groups["value"]
    return rows


# --- TensorBoard -------------------------------------------------------------------------------------------------

STEP = "step"


def from_events(files: Sequence[Written], epoch: str | None = None) -> Rows:
    """Read the scalars of event files, all points of them; the tag `epoch` tells of which epoch a step is, if given."""
    rows = [row for file in files for row in _of_epochs(list(_events(file.path)), epoch)]
    return Rows(files[0].path.parent if len(files) > 1 else files[0].path, rows, _names(rows))


def _of_epochs(rows: Sequence[Row], epoch: str | None) -> Sequence[Row]:
    """Return points with the epoch of their step, as Lightning logs it beside them."""
    if epoch is None:
        return rows
    known = {row.cells[STEP]: {epoch: row.cells[epoch]} for row in rows if epoch in row.cells}
    return [row._replace(cells={**known.get(row.cells[STEP], {}), **row.cells}) for row in rows]


def _events(path: Path) -> Iterator[Row]:
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util import tensor_util
    except ImportError:
        raise UserError(
            "target.metrics.format: tensorboard needs the package tensorboard, found none; "
            "install it with: pip install tensorboard"
        ) from None
    # 0 is all of them; else 10,000 are drawn
    sizes = {"scalars": 0, "tensors": 0}
    events = EventAccumulator(str(path), size_guidance=sizes, purge_orphaned_data=False)
    try:
        events.Reload()
    except Exception as error:
        raise ProgramError(f"{path} must be an event file, found {type(error).__name__}: {error}") from None
    tags = events.Tags()
    for tag in tags["scalars"]:
        for point in events.Scalars(tag):
            yield Row(f"step {point.step}", {STEP: point.step, tag: float(point.value)})
    # as TensorFlow 2 writes scalars
    for tag in tags["tensors"]:
        if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            for point in events.Tensors(tag):
                value = tensor_util.make_ndarray(point.tensor_proto)
                yield Row(f"step {point.step}", {STEP: point.step, tag: float(value.item())})
