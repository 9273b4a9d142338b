"""What deciding costs for a search by workers, and `status` on it: a study of 10,000 trials, nothing is trained.

    python benchmarks/decider.py [--workers 1 64 1024] [--events 2000] [--folder DIR]

The process that decides is the product's, with its files. Workers are played in the same process: they read the agenda,
write a curve by formula and note their events. CPU and files of the decider are counted without theirs. The study is
Swift-Hyperband with R = 6561 and eta = 3. At the end a look of an idle worker is counted, and `status` runs on the
folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from statistics import median

from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Training
from swift_hyperband.study.model import Study, parse
from swift_hyperband.training import trial
from swift_hyperband.workers import decider
from swift_hyperband.workers.agenda import Agenda
from swift_hyperband.workers.conduct import conduct_of
from swift_hyperband.workers.roster import Seat
from swift_hyperband.workers.start import LOOKS, Deciding
from swift_hyperband.workflow.deciding import deciding
from swift_hyperband.workflow.driver import begin_search

STUDY = {
    "name": "large",
    "target": {"name": "curve-table", "metric": "loss", "mode": "min", "options": {"table": "none.csv"}},
    "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
    "search": {"max_epochs": 6561, "eta": 3, "seed": 1},
    "swift": {"thaw": 0.0},
    "execution": "workers",
}


class EnoughError(Exception):
    """So many events were measured."""


class Played:
    """Workers that end all their trainings between two looks of the decider."""

    def __init__(self, folder: StudyFolder, workers: int, events: int) -> None:
        self._folder, self._most = folder, events
        self._seats = [Seat(folder, str(number)) for number in range(workers)]
        for seat in self._seats:
            seat.describe(at_a_time=1)
        self.events = 0
        self.cpu: list[float] = []
        """Seconds of CPU of each round of the decider's loop that heard of events, over their number."""
        self.spent = self.longest = 0.0
        """Seconds of CPU of all rounds of the loop and of the longest one, in which most was decided."""
        self.files: Counter[str] = Counter()
        self._counts = False
        self._heard = 0
        self._since = 0.0
        sys.addaudithook(self._count)

    def _count(self, event: str, _: tuple[object, ...]) -> None:
        if self._counts and event in ("open", "os.rename", "os.link", "os.listdir", "os.scandir", "os.remove"):
            self.files[event] += 1

    def __call__(self) -> None:
        """Train what the agenda has."""
        self._counts = False
        if self._heard:
            took = time.process_time() - self._since
            self.longest = max(self.longest, took)
            self.spent += took
            self.cpu.append(took / self._heard)
        self.events += self._heard
        found = Agenda.read(self._folder.agenda)
        assert found is not None
        # at the end the best trial's state is asked for, and there is none
        wanted = any(trial.state_is_wanted(self._folder.trial(training.trial)) for training in found.needed)
        if self.events >= self._most or wanted:
            raise EnoughError
        trainings = found.needed[: len(self._seats)]
        for seat, training in zip(self._seats, trainings, strict=False):
            seat.note("began", training)
            self._train(training)
            seat.note("trained", training)
        self._heard = len(trainings)
        self._counts, self._since = True, time.process_time()

    def _train(self, training: Training) -> None:
        place = self._folder.trial(training.trial)
        end = int(training.trial, 16) / 16 ** len(training.trial)
        rows: list[trial.Row] = [
            {"epoch": epoch, "loss": end + 1 / epoch, "seconds": 1.0} for epoch in range(1, training.epochs + 1)
        ]
        trial.write_rows(place, rows)

    def leave(self) -> None:
        """End the workers."""
        self._counts = False
        for seat in self._seats:
            seat.leave()


def measured(folder: StudyFolder, study: Study, workers: int, events: int) -> None:
    """Let the decider go on for so many events, and print what one of them costs."""
    played = Played(folder, workers, events)
    conduct = conduct_of(folder, study)
    begin = time.process_time()
    with deciding(folder) as held, suppress(EnoughError):
        decider.Decider(folder, study, conduct, held, played).run()
    played.leave()
    took = time.process_time() - begin
    mean = played.spent / played.events
    files = ", ".join(f"{count / played.events:.2f} {name}" for name, count in sorted(played.files.items()))
    print(
        f"{workers:5} workers, {played.events} events: {1000 * mean:.2f} ms CPU an event in the mean, "
        f"{1000 * median(played.cpu):.2f} in the median, {played.longest:.2f} s where most was decided; "
        f"files an event: {files} ({took:.1f} s CPU with the replay of the folder and the workers' own)",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 64, 1024])
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--folder", type=Path, help="where the study lies (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.chdir(options.folder or temporary)
        # no pause between two looks: the played workers are ready at once
        decider.PAUSE, decider.READS = 0.0, float("inf")  # type: ignore[assignment]
        study, folder = parse(STUDY, "study"), StudyFolder.of("large")
        begin = time.process_time()
        folder.path.mkdir(parents=True, exist_ok=True)
        study = begin_search(study, folder)
        trials = study.schedule().configurations
        print(f"{trials} trials; begun in {time.process_time() - begin:.1f} s CPU; load {os.getloadavg()[0]:.1f}")
        for workers in options.workers:
            measured(folder, study, workers, options.events)
        look(folder)
        begin = time.monotonic()
        used = os.times()
        subprocess.run(
            [sys.executable, "-m", "swift_hyperband", "status", str(folder.path)],
            check=False,
            stdout=subprocess.DEVNULL,
        )
        cpu = sum(os.times()[2:4]) - sum(used[2:4])
        print(f"status: {cpu:.2f} s CPU, {time.monotonic() - begin:.2f} s wall")


def look(folder: StudyFolder) -> None:
    """Print how many files idle workers open."""
    opened: Counter[str] = Counter()
    sys.addaudithook(lambda event, _: opened.update([event]) if event == "open" else None)
    with deciding(folder):
        process = Deciding(folder, str(folder.path))
        opened.clear()
        for _ in range(100):
            process.agenda()
    print(
        f"an idle worker opens {opened['open'] / 100:.2f} files in a look, of which all together take {LOOKS} a second"
    )


if __name__ == "__main__":
    main()
