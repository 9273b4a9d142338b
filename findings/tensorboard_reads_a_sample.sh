#!/usr/bin/env bash
# TensorBoard 2.21: what a script gets back from an event file depends on who wrote it. A scalar written as a number
# (torch's SummaryWriter) comes under Scalars(), 10,000 of 50,000 points, drawn at random, the last kept and the first
# lost. A scalar written as a tensor (TensorBoard's own Writer, TensorFlow 2, torch with new_style=True) is no scalar
# for EventAccumulator: it comes under Tensors(), TEN points of 100. size_guidance of 0 for both gives all.
#
# Seen: number: Scalars(), 10000 of 50000, steps [5, 7, 15, 16] ... 49999
#       tensor: Tensors(), 10 of 100, steps [3, 20, 24, 32] ... 99
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tensorboard==2.21.0
venv/bin/python - <<'EOF'
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary import Writer
from tensorboard.summary.writer.event_file_writer import EventFileWriter

writer = EventFileWriter("number")
for step in range(50_000):
    value = Summary.Value(tag="loss", simple_value=1 / (step + 1))
    writer.add_event(Event(step=step, wall_time=step, summary=Summary(value=[value])))
writer.close()
writer = Writer("tensor")
for step in range(100):
    writer.add_scalar("loss", 1 / (step + 1), step=step)
writer.close()


def steps(folder, **guidance):
    events = EventAccumulator(folder, **guidance)
    events.Reload()
    read = events.Scalars if "loss" in events.Tags()["scalars"] else events.Tensors
    return read.__name__, [event.step for event in read("loss")]


everything = {"size_guidance": {"scalars": 0, "tensors": 0}}
for folder, written, kept, by in (("number", 50_000, 10_000, "Scalars"), ("tensor", 100, 10, "Tensors")):
    name, read = steps(folder)
    print(f"{folder}: {name}(), {len(read)} of {written}, steps {read[:4]} ... {read[-1]}")
    assert name == by and len(read) == kept and read[0] > 0 and read[-1] == written - 1
    assert steps(folder, **everything)[1] == list(range(written))
EOF
