"""Tables of curves in any dress are read as what they hold; damaged ones are told in one line, or are still right."""

import csv
import gzip
import io
import json
import math
import random
from dataclasses import dataclass

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_hyperband.base.errors import UserError
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay
from swift_hyperband.replay.tables.reader import read
from swift_hyperband.targets import recorded as curve_table

METRICS = ["loss", "val/loss", "$x_{^$ %s", "perte é", "损失", "a b"]
VALUES = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.5, 1e308, -1e308, 5e-324, 2.0**60, 1e155])


@dataclass
class Made:
    """A table that is right: a row of cells for each configuration and epoch, and what it holds."""

    id_: str
    metric: str
    own: bool
    first: int
    columns: list
    lines: list
    curves: dict

    @property
    def metric_column(self):
        return f"metric_{self.metric}" if self.own else self.metric

    def place(self, column):
        return self.columns.index(column)


@st.composite
def tables(draw):
    """Draw a right table; its lines in any order."""
    own, id_ = draw(st.booleans()), draw(st.sampled_from(["config_id", "trial", "row"]))
    metric, first = draw(st.sampled_from(METRICS)), draw(st.sampled_from([1, 1, 0]))
    count, epochs = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    prefix = "config_" if own else ""
    columns = [id_, f"{prefix}lr", f"{prefix}kind", "epoch", f"metric_{metric}" if own else metric]
    if draw(st.booleans()):
        columns.append("seconds")
    curves, lines = {}, []
    for row in range(count):
        length = epochs if row == 0 else draw(st.integers(1, epochs))
        values = draw(st.lists(VALUES, min_size=length, max_size=length))
        lr, kind = draw(st.floats(1e-9, 1e9)), draw(st.sampled_from(["sgd", "adam, fast", 'with "quotes"', "é"]))
        curves[str(row)] = values
        lines += [[row, lr, kind, epoch + first, value, 0.25][: len(columns)] for epoch, value in enumerate(values)]
    draw(st.randoms(use_true_random=False)).shuffle(lines)
    return Made(id_, metric, own, first, columns, lines, curves)


def held(value):
    """Return a curve as a table holds it: up to its first value that is not finite."""
    found = []
    for number in value:
        found.append(number if math.isfinite(number) else math.nan)
        if not math.isfinite(number):
            break
    return found


def written(value, odd):
    if isinstance(value, float) and math.isnan(value):
        return odd.choice(["", "nan", "NaN", " nan "])
    if isinstance(value, float) and math.isinf(value):
        return odd.choice(["inf", "Infinity", "+INF"] if value > 0 else ["-inf", "-Infinity"])
    return repr(value) if isinstance(value, float) else str(value)


def as_csv(made, odd, cells=None):
    """Return a table as a file of text, in a dress that changes nothing."""
    order = odd.sample(range(len(made.columns)), len(made.columns))
    file = io.StringIO()
    ends, between = odd.choice(["\n", "\r\n"]), odd.choice([",", ",", ";", "\t"])
    quoting = odd.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(file, delimiter=between, lineterminator=ends, quoting=quoting)
    pad = odd.choice(["", " "])
    writer.writerow([f"{pad}{made.columns[place]}{pad}" for place in order])
    for line in cells or [[written(cell, odd) for cell in line] for line in made.lines]:
        writer.writerow([line[place] for place in order] + line[len(order) :])
        if odd.random() < 0.1:
            file.write(ends)
    text = file.getvalue()
    text = text[: -len(ends)] if odd.random() < 0.3 else text
    return (b"\xef\xbb\xbf" if odd.random() < 0.3 else b"") + text.encode()


def save(content, folder, odd):
    if odd.random() < 0.3:
        path = folder / "table.csv.gz"
        path.write_bytes(gzip.compress(content))
    else:
        path = folder / "table.csv"
        path.write_bytes(content)
    return path


def as_parquet(made, folder, odd):
    columns = dict(zip(made.columns, zip(*made.lines, strict=True), strict=True))
    if odd.random() < 0.3:
        # numbers as text, as some writers leave them
        name = odd.choice([made.id_, "epoch", made.metric_column])
        columns[name] = [written(cell, odd) for cell in columns[name]]
    if odd.random() < 0.3:
        columns["epoch"] = [float(cell) for cell in columns["epoch"]]
    path = folder / "table.parquet"
    pyarrow.parquet.write_table(pyarrow.table({name: list(cells) for name, cells in columns.items()}), path)
    return path


def check(table, made):
    """Check that a table was read as what it holds, and that searches over it give numbers."""
    assert sorted(table.ids) == sorted(made.curves)
    for id_, recorded, curve in zip(table.ids, table.recorded, table.curves, strict=True):
        expected = held(made.curves[id_])
        assert recorded == len(expected)
        np.testing.assert_array_equal(np.where(np.isinf(curve), np.nan, curve)[:recorded], expected)
    replayable(table)


def replayable(table):
    if table.epochs < 2:
        return
    for algorithm in ("swift-hyperband", "random"):
        for run in Replay(table, table.epochs).runs(recipe(algorithm, table.epochs, 2, swift={"d": 3}), [0]):
            json.dumps(run.to_json(), allow_nan=False)
            final = [held(curve)[-1] for curve in table.metric.loss(table.curves) if len(curve) == table.epochs]
            assert run.best is None or run.best in table.metric.value(np.array(final)).tolist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@settings.get_profile("fuzz")
