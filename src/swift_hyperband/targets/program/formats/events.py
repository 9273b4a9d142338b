"""Event files of TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.packages import missing
from swift_hyperband.targets.program.files import ProgramError, Written
from swift_hyperband.targets.program.rows import Row, Rows, names_in

STEP = "step"
"""The column of the step."""


def from_events(files: Sequence[Written], epoch: str | None = None) -> Rows:
    """Read the scalars of event files, all points of them; the tag `epoch` tells of which epoch a step is, if given."""
    rows = [row for file in files for row in _of_epochs(list(_events(file.path)), epoch)]
    return Rows(files[0].path.parent if len(files) > 1 else files[0].path, rows, names_in(rows))


def _of_epochs(rows: Sequence[Row], epoch: str | None) -> Sequence[Row]:
    """Return points with the epoch of their step, as Lightning logs it beside them."""
    if epoch is None:
        return rows
    known = {row.cells[STEP]: {epoch: row.cells[epoch]} for row in rows if epoch in row.cells}
    return [row._replace(cells={**known.get(row.cells[STEP], {}), **row.cells}) for row in rows]


def _events(path: Path) -> Iterator[Row]:
    try:
        # an optional package, which a study with this format alone needs
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util import tensor_util
    except ImportError:
        raise UserError(missing("target.metrics.format: tensorboard", "tensorboard", "tensorboard")) from None
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
