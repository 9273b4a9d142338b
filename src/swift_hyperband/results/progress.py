"""The progress of a search in numbers: brackets, the best so far, epochs trained and saved, failures."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric, to_json
from swift_hyperband.processes.log import last as last_log
from swift_hyperband.results import accounting, jobs, workers
from swift_hyperband.results.ahead import Ahead
from swift_hyperband.results.best import Best as Winner
from swift_hyperband.results.bracket_progress import BracketProgress, left_behind, of_bracket, of_rungs, of_thaw
from swift_hyperband.results.contents import Config
from swift_hyperband.results.history import History, RoundHistory
from swift_hyperband.results.jobs import Job, totals
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.standing import Best
from swift_hyperband.results.taken import TakenEpochs
from swift_hyperband.results.workers import Worker
from swift_hyperband.search.decisions import rank
from swift_hyperband.slurm.queue import Run
from swift_hyperband.training import glance
from swift_hyperband.training.glance import Begun, Glance, Stamp
from swift_hyperband.training.trial import DAMAGED, damages, failures, state_of

ASK_EVERY = 60.0
"""Seconds after which SLURM is asked again what the jobs took."""


@dataclass(frozen=True)
class Progress:
    """How far a search has come.

    Attributes
    ----------
    history : History
    brackets : tuple of BracketProgress
    best : Best or None
    crashes : mapping of str to dict
        By trial, starts, epoch, error, log and failed of those that crashed and gained no epoch since, and what is
        alike in crashes of one cause (None where that is not known).
    errors : mapping of Path to str
        The last line of the logs of jobs that ended with an error.
    last : float or None
        When the last epoch ended, in seconds since 1970 by the clock of the file system.
    jobs : tuple of Job
        Starts of training jobs and workers; none where the search runs in one process.
    workers : tuple of Worker
        All that there were; those that are alive with their trainings.
    repeated : int
        Epochs that were started again after kills and crashes.
    log : Path or None
        What the trial printed that began an epoch last.
    damaged : mapping of str to str
        By trial, the last state that was found damaged, so that the trial was trained again.
    ahead : Ahead
        Epochs that were trained before the search asked for them.
    earlier : TakenEpochs
        Epochs that were taken over from earlier searches.
    """

    history: History
    brackets: tuple[BracketProgress, ...]
    best: Best | None
    crashes: Mapping[str, Mapping[str, Any]]
    errors: Mapping[Path, str]
    last: float | None
    jobs: tuple[Job, ...] = ()
    repeated: int = 0
    log: Path | None = None
    damaged: Mapping[str, str] = field(default_factory=dict)
    workers: tuple[Worker, ...] = ()
    ahead: Ahead = field(default_factory=Ahead)
    earlier: TakenEpochs = field(default_factory=TakenEpochs)

    @property
    def living(self) -> dict[str, Job]:
        """Return the current start of each worker that is alive, by name."""
        return workers.living(self.workers, self.jobs)

    @property
    def over(self) -> bool:
        """Whether nothing will come any more: the search is finished, or nothing is left of it."""
        nobody = not any(bracket.trials["alive"] for bracket in self.brackets)
        return self.history.finished and (self.history.folder.best.exists() or nobody)

    @property
    def has_no_bound(self) -> bool:
        """Whether it is not known how many epochs come at most."""
        rungs = self.history.rungs
        return rungs is not None and not rungs.over and self.history.study.frozen().most_epochs() is None

    def sum(self, what: Literal["spent", "saved", "to_come"]) -> int:
        """Return a number of epochs over all brackets."""
        return max(0, sum(int(getattr(bracket, what)) for bracket in self.brackets))

    def to_json(self) -> dict[str, Any]:
        """Return the progress as `swift-hyperband status --json` prints it."""
        folder, best, rungs = self.history.folder, self.best, self.history.rungs
        epochs: dict[str, int | None] = {
            "spent": self.sum("spent"),
            "saved": self.sum("saved"),
            "to_come": None if self.has_no_bound else self.sum("to_come"),
        }
        epochs |= {"repeated": self.repeated}
        epochs |= {"ahead_used": self.ahead.used, "ahead_in_vain": self.ahead.in_vain}
        epochs |= {"earlier": self.earlier.used, "earlier_again": self.earlier.again}
        return {
            "started": True,
            "study": self.history.study.name,
            "finished": folder.best.exists(),
            "epochs": epochs | {"hyperband": self.history.schedule.epochs_hyperband},
            "best": None if best is None else vars(best) | {"value": to_json(best.value)},
            "brackets": [
                {
                    "bracket": bracket.bracket,
                    "round": None if bracket.round is None else bracket.round.schedule.index,
                    "epochs": {"spent": bracket.spent, "saved": bracket.saved, "to_come": bracket.to_come},
                    "trials": dict(bracket.trials),
                }
                for bracket in (self.brackets if rungs is None else ())
            ],
            **({} if rungs is None else {"rungs": rungs.to_json()}),
            "crashes": dict(self.crashes),
            "damaged": dict(self.damaged),
            "errors": {str(path): line for path, line in self.errors.items()},
            "jobs": asdict(totals(self.jobs)),
            **({"workers": workers.to_json(self.workers, self.living)} if self.workers else {}),
        }


class Reader:
    """Reads how far a search has come, again and again; curves that did not change are read once.

    Parameters
    ----------
    folder : StudyFolder
    asks : bool
        Whether SLURM is asked what the jobs took, and not only what was noted of that is read.
    """

    def __init__(self, folder: StudyFolder, asks: bool = True) -> None:
        self.folder = folder
        self._trials = f"{folder.path}/trials/"
        self._asks = asks
        self._known: dict[str, _Known] = {}
        self._jobs: dict[Path, Job] = {}
        self._workers: dict[Path, tuple[workers.Stamp, Worker]] = {}
        self._runs: tuple[float, list[Run]] | None = None

    def read(self) -> Progress | None:
        """Return how far the search has come; None if it was not started."""
        if not self.folder.study.exists():
            return None
        history = History(self.folder)
        first = [found for found in history.rounds.values() if found.schedule.index == 0]
        trials = [trial for found in first for trial in found.competitors]
        if history.rungs is not None:
            trials = list(history.rungs.trials)
        metric = history.study.metric
        for trial in trials:
            self._look(trial, metric)
        known = {trial: self._known[trial] for trial in trials}
        ahead, asked, taken = Ahead(), history.asked, history.taken
        if history.rungs is None:
            ahead = Ahead.sum(
                Ahead.of(asked[name], found.trained.epochs, found.begun.ahead, taken.epochs(name))
                for name, found in known.items()
            )
        trained = {trial: self._cut(trial, found.trained, asked[trial], metric) for trial, found in known.items()}
        brackets = _brackets(history, trained)
        ended = [found.curve[0] / 1e9 for found in self._known.values() if found.curve is not None]
        crashes = {}
        for trial in trials:
            # the file goes away when the trial gains an epoch, perhaps just now
            if known[trial].failures is not None:
                with suppress(UserError):
                    if (crash := failures(self.folder.trial(trial))) is None:
                        continue
                    crashes[trial] = {key: crash[key] for key in ("starts", "epoch", "error", "failed")}
                    crashes[trial]["alike"] = crash["alike"]
                    if crash["log"]:
                        crashes[trial]["log"] = str(self.folder.trial(trial) / crash["log"])
        best = _best(history, trained)
        errors = _job_errors(self.folder, history.all_rounds)
        repeated = sum(found.begun.repeated for found in known.values())
        starts = self._read_jobs()
        last = max(ended, default=None)
        log = self._latest_log()
        damaged = {trial: told[-1] for trial in trials if (told := self._damages(trial))}
        there = tuple(workers.read(self.folder, self._workers, workers.at_work(starts)))
        return Progress(
            history,
            tuple(brackets),
            best,
            crashes,
            errors,
            last,
            starts,
            repeated,
            log,
            damaged,
            there,
            ahead,
            history.earlier,
        )

    def _latest_log(self) -> Path | None:
        """Return the log of the trial that began an epoch last."""
        begun = {found.started: trial for trial, found in self._known.items() if found.started is not None}
        return last_log(self.folder.trial(begun[max(begun)])) if begun else None

    def _read_jobs(self) -> tuple[Job, ...]:
        recorded = jobs.read(self.folder.path, self._jobs)
        if self._runs is None or time.monotonic() - self._runs[0] > ASK_EVERY:
            path = self.folder.path
            self._runs = time.monotonic(), accounting.ask(path, recorded) if self._asks else accounting.noted(path)
        return tuple(accounting.put_together(recorded, self._runs[1]))

    def _look(self, trial: str, metric: Metric) -> None:
        """Read of a trial what changed."""
        # paths as texts: there may be tens of thousands
        place = f"{self._trials}{trial}"
        curve, crashes, begun = glance.stamps(place)
        known = self._known.get(trial)
        if known is not None and (known.curve, known.failures, known.started) == (curve, crashes, begun):
            return
        # many trials are asked for later, or write no such file
        trained = glance.NOTHING if curve is crashes is None else glance.look(place, metric, crashes is not None)
        started = Begun() if begun is None else glance.begun(place)
        self._known[trial] = _Known(curve, crashes, begun, trained, started)

    def _cut(self, trial: str, found: Glance, asked: int, metric: Metric) -> Glance:
        """Return how far a trial has come as if nothing was trained beyond an epoch, ahead of the search."""
        if found.epochs <= asked:
            return found
        return Glance.of(state_of(self.folder.trial(trial), metric.name).cut(asked), metric)

    def _damages(self, trial: str) -> list[str]:
        is_there = glance.stamp(f"{self._trials}{trial}/{DAMAGED}") is not None
        return damages(self.folder.trial(trial)) if is_there else []


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a trial, with the stamps of its files."""

    curve: Stamp
    failures: Stamp
    started: Stamp
    trained: Glance
    begun: Begun


