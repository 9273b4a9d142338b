"""Cost of starting a training: each trial in a process of its own, against all trials in one batch.

    python benchmarks/start_cost.py [--trials 12]

One epoch of the digits CNN a trial, one thread, one after another. CPU seconds per trial.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

RUN = """
import sys
from pathlib import Path
from swift_hyperband.training.batch import train_batch
from swift_hyperband.training.settings import TrainingSettings
settings = TrainingSettings(target="digits-cnn", options={}, metric="accuracy", threads=1, seed=0, retries=0)
train_batch(Path(sys.argv[1]), settings, sys.argv[2].split(), int(sys.argv[3]))
"""


def cpu(folder: Path, trials: list[str], epochs: int) -> float:
    """Return the CPU seconds of one process that trains trials to an epoch."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", RUN, str(folder), " ".join(trials), str(epochs)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=12)
    count = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trials = [f"trial{number}" for number in range(2 * count)]
        for trial in trials:
            place = folder / "trials" / trial
            place.mkdir(parents=True)
            configuration = {"learning_rate": 0.03, "weight_decay": 1e-5, "dropout": 0.2}
            (place / "config.json").write_text(json.dumps({"trial": trial, "configuration": configuration}))
        alone = sum(cpu(folder, [trial], 1) for trial in trials[:count]) / count
        one, nine = cpu(folder, trials[count:], 1), cpu(folder, trials[count:], 9)
        batch = one / count
        # the second call starts like the first, and trains eight epochs instead of one
        epoch = (nine - one) / count / 7
        print(f"one epoch of training             {epoch:6.3f} CPU s")
        print(f"a trial alone in its process      {alone:6.3f} CPU s, {alone - epoch:.3f} of it start")
        print(f"a trial in a batch of {count:<4}        {batch:6.3f} CPU s, {batch - epoch:.3f} of it start")
        print(f"start cost, alone / in the batch  {(alone - epoch) / (batch - epoch):6.1f} times")


if __name__ == "__main__":
    main()