@given(tables(), st.integers(0, 2**32), st.sampled_from(["min", "max"]), st.booleans())
def test_a_right_table_is_read_as_what_it_holds_in_any_dress(folder, made, seed, mode, parquet):
    odd = random.Random(seed)
    path = as_parquet(made, folder, odd) if parquet else save(as_csv(made, odd), folder, odd)
    check(read(path, "long", made.metric, mode), made)


DAMAGES = {
    "text for a number": ("metric", ["high", "0,5", "1_000", "--", "1e", "0x10", "null", "true", "1 000", "12%"]),
    "no whole epoch": ("epoch", ["", "1.5", "-1", "one", "1,0", "nan", "inf", "99999999999999999999"]),
    "no name": ("id", ["", "  "]),
    "no seconds": ("seconds", ["-1", "soon", "inf"]),
}


@settings.get_profile("fuzz")
@given(tables(), st.integers(0, 2**32), st.sampled_from(list(DAMAGES)))
def test_a_cell_that_holds_something_else_is_told_with_its_line_and_column(folder, made, seed, damage):
    odd = random.Random(seed)
    kind, values = DAMAGES[damage]
    column = {"metric": made.metric_column, "epoch": "epoch", "id": made.id_, "seconds": "seconds"}[kind]
    if column not in made.columns:
        return
    cells = [[written(cell, odd) for cell in line] for line in made.lines]
    odd.choice(cells)[made.place(column)] = odd.choice(values)
    path = save(as_csv(made, odd, cells), folder, odd)
    with pytest.raises(UserError) as told:
        read(path, "long", made.metric, "min")
    one_line(told.value, path)
    assert f"column {column}" in str(told.value)
    assert "line " in str(told.value)


def one_line(error, path):
    assert str(error).startswith(f"{path}: ")
    assert len(str(error).splitlines()) == 1
    assert str(error).isprintable()


@settings.get_profile("fuzz")
@given(
    tables(), st.integers(0, 2**32), st.sampled_from(["again", "missing", "short", "long", "header twice", "no rows"])
)
def test_a_table_of_another_shape_is_told_or_right(folder, made, seed, damage):
    odd = random.Random(seed)
    cells = [[written(cell, odd) for cell in line] for line in made.lines]
    place = odd.randrange(len(cells))
    number = made.lines[place]
    last = number[made.place("epoch")] - made.first == len(made.curves[str(number[0])]) - 1
    if damage == "again":
        cells.insert(odd.randrange(len(cells) + 1), list(cells[place]))
    elif damage == "missing":
        # behind the end nothing is missing; without any epoch 0 a table counts from 1
        if last or number[made.place("epoch")] == 0:
            return
        del cells[place]
    elif damage == "short":
        cells = [line[:-1] if index == place else line for index, line in enumerate(cells)]
        path = folder / "table.csv"
        path.write_text(
            "\n".join(
                [
                    ",".join(f'"{name}"' for name in made.columns),
                    *(",".join(f'"{cell.replace(chr(34), chr(39))}"' for cell in line) for line in cells),
                ]
            )
            + "\n"
        )
    elif damage == "long":
        cells[place] = [*cells[place], "more"]
    elif damage == "header twice":
        made.columns[made.place("epoch")] = made.metric_column
    else:
        cells = []
    if damage == "no rows":
        path = folder / "table.csv"
        path.write_text(odd.choice(["", "\n", '"' + '","'.join(made.columns) + '"\n', "\ufeff"]), encoding="utf-8")
    elif damage != "short":
        path = save(as_csv(made, odd, cells), folder, odd)
    with pytest.raises(UserError) as told:
        read(path, "long", made.metric, "min")
    one_line(told.value, path)


@settings.get_profile("fuzz")
@given(tables(), st.integers(0, 2**32), st.booleans(), st.sampled_from(["cut", "flipped", "zeroed", "other"]))
def test_damaged_bytes_raise_no_other_error(folder, made, seed, parquet, damage):
    odd = random.Random(seed)
    path = as_parquet(made, folder, odd) if parquet else save(as_csv(made, odd), folder, odd)
    content = bytearray(path.read_bytes())
    place = odd.randrange(len(content))
    if damage == "cut":
        del content[place:]
    elif damage == "flipped":
        content[place] ^= 1 << odd.randrange(8)
    elif damage == "zeroed":
        content[place : place + 64] = bytes(len(content[place : place + 64]))
    else:
        content = bytearray(odd.randbytes(odd.randrange(1, 300)))
    path.write_bytes(content)
    for format_, metric in ((None, made.metric), ("long", None)):
        try:
            replayable(read(path, format_, metric, "min"))
        except UserError as error:
            one_line(error, path)


@settings.get_profile("fuzz")
@given(tables(), st.integers(0, 2**32))
def test_the_target_curve_table_reads_the_same(folder, made, seed):
    odd = random.Random(seed)
    # it has no hyperparameters but the row, and its epochs count from 1
    made.columns[made.place(made.id_)], made.columns[made.place("epoch")] = "row", "epoch"
    kept = [place for place, name in enumerate(made.columns) if name in ("row", "epoch", made.metric_column)]
    lines = [[line[place] for place in kept] for line in made.lines]
    columns = [made.columns[place] for place in kept]
    for line in lines:
        line[columns.index("epoch")] += 1 - made.first
    plain = Made("row", made.metric, made.own, 1, columns, lines, made.curves)
    path = save(as_csv(plain, odd), folder, odd)
    found = curve_table._table({"table": str(path)})
    for row, values in made.curves.items():
        read_back = [epoch[plain.metric_column] for epoch in found.curves[int(row)]]
        np.testing.assert_array_equal(read_back, values)
