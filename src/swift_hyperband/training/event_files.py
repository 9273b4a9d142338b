"""Event files of TensorBoard, written and read by TensorBoard's own classes: one folder for each trial.

A file begins with the configuration, for TensorBoard's tab HPARAMS; then comes each epoch, as a step.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event, SourceMetadata
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import metadata, plugin_data_pb2
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.summary.writer.record_writer import RecordWriter

PREFIX = "events.out.tfevents."
OURS = ".swift-hyperband"
"""How the names of our files end."""


class EventFile:
    """A new event file in a trial's folder, which follows those that are there.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads files in the order of their names, and other machines may have other clocks
        there = [int(number) for path in ours(folder) if (number := path.name[len(PREFIX) :].split(".")[0]).isdigit()]
        first = max([int(time.time()), *(number + 1 for number in there)])
        name = f"{PREFIX}{first:010d}.{os.uname().nodename}.{os.getpid()}{OURS}"
        self._writer = RecordWriter((folder / name).open("xb"))
        self._add(time.time(), file_version="brain.Event:2", source_metadata=SourceMetadata(writer="swift-hyperband"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def configuration(self, name: str, configuration: Mapping[str, Any], when: float) -> None:
        """Write the configuration of a trial."""
        start = plugin_data_pb2.SessionStartInfo(group_name=name, start_time_secs=when)
        for key, value in configuration.items():
            kind = "bool_value" if isinstance(value, bool) else "string_value" if isinstance(value, str) else None
            setattr(start.hparams[key], kind or "number_value", value)
        self._hparams(metadata.SESSION_START_INFO_TAG, when, session_start_info=start)

    def end(self, *, well: bool, when: float) -> None:
        """Write that a trial ended, well or by a failure."""
        status = Status.Value("STATUS_SUCCESS" if well else "STATUS_FAILURE")
        end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=when)
        self._hparams(metadata.SESSION_END_INFO_TAG, when, session_end_info=end)

    def epoch(self, epoch: int, values: Mapping[str, float], when: float) -> None:
        """Write the metrics of an epoch, and flush them."""
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._add(when, step=epoch, summary=Summary(value=scalars))
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    def _hparams(self, tag: str, when: float, **content: Any) -> None:
        made = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(**content))
        value = Summary.Value(tag=tag, metadata=made, tensor=metadata.NULL_TENSOR)
        self._add(when, summary=Summary(value=[value]))

    def _add(self, when: float, **content: Any) -> None:
        self._writer.write(Event(wall_time=when, **content).SerializeToString())


def ours(folder: Path) -> Iterable[Path]:
    """Return the event files of a folder that this module has written, in the order in which they are read."""
    return sorted(folder.glob(f"{PREFIX}*{OURS}"))


def last_epoch(folder: Path) -> int:
    """Return the last epoch in a trial's event files; 0 if there is none. One that a kill has torn does not count."""
    steps = [event.step for path in ours(folder) for event in EventFileLoader(str(path)).Load()]
    return max(steps, default=0)