def _brackets(history: History, trained: Mapping[str, Glance]) -> list[BracketProgress]:
    """Return how far each bracket has come, and the round after them; a search without rounds counts as one bracket."""
    if history.rungs is not None:
        return [of_rungs(history.rungs, trained, history.study.frozen().most_epochs())]
    left = left_behind(history)
    found = [
        of_bracket(bracket, [history.rounds[round_.key] for round_ in rounds], trained, left)
        for bracket, rounds in history.schedule.brackets.items()
    ]
    return found if history.thaw is None else [*found, of_thaw(history.thaw, trained, left)]


def _best(history: History, trained: Mapping[str, Glance]) -> Best | None:
    """Return the winner if the search is over, else the best trial so far where it stands; None without any."""
    if history.folder.best.exists():
        won = Winner.read(history.folder.best)
        return Best(won.trial, won.value, won.epochs, won.configuration)
    metric = history.study.metric
    order = rank(
        {trial: metric.loss(found.value) for trial, found in trained.items() if found.status == "ok" and found.epoch}
    )
    if not order:
        return None
    trial = order[0]
    configuration = Config.read(history.folder.config(trial)).configuration
    return Best(trial, trained[trial].value, trained[trial].epoch, configuration)


def _job_errors(folder: StudyFolder, rounds: Iterable[RoundHistory]) -> dict[Path, str]:
    """Return the last line of each log that tells of an error, where the job's file is still missing."""
    logs = {folder.best_log: folder.best}
    logs.update((log, log.with_name("done")) for log in folder.workers.glob("*/log") if not folder.best.exists())
    for found in rounds:
        if (found.competitors or found.schedule.is_thaw) and found.promoted is None:
            logs.update(folder.logs(found.schedule))
    errors = {}
    for log, output in sorted(logs.items()):
        if output.exists() or not log.exists():
            continue
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if lines and (lines[-1].startswith("error: ") or "Traceback (most recent call last):" in lines):
            errors[log] = lines[-1].removeprefix("error: ")
    return errors
