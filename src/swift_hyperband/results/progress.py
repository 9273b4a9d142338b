"""The progress of a search in numbers: brackets, the best so far, epochs trained and saved, failures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import to_json
from swift_hyperband.processes.log import last as last_log
from swift_hyperband.results import accounting, jobs
from swift_hyperband.results.best import Best as Winner
from swift_hyperband.results.contents import Config
from swift_hyperband.results.history import History, RoundHistory
from swift_hyperband.results.jobs import Job, totals
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.standing import Best, Fate, fate
from swift_hyperband.search.decisions import rank
from swift_hyperband.slurm.queue import Run
from swift_hyperband.training.trial import CURVE, FAILURES, STARTED, Trained, damages, failures, repeated, state_of

STATES = ("alive", "stopped", "not promoted", "failed", "diverged")
"""The fates of trials as `status` counts them: those that can win are alive, and "stopped" is by prediction."""

ASK_EVERY = 60.0
"""Seconds after which SLURM is asked again what the jobs took."""

Stamp = tuple[int, int] | None
"""When a file changed and its size; None where there is no file."""


@dataclass(frozen=True)
class BracketProgress:
    """How far a bracket has come.

    Attributes
    ----------
    bracket : int
    round : RoundHistory or None
        The first round that is not over; None after the last.
    rounds : int
        How many rounds it has.
    spent, saved, to_come : int
        Epochs trained, saved by predictions, and still to be trained at most.
    trials : mapping of str to int
        How many trials became what, by `STATES`.
    is_thaw : bool
        Whether it is the round after all brackets, which then has the trials that go on, and the epochs that they do.
    """

    bracket: int
    round: RoundHistory | None
    rounds: int
    spent: int
    saved: int
    to_come: int
    trials: Mapping[str, int]
    is_thaw: bool = False

    @property
    def name(self) -> str:
        return "thaw" if self.is_thaw else f"bracket {self.bracket}"


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
        Starts of training jobs; none where the search runs in one process.
    repeated : int
        Epochs that were started again after kills and crashes.
    log : Path or None
        What the trial printed that began an epoch last.
    damaged : mapping of str to str
        By trial, the last state that was found damaged, so that the trial was trained again.
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

    @property
    def over(self) -> bool:
        """Whether nothing will come any more: the search is finished, or nothing is left of it."""
        nobody = not any(bracket.trials["alive"] for bracket in self.brackets)
        return self.history.finished and (self.history.folder.best.exists() or nobody)

    def sum(self, what: Literal["spent", "saved", "to_come"]) -> int:
        """Return a number of epochs over all brackets."""
        return max(0, sum(int(getattr(bracket, what)) for bracket in self.brackets))

    def to_json(self) -> dict[str, Any]:
        """Return the progress as `swift-hyperband status --json` prints it."""
        folder, best = self.history.folder, self.best
        epochs = {"spent": self.sum("spent"), "saved": self.sum("saved"), "to_come": self.sum("to_come")}
        epochs |= {"repeated": self.repeated}
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
                for bracket in self.brackets
            ],
            "crashes": dict(self.crashes),
            "damaged": dict(self.damaged),
            "errors": {str(path): line for path, line in self.errors.items()},
            "jobs": asdict(totals(self.jobs)),
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
        self._asks = asks
        self._known: dict[str, tuple[tuple[Stamp, Stamp], Trained]] = {}
        self._repeated: dict[str, tuple[Stamp, int]] = {}
        self._jobs: dict[Path, Job] = {}
        self._runs: tuple[float, list[Run]] | None = None

    def read(self) -> Progress | None:
        """Return how far the search has come; None if it was not started."""
        if not self.folder.study.exists():
            return None
        history = History(self.folder)
        first = [found for found in history.rounds.values() if found.schedule.index == 0]
        trials = [trial for found in first for trial in found.competitors]
        trained = {trial: self._trained(trial, history.study.target.metric) for trial in trials}
        brackets = []
        for bracket, rounds in history.schedule.brackets.items():
            of_bracket = [history.rounds[round_.key] for round_ in rounds]
            brackets.append(_bracket(bracket, of_bracket, trained, _left(history)))
        if history.thaw is not None:
            brackets.append(_thaw(history.thaw, trained, _left(history)))
        ended = [stamps[0][0] / 1e9 for stamps, _ in self._known.values() if stamps[0] is not None]
        crashes = {}
        for trial in trials:
            # the file goes away when the trial gains an epoch, perhaps just now
            if self._known[trial][0][1] is not None:
                with suppress(UserError):
                    if (crash := failures(self.folder.trial(trial))) is None:
                        continue
                    crashes[trial] = {key: crash[key] for key in ("starts", "epoch", "error", "failed")}
                    crashes[trial]["alike"] = crash["alike"]
                    if crash["log"]:
                        crashes[trial]["log"] = str(self.folder.trial(trial) / crash["log"])
        best = _best(history, trained)
        errors = _job_errors(self.folder, history.all_rounds)
        repeated = sum(map(self._repeats, trials))
        started = self._read_jobs()
        last = max(ended, default=None)
        log = self._latest_log()
        damaged = {trial: found[-1] for trial in trials if (found := damages(self.folder.trial(trial)))}
        return Progress(history, tuple(brackets), best, crashes, errors, last, started, repeated, log, damaged)

    def _latest_log(self) -> Path | None:
        """Return the log of the trial that began an epoch last."""
        begun = {stamp: trial for trial, (stamp, _) in self._repeated.items() if stamp is not None}
        return last_log(self.folder.trial(begun[max(begun)])) if begun else None

    def _read_jobs(self) -> tuple[Job, ...]:
        recorded = jobs.read(self.folder.path, self._jobs)
        if self._runs is None or time.monotonic() - self._runs[0] > ASK_EVERY:
            path = self.folder.path
            self._runs = time.monotonic(), accounting.ask(path, recorded) if self._asks else accounting.noted(path)
        return tuple(accounting.put_together(recorded, self._runs[1]))

    def _repeats(self, trial: str) -> int:
        folder = self.folder.trial(trial)
        stamp = _stamp(folder / STARTED)
        if trial not in self._repeated or self._repeated[trial][0] != stamp:
            self._repeated[trial] = stamp, repeated(folder)
        return self._repeated[trial][1]

    def _trained(self, trial: str, metric: str) -> Trained:
        folder = self.folder.trial(trial)
        stamps = _stamp(folder / CURVE), _stamp(folder / FAILURES)
        if trial not in self._known or self._known[trial][0] != stamps:
            self._known[trial] = stamps, state_of(folder, metric)
        return self._known[trial][1]


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def _left(history: History) -> dict[str, int]:
    """Return how many epochs the trials that go on after all brackets had behind them."""
    thawed = history.thawed
    return {} if thawed is None else {trial: thawed.left[trial].epochs for trial in thawed.chosen}


def _thaw(found: RoundHistory, trained: Mapping[str, Trained], left: Mapping[str, int]) -> BracketProgress:
    end, over = found.schedule.end, found.promoted is not None
    spent = sum(max(0, len(trained[trial].values) - epochs) for trial, epochs in left.items())
    missing = sum(max(0, end - len(trained[trial].values)) for trial in left if trained[trial].status == "ok")
    chosen = bool(found.competitors) or over
    to_come = 0 if over else missing if chosen else (found.schedule.budget or 0)
    count = Counter("alive" if trained[trial].status == "ok" else trained[trial].status for trial in left)
    current, states = None if over else found, {state: count[state] for state in STATES}
    # Hyperband thaws none: subtract it from what was saved
    return BracketProgress(found.schedule.bracket, current, 1, spent, -spent, to_come, states, is_thaw=True)


def _bracket(
    bracket: int, rounds: Sequence[RoundHistory], trained: Mapping[str, Trained], left: Mapping[str, int]
) -> BracketProgress:
    """Return how far a bracket has come; what its trials do after all brackets is left to `_thaw`."""
    states: dict[str, str] = {}
    saved = to_come = 0
    # how many trials a round can have at most: fewer than its schedule says where trials failed
    available = rounds[0].schedule.trials
    for found in rounds:
        round_ = found.schedule
        states |= {trial: _state(found, trial, trained[trial]) for trial in found.competitors}
        if round_.decision_epoch is not None and found.verdicts is not None:
            stopped = sum(states[trial] == "stopped" for trial in found.stopped)
            # Hyperband has no extra trials: subtract what they trained from what was saved.
            saved += stopped * (round_.end - round_.decision_epoch) - round_.extra * (round_.end - round_.start)
        if found.promoted is not None:
            available = len(found.promoted)
        elif found.competitors:
            going = [trial for trial in found.competitors if trained[trial].status == "ok"]
            to_come += sum(max(0, _goal(found, trial) - len(trained[trial].values)) for trial in going)
            if found.verdicts is None and round_.decision_epoch is not None:
                # at the decision point so many are stopped at the least
                stopping = max(0, sum(trial in found.partial for trial in going) - round_.most_completed)
                to_come -= stopping * (round_.end - round_.decision_epoch)
            available = min(sum(_goal(found, trial) == round_.end for trial in going), round_.promoted)
        else:
            missing = round_.trials - min(available, round_.trials)
            to_come += max(0, round_.epochs_worst - missing * (round_.end - round_.start))
            available = min(available, round_.promoted)
    current = next((found for found in rounds if found.promoted is None), None)
    lengths = {trial: len(trained[trial].values) for trial in rounds[0].competitors}
    spent = sum(min(length, left.get(trial, length)) for trial, length in lengths.items())
    count = Counter(state for trial, state in states.items() if trial not in left)
    return BracketProgress(bracket, current, len(rounds), spent, saved, to_come, {s: count[s] for s in STATES})


def _state(found: RoundHistory, trial: str, trained: Trained) -> str:
    """Return which of `STATES` a competitor is in after a round."""
    end = fate(found, trial, trained.status, is_last=False)
    if end is Fate.STOPPED:
        return "stopped"
    return "alive" if end in (Fate.RUNNING, Fate.PROMOTED) else end.value


def _goal(found: RoundHistory, trial: str) -> int:
    """Return the epoch to which a competitor trains in a round at most."""
    return found.schedule.end if found.verdicts is None else found.goal(trial)


def _best(history: History, trained: Mapping[str, Trained]) -> Best | None:
    """Return the winner if the search is over, else the best trial so far where it stands; None without any."""
    if history.folder.best.exists():
        won = Winner.read(history.folder.best)
        return Best(won.trial, won.value, won.epochs, won.configuration)
    metric = history.study.metric
    values = {trial: done.values for trial, done in trained.items() if done.status == "ok" and done.values}
    order = rank({trial: metric.losses(of_trial)[-1] for trial, of_trial in values.items()})
    if not order:
        return None
    trial = order[0]
    configuration = Config.read(history.folder.config(trial)).configuration
    epoch = metric.epoch(values[trial])
    return Best(trial, values[trial][epoch - 1], epoch, configuration)


def _job_errors(folder: StudyFolder, rounds: Iterable[RoundHistory]) -> dict[Path, str]:
    """Return the last line of each log that tells of an error, where the job's file is still missing."""
    logs = {folder.best_log: folder.best}
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
