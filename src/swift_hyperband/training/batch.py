"""A batch: several trials trained by one job, which pays for importing the target and torch once.

Each trial is trained by a forked process of its own, so that no crash reaches another trial.
"""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import FrameType
from typing import Literal

from swift_hyperband.base.errors import UserError, about_disk
from swift_hyperband.base.tracebacks import place_of_death
from swift_hyperband.processes import lease, log
from swift_hyperband.processes.exit_codes import leave
from swift_hyperband.targets import COMMAND, Target, load_class
from swift_hyperband.training import alike, gpus, reproducible, segment, trial
from swift_hyperband.training.clock import Clock, OutOfTimeError
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import Trained

logger = logging.getLogger(__name__)

CRASH_SIGNALS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
"""Signals by which a process crashes; any other signal comes from outside and is not the trial's fault."""

KILL_GRACE = 2.0
"""Seconds after which a killer of the whole job has killed this process, too."""

GRACE = 10.0
"""Seconds for a process to end after SIGTERM."""

Report = tuple[Literal["trained", "crashed", "lease lost", "out of time", "stop"], str]


@dataclass(frozen=True)
class _Work:
    """The common settings of all trials of a batch."""

    settings: TrainingSettings
    target_class: type[Target]
    epochs: int
    clock: Clock


@dataclass(frozen=True)
class _Child:
    trial: str
    folder: Path
    process: ForkProcess
    reports: connection.Connection


def train_batch(
    study_folder: Path,
    settings: TrainingSettings,
    trials: Sequence[str],
    epochs: int,
    workers: int = 1,
    time_limit: float | None = None,
    before: Callable[[], None] | None = None,
    needs_gpu: bool = False,
) -> dict[str, Trained]:
    """Train trials to an epoch; epochs that are on disk are not trained again.

    Call it in the main thread. It sets the numbers of threads in the environment, since it imports the target.

    Parameters
    ----------
    study_folder : Path
        The study's folder; trials lie in trials/<trial>/ with their config.json.
    settings : TrainingSettings
    trials : sequence of str
        Trial ids, trained in this order.
    epochs : int
        The last epoch, counted from each trial's first.
    workers : int
        How many trials train at a time.
    time_limit : float, optional
        Seconds that this job may run: an epoch starts only if it will probably end within them.
    before : callable, optional
        Called once before the first training, if there is any.
    needs_gpu : bool
        Whether to train only if a GPU is visible.

    Returns
    -------
    dict
        Results by trial, in the order of `trials`.

    Raises
    ------
    OutOfTimeError
        If the time limit or SIGUSR1 comes before all trials are done. At least one epoch is trained.
    NoGpuError
        If a GPU is needed and there is none.
    UserError
        If the target cannot be imported, the disk is full or a process was ended from outside: nothing is counted
        against a trial, what is trained stays, and calling again goes on.
    """
    clock = Clock.of(time_limit)
    folders = {name: study_folder / "trials" / name for name in trials}
    results: dict[str, Trained] = {}

    def settle(name: str) -> bool:
        found = trial.state_of(folders[name], settings.metric)
        clock.longest = max(clock.longest, found.seconds)
        if found.settled(epochs) and not trial.state_is_wanted(folders[name]):
            results[name] = found
        return name in results

    waiting = deque(name for name in folders if not settle(name))
    if waiting:
        if before is not None:
            before()
        alike.stop_if_hopeless(study_folder, settings.give_up_after)
        work = _Work(settings, _import_target(settings), epochs, clock)
        if needs_gpu:
            gpus.check(command=settings.target == COMMAND)
    running: list[_Child] = []
    at_least, doubtful = 1, False
    with _sigterm_as_exit(), _told_to_hurry(clock, running):
        try:
            while waiting or running:
                while waiting and len(running) < workers and not (running and doubtful):
                    name = waiting.popleft()
                    running.append(_start(name, folders[name], work, at_least))
                    at_least = 0
                for child in _wait(running):
                    running.remove(child)
                    if _judge(child, work, submitted_again=time_limit is not None):
                        clock.hurry = True
                    crashed = trial.failures(child.folder) is not None
                    if crashed:
                        alike.stop_if_hopeless(study_folder, settings.give_up_after)
                        doubtful = alike.doubtful(study_folder, settings.give_up_after)
                    if not settle(child.trial):
                        # the others first: where all crash alike, this one need not try again
                        (waiting.append if crashed else waiting.appendleft)(child.trial)
                if clock.hurry and not running and waiting:
                    raise OutOfTimeError(f"the job's time is over with {len(results)} of {len(folders)} trials through")
                if clock.hurry:
                    workers = len(running)
        finally:
            _end(running)
    return {name: results[name] for name in folders}


