"""The program of the search: put yours in its place, in any language.

It trains from one epoch to another, reports a metric after each epoch, and keeps its state in a folder. Here a straight
line is fitted by gradient descent, in Python without any package.
"""

import argparse
import json
import random
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--decay", type=float, required=True)
parser.add_argument("--from", type=int, required=True, dest="first", help="the epochs behind it")
parser.add_argument("--to", type=int, required=True, help="the last epoch of this start")
parser.add_argument("--state-in", required=True, help="a folder, or - for a new training")
parser.add_argument("--state-out", type=Path, required=True, help="an empty folder")
parser.add_argument("--metrics", type=Path, required=True, help="a line of JSON for each epoch")
parser.add_argument("--seed", type=int, required=True)
options = parser.parse_args()

draw = random.Random(0)
points = [(x / 100, 3 * x / 100 - 1 + draw.gauss(0, 0.3)) for x in range(-100, 100)]
training, validation = points[::2], points[1::2]

slope, offset = 0.0, 0.0
if options.state_in != "-":
    slope, offset = json.loads((Path(options.state_in) / "line.json").read_text())
for epoch in range(options.first + 1, options.to + 1):
    # each epoch draws its own numbers, so that a training in pieces is the same as one in one go
    order = random.Random(f"{options.seed}, {epoch}").sample(training, len(training))
    rate = options.lr / epoch**options.decay
    for x, y in order:
        error = slope * x + offset - y
        slope, offset = slope - rate * error * x, offset - rate * error
    loss = sum((slope * x + offset - y) ** 2 for x, y in validation) / len(validation)
    with options.metrics.open("a") as file:
        print(json.dumps({"epoch": epoch, "loss": loss}), file=file)
(options.state_out / "line.json").write_text(json.dumps([slope, offset]))
