"""A trial's training in a forked process of its own, so that no crash reaches the process that starts it.

That process pays for the import of the target and of torch once. It judges each child that has ended: a crash is
counted in the trial's folder, a death from outside is nobody's fault.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
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
from swift_hyperband.targets import Target, load_class
from swift_hyperband.training import live, reproducible, segment, trial
from swift_hyperband.training.clock import Clock, OutOfTimeError
from swift_hyperband.training.settings import TrainingSettings

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""Signals that trainings and the processes that start them handle, each in its own way."""

CRASH_SIGNALS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
"""Signals by which a process crashes; any other signal comes from outside and is not the trial's fault."""

KILL_GRACE = 2.0
"""Seconds after which a killer of the whole job has killed this process, too."""

GRACE = 10.0
"""Seconds for a process to end after SIGTERM."""

POLL = 5.0
"""Seconds after which children are looked at, though nothing tells that one has ended."""

Outcome = Literal["trained", "crashed", "crashed ahead", "lease lost", "taken", "out of time"]
"""How a training ended; taken: another process trains the trial, so nothing was done. A crash ahead of the search does
not count."""

Report = tuple[Outcome | Literal["stop"], str]


@dataclass(frozen=True)
class Work:
    """The common settings of all trainings of a process."""

    settings: TrainingSettings
    target_class: type[Target]
    clock: Clock


@dataclass(frozen=True)
class Child:
    """A trial that is trained to an epoch by a process."""

    folder: Path
    epochs: int
    process: ForkProcess
    reports: connection.Connection
    is_ahead: bool = False

    @property
    def trial(self) -> str:
        return self.folder.name


def import_target(settings: TrainingSettings) -> type[Target]:
    """Import the target once for all trainings. It sets the numbers of threads in the environment first."""
    reproducible.set_environment(settings.threads)
    target_class = load_class(settings.target)
    live.prepare(settings.live)
    if "torch" in sys.modules:
        # the first optimiser of each trial would import it
        import torch._dynamo

        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            raise UserError(
                f"target.name: {settings.target!r} must not use CUDA while it is imported, as its process is forked; "
                "do it in setup()"
            )
    return target_class


def start(
    running: list[Child],
    folder: Path,
    epochs: int,
    work: Work,
    *,
    at_least: int = 0,
    waits: bool = True,
    ahead: segment.Ahead | None = None,
) -> None:
    """Start the training of a trial to an epoch, as one more of those that run.

    The other parameters are those of `segment.train`.
    """
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(
        target=_train, args=(writer, folder, epochs, work, at_least, waits, ahead), name=folder.name
    )
    with _postponed():
        process.start()
        writer.close()
        running.append(Child(folder, epochs, process, reader, ahead is not None))
    logger.debug(f"trial {folder.name}: training to epoch {epochs} in process {process.pid}")


@contextmanager
def _postponed() -> Iterator[None]:
    """Let signals wait until this process knows a child that it forks, and the child handles them as a training."""
    heard: list[int] = []
    handlers = {number: signal.signal(number, lambda found, _: heard.append(found)) for number in SIGNALS}
    # the child has this thread alone, and inherits its mask; here another thread may get a signal
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for found in heard:
            os.kill(os.getpid(), found)


def _train(
    reports: connection.Connection,
    folder: Path,
    epochs: int,
    work: Work,
    at_least: int,
    waits: bool,
    ahead: segment.Ahead | None,
) -> None:
    """Train in a forked process and report how it ended; a process that dies reports nothing."""
    # end at once: no clean-up is needed, as files are whole at any time
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    work.clock.listen()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    # a segmentation fault leaves file and line in the trial's log
    faulthandler.enable(2)
    report: Report = ("trained", "")
    try:
        segment.train(folder, work.settings, work.target_class, epochs, work.clock, at_least, waits, ahead)
    except OutOfTimeError:
        report = ("out of time", "")
    except segment.CrashError:
        report = ("crashed" if ahead is None else "crashed ahead", "")
    except lease.LeaseLostError:
        report = ("lease lost", "")
    except lease.TakenError:
        report = ("taken", "")
    except UserError as error:
        report = ("stop", str(error))
    except OSError as error:
        report = ("stop", about_disk(error, folder))
    except Exception as error:
        traceback.print_exc()
        report = ("stop", f"trial {folder.name}: {type(error).__name__}: {error}")
    # the pipe is read after this process has ended, so a report must fit into its buffer
    reports.send((report[0], report[1][:4000]))


def wait(running: Sequence[Child], timeout: float = POLL) -> list[Child]:
    """Return the children that have ended; wait for the first one, at most for `timeout` seconds."""
    # by the exit codes, too: a surviving grandchild keeps the sentinel open
    connection.wait([child.process.sentinel for child in running], timeout=timeout)
    return [child for child in running if child.process.exitcode is not None]


def judge(child: Child, work: Work, submitted_again: bool) -> Outcome:
    """Return how the training of a child that has ended went; count its crash if it died without a report.

    A job that is `submitted_again` gets more memory then.

    Raises
    ------
    UserError
        If no training can go on in this process.
    """
    report = _report(child)
    code = child.process.exitcode
    assert code is not None
    child.process.join()
    lease.clear(child.folder)
    if report is not None:
        if report[0] == "stop":
            raise UserError(report[1])
        return report[0]
    death = (
        f"its process was ended by {signal.Signals(-code).name}" if code < 0 else f"its process ended with code {code}"
    )
    written = log.last(child.folder)
    if child.is_ahead and (code > 0 or -code in (signal.SIGKILL, *CRASH_SIGNALS)):
        if code == -signal.SIGKILL:
            time.sleep(KILL_GRACE)
        trial.note_failure_ahead(child.folder, death, written)
        return "crashed ahead"
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
        return "crashed"
    if code < 0 and -code not in CRASH_SIGNALS:
        raise UserError(f"trial {child.trial}: {death} from outside; run again to go on")
    printed = log.text(written) if written is not None else ""
    death = place_of_death(printed, work.target_class) + death
    trial.count_crash(child.folder, death, printed[-10_000:], work.settings.retries, alike=death, log=written)
    return "crashed"


def _report(child: Child) -> Report | None:
    with child.reports:
        try:
            return child.reports.recv() if child.reports.poll() else None
        except EOFError:
            return None


def end(running: Sequence[Child]) -> None:
    """End all children, wait for them and give back their leases; signals meanwhile change nothing."""
    if not running:
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    for child in running:
        child.process.terminate()
    for child in running:
        child.process.join(GRACE)
        if child.process.is_alive():
            child.process.kill()
            child.process.join()
        lease.clear(child.folder)
    for number, handler in before.items():
        signal.signal(number, handler)


@contextmanager
def signals(clock: Clock, running: Sequence[Child]) -> Iterator[None]:
    """Handle the signals of a scheduler while children run; in the main thread, where signals arrive.

    SIGUSR1 is passed on, so that every child ends after its current epoch. SIGTERM, as of a time limit or a cancelled
    job, becomes an exception.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("trials are trained in the main thread, where signals arrive")

    def hurry(number: int, _: FrameType | None) -> None:
        clock.hurry = True
        for child in running:
            if child.process.pid is not None and child.process.is_alive():
                with suppress(ProcessLookupError):
                    os.kill(child.process.pid, number)

    before = signal.signal(signal.SIGTERM, leave), signal.signal(signal.SIGUSR1, hurry)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before[1])
        signal.signal(signal.SIGTERM, before[0])