def _import_target(settings: TrainingSettings) -> type[Target]:
    """Import the target once for all trials."""
    reproducible.set_environment(settings.threads)
    target_class = load_class(settings.target)
    if "torch" in sys.modules:
        # the first optimiser of each trial would import it
        import torch._dynamo

        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            raise UserError(
                f"target.name: {settings.target!r} must not use CUDA while it is imported, as its process is forked; "
                "do it in setup()"
            )
    return target_class


def _start(name: str, folder: Path, work: _Work, at_least: int) -> _Child:
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(writer, folder, work, at_least), name=name)
    process.start()
    logger.debug(f"trial {name}: training to epoch {work.epochs} in process {process.pid}")
    writer.close()
    return _Child(name, folder, process, reader)


def _child(reports: connection.Connection, folder: Path, work: _Work, at_least: int) -> None:
    """Train in a forked process and report how it ended; a process that dies reports nothing."""
    # end at once: no clean-up is needed, as files are whole at any time
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    work.clock.listen()
    # a segmentation fault leaves file and line in the trial's log
    faulthandler.enable(2)
    report: Report = ("trained", "")
    try:
        segment.train(folder, work.settings, work.target_class, work.epochs, work.clock, at_least)
    except OutOfTimeError:
        report = ("out of time", "")
    except segment.CrashError:
        report = ("crashed", "")
    except lease.LeaseLostError:
        report = ("lease lost", "")
    except UserError as error:
        report = ("stop", str(error))
    except OSError as error:
        report = ("stop", about_disk(error, folder))
    except Exception as error:
        traceback.print_exc()
        report = ("stop", f"trial {folder.name}: {type(error).__name__}: {error}")
    # the pipe is read after this process has ended, so a report must fit into its buffer
    reports.send((report[0], report[1][:4000]))


def _wait(running: list[_Child]) -> list[_Child]:
    """Return the children that have ended, at least one."""
    while True:
        # poll as well: a surviving grandchild keeps the sentinel open
        connection.wait([child.process.sentinel for child in running], timeout=5)
        if ended := [child for child in running if child.process.exitcode is not None]:
            return ended


def _judge(child: _Child, work: _Work, submitted_again: bool) -> bool:
    """Return whether a process ran out of time; count its crash if it died without a report.

    A job that is `submitted_again` gets more memory then.

    Raises
    ------
    UserError
        If the batch cannot go on.
    """
    report = _report(child)
    code = child.process.exitcode
    assert code is not None
    child.process.join()
    lease.clear(child.folder)
    if report is not None:
        if report[0] == "stop":
            raise UserError(report[1])
        return report[0] == "out of time"
    death = (
        f"its process was ended by {signal.Signals(-code).name}" if code < 0 else f"its process ended with code {code}"
    )
    written = log.last(child.folder)
    if code == -signal.SIGKILL:
        # a time limit, a cancelled job or a lost node ends this process, too, a moment later: then no crash is counted
        time.sleep(KILL_GRACE)
        death += " while its job went on (probably out of memory)"
        trial.count_crash(child.folder, death, "", work.settings.retries, log=written)
        if submitted_again and not trial.has_failed(child.folder):
            # in this job it would be killed again
            raise UserError(
                f"trial {child.trial}: {death}; the job ends, for the next one has more memory; log: {written}"
            )
        return False
    if code < 0 and -code not in CRASH_SIGNALS:
        raise UserError(f"trial {child.trial}: {death} from outside; run again to go on")
    printed = log.text(written) if written is not None else ""
    death = place_of_death(printed, work.target_class) + death
    trial.count_crash(child.folder, death, printed[-10_000:], work.settings.retries, alike=death, log=written)
    return False


def _report(child: _Child) -> Report | None:
    with child.reports:
        try:
            return child.reports.recv() if child.reports.poll() else None
        except EOFError:
            return None


def _end(running: list[_Child]) -> None:
    """End all children, wait for them and give back their leases."""
    for child in running:
        child.process.terminate()
    for child in running:
        child.process.join(GRACE)
        if child.process.is_alive():
            child.process.kill()
            child.process.join()
        lease.clear(child.folder)


@contextmanager
def _told_to_hurry(clock: Clock, running: list[_Child]) -> Iterator[None]:
    """Pass SIGUSR1 on, so that every trial ends after its current epoch."""

    def hurry(number: int, _: FrameType | None) -> None:
        clock.hurry = True
        for child in running:
            if child.process.pid is not None and child.process.is_alive():
                os.kill(child.process.pid, number)

    before = signal.signal(signal.SIGUSR1, hurry)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """Turn SIGTERM, as of a time limit or a cancelled job, into an exception."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a batch is trained in the main thread, where signals arrive")

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
