"""Files of programs, damaged or laid out in any way: the values that were measured, or one line; nothing else."""

import math
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from swift_hyperband.base.errors import UserError
from swift_hyperband.study.target import MetricsFile
from swift_hyperband.targets.program.files import ProgramError, before_start, written
from swift_hyperband.targets.program.metrics import Keys, Wanted, measured

WRITERS = Path(__file__).parents[1] / "targets/program/writers"
FILES = sorted(path for path in WRITERS.glob("*/*/*") if path.name != "expected.json" and "tfevents" not in path.name)
METRICS = {
    "catboost": ("RMSE", "test/RMSE"),
    "fastai": ("mae",),
    "huggingface": ("eval_loss",),
    "lightgbm": ("val's l2",),
    "skorch": ("valid_loss",),
    "ultralytics": ("val/box_loss",),
    "xgboost": ("validation-rmse",),
}
PIECES = (
    b"\0",
    b",",
    b";",
    b"\n",
    b"\r",
    b'"',
    b"nan",
    b"-",
    b"e",
    b"{",
    b"]",
    b"NA",
    b"\xff",
    b"1e999",
    b"\t",
    b"null",
)


@st.composite
def damaged(draw):
    """Return a writer's name, keys beside, a metric and what became of a file of that writer."""
    path = draw(st.sampled_from(FILES))
    writer, content = path.parts[-3], bytearray(path.read_bytes())
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(("insert", "delete", "end", "repeat"))):
            case "insert":
                content[at:at] = draw(st.sampled_from(PIECES) | st.binary(max_size=3))
            case "delete":
                del content[at : at + draw(st.integers(1, 30))]
            case "end":
                del content[at:]
            case "repeat":
                begin = draw(st.integers(0, len(content)))
                content[at:at] = content[begin : begin + draw(st.integers(1, 80))]
    more = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "epoch": st.none(),
                "missing": st.sampled_from(("last", "diverged")),
                "every": st.integers(1, 3),
                "counts_anew": st.booleans(),
            },
        )
    )
    if path.name == "catboost_training.json":
        more = {"format": "json", "epoch": "iteration", **more}
    return writer.replace("_", "-"), more, draw(st.sampled_from(METRICS.get(writer, ("val_loss",)))), bytes(content)


@settings(settings.get_profile("fuzz"))
@given(damaged(), st.integers(0, 3), st.integers(1, 4), st.integers(0, 400))
def test_a_damaged_file_is_read_or_told_in_one_line(tmp_path_factory, file, begin, more, old):
    writer, keys, metric, content = file
    keys = Keys.of(MetricsFile.model_validate({"writer": writer, "path": "x", **keys}).model_dump())
    path = tmp_path_factory.mktemp("fuzz") / "log"
    path.write_bytes(content[:old])
    before = before_start(str(path))
    path.write_bytes(content)
    told, found = "", {}
    try:
        found = measured(
            written(str(path), before), keys, Wanted(metric, begin, begin + more, {metric: 1.0}, alone=True)
        )
    except (ProgramError, UserError) as error:
        told = str(error)
    if told:
        assert told.isprintable()
        return
    assert list(found) == list(range(begin + 1, begin + 1 + len(found)))
    values = [row[metric] for row in found.values()]
    assert all(map(math.isfinite, values[:-1]))
    assert len(found) == more or not math.isfinite(values[-1])


@st.composite
def laid_out(draw):
    """Return the losses of some epochs, and a table in which they stand in one of many ways."""
    losses = draw(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6))
    between = draw(st.sampled_from(",;\t"))
    pad = draw(st.sampled_from(("", " ")))
    quote = draw(st.sampled_from(("", '"')))
    first = draw(st.integers(0, 1))
    columns = draw(st.permutations(["epoch", "loss", "train loss", "note"]))

    def line(cells):
        return between.join(f"{pad}{quote}{cells.get(name, '')}{quote}{pad * (not quote)}" for name in columns)

    rows = [{name: name for name in columns}]
    for number, loss in enumerate(losses, first):
        own = [{"epoch": number, "loss": repr(loss)}]
        others = st.sampled_from(
            (
                {"epoch": number, "train loss": "0.25"},
                {"epoch": f"{number}.0", "note": "fine"},
                {"epoch": number, "loss": draw(st.sampled_from(("", "NA", "null")))},
                {"epoch": number + 0.5, "loss": "7"},
                {"loss": "7", "note": "of no epoch"},
                {name: name for name in columns},
            )
        )
        rows += draw(st.permutations(own + draw(st.lists(others, max_size=3))))
    end = draw(st.sampled_from(("\n", "\r\n", "\r")))
    text = end.join(line(row) for row in rows) + draw(st.sampled_from(("", end)))
    return losses, first, draw(st.sampled_from(("", "\ufeff"))) + text


@settings(settings.get_profile("fuzz"))
@given(laid_out(), st.integers(0, 5))
def test_however_a_table_is_laid_out_its_epochs_have_their_values(tmp_path_factory, table, begin):
    losses, first, text = table
    path = tmp_path_factory.mktemp("fuzz") / "log.csv"
    path.write_bytes(text.encode())
    keys = Keys(format="csv", epoch="epoch", counts_from_zero=first == 0)
    begin = min(begin, len(losses) - 1)
    found = measured(written(str(path), {}), keys, Wanted("loss", begin, len(losses)))
    assert [row["loss"] for row in found.values()] == losses[begin:]
    assert list(found) == list(range(begin + 1, len(losses) + 1))
