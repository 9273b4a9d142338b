"""A worker: imports the target once, and trains one trial after another, each in a forked process."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Iterator, Sequence
from functools import partial

from swift_hyperband.processes import lease
from swift_hyperband.processes.exit_codes import TRY_AGAIN
from swift_hyperband.results import provenance
from swift_hyperband.results.best import Best
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.trials import delete_states
from swift_hyperband.search import Training
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.targets import COMMAND, RunsAhead
from swift_hyperband.training import child, gpus, state, trial
from swift_hyperband.training.clock import Clock
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.workers.agenda import Agenda, asks
from swift_hyperband.workers.roster import Seat
from swift_hyperband.workers.start import Deciding, apart

logger = logging.getLogger(__name__)

SHORTEST = 0.05
"""Seconds to the next look at the agenda after something happened; twice as long each time that nothing did."""
LONGEST_HERE = 0.2
"""Most seconds to the next look where the process that decides is on this machine."""
LONGEST = 15.0
"""Most seconds to the next look at all."""
BUSY = 2.0
"""Seconds to the next look while this worker cannot begin another training."""
APART = 8
"""Workers that look at the same moment begin with different ones of so many hopes."""
LEASES = 64
"""Most trials that are looked at in one look at the agenda."""
NEW = 0.1
"""A worker is new for this share of the time that it has once it can train."""


class Worker:
    """Trains for a search until that is over.

    Parameters
    ----------
    folder : StudyFolder
        Of a frozen study.
    study : FrozenStudy
    seat : Seat
    deciding : Deciding
    clock : Clock
        Of this job.
    queued : bool
        Whether the job is started again when its time is over.
    """

    def __init__(
        self, folder: StudyFolder, study: FrozenStudy, seat: Seat, deciding: Deciding, clock: Clock, queued: bool
    ) -> None:
        self._folder, self._study, self._seat, self._deciding = folder, study, seat, deciding
        self._clock, self._queued = clock, queued
        self._settings = TrainingSettings.from_study_json(
            study.definition, study.retries, study.save_every, study.give_up_after, study.live
        )
        self._metric = study.metric.name
        self._watch = lease.Watch()
        self._running: list[child.Child] = []
        self._last: str | None = None
        self._ahead: set[str] = set()
        """Trials that this worker trained ahead of the search."""
        self._found: set[Training] = set()
        """Trainings that were through when this worker came to them."""
        self._has_begun = False
        self._had_room = False
        self._new_until = math.inf
        self._pause = SHORTEST
        self._workers = 1

    @property
    def could_train(self) -> bool:
        """Whether it has begun a training, or had the time for one and there was none."""
        return self._has_begun or self._had_room

    def run(self) -> int:
        """Train until the search is over; return the exit code: 0, or `TRY_AGAIN` where the time is over.

        Raises
        ------
        UserError
            If the search cannot go on, or this worker cannot.
        NoGpuError
            If a GPU is needed and there is none.
        """
        with child.signals(self._clock, self._running):
            try:
                return self._run()
            finally:
                child.end(self._running)

    def _run(self) -> int:
        work: child.Work | None = None
        while True:
            agenda = self._deciding.agenda()
            if agenda is not None and agenda.over:
                # what still trains is ahead of it
                child.end(self._running)
                self._running.clear()
            if not self._running and (code := self._ends(agenda)) is not None:
                return code
            if work is None:
                # also while there is nothing to train yet: that costs no time then
                work = self._prepare()
            self._workers = agenda.workers if agenda is not None else self._workers
            begins = agenda is not None and self._has_room() and self._begin(agenda, work)
            if self._wait(work) or begins:
                self._pause = SHORTEST

    def _ends(self, agenda: Agenda | None) -> int | None:
        """Return the exit code where nothing is left to do for this worker, else None."""
        if agenda is not None and agenda.over:
            self._delete_states()
            return 0
        if agenda is not None and self._seat.name in agenda.spare and not self._deciding.is_mine:
            return 0
        if not self._seat.hold():
            logger.warning(
                f"this worker was suspended, and another one is worker {self._seat.name} now; start it again"
            )
            return TRY_AGAIN
        return TRY_AGAIN if self._is_out_of_time else None

    @property
    def _is_new(self) -> bool:
        """Whether it trains an epoch whatever the time, so that jobs shorter than one epoch still make progress.

        Not after it has waited for long: a job that has just started has more time.
        """
        return not self._has_begun and time.monotonic() < self._new_until

    @property
    def _is_out_of_time(self) -> bool:
        return self._clock.hurry or not (self._is_new or self._clock.allows(self._clock.longest))

    def _prepare(self) -> child.Work:
        """Import the target."""
        self._code = provenance.TrainedCode(self._folder, self._study.definition["target"])
        self._code.check()
        gpus.deal(self._seat.number, self._study.gpus)
        self._seat.describe(at_a_time=self._study.side_by_side)
        work = child.Work(self._settings, child.import_target(self._settings), self._clock)
        if self._study.needs_gpu:
            gpus.check(command=self._settings.target == COMMAND)
        if self._clock.deadline is not None:
            now = time.monotonic()
            self._new_until = now + NEW * (self._clock.deadline - now)
        self._had_room = self._clock.allows(0.0)
        return work

    def _has_room(self) -> bool:
        return len(self._running) < self._study.side_by_side and not self._clock.hurry

    def _begin(self, agenda: Agenda, work: child.Work) -> bool:
        """Begin the first training that nobody is at; return whether there was one."""
        for training in self._candidates(agenda):
            place = self._folder.trial(training.trial)
            if not self._watch.is_free(place):
                continue
            found = trial.state_of(place, self._metric)
            self._clock.longest = max(self._clock.longest, found.seconds)
            if found.settled(training.epochs) and not trial.state_is_wanted(place):
                # by a process that perhaps could not tell
                if training not in self._found:
                    self._found.add(training)
                    self._seat.note("trained", training)
                continue
            if self._is_out_of_time:
                return False
            self._code.check()
            self._seat.note("began", training)
            at_least, self._has_begun = int(self._is_new), True
            child.start(self._running, place, training.epochs, work, at_least=at_least, waits=False)
            return True
        return self._train_ahead(agenda, work)

    def _train_ahead(self, agenda: Agenda, work: child.Work) -> bool:
        """Begin the best hope that nobody is at; return whether there was one."""
        if issubclass(work.target_class, RunsAhead):
            # a start of a program cannot end after any epoch
            return False
        for training in self._in_turn(agenda.hopes, APART):
            place = self._folder.trial(training.trial)
            if trial.failed_ahead(place) or not self._watch.is_free(place):
                continue
            found = trial.state_of(place, self._metric)
            if found.settled(training.epochs) or (found.values and state.place(place) is None):
                # without its state, all of it would be trained again
                continue
            self._code.check()
            self._seat.note("began", training)
            self._ahead.add(training.trial)
            look = partial(asks, self._folder.agenda, training.trial)
            child.start(self._running, place, training.epochs, work, waits=False, ahead=look)
            return True
        return False

    def _delete_states(self) -> None:
        """Delete the states of trials that this worker trained ahead, perhaps until after the search was over."""
        if self._ahead and not self._study.keep_states:
            best = Best.read(self._folder.best).trial
            delete_states(self._folder, self._ahead - {best})

    def _candidates(self, agenda: Agenda) -> Iterator[Training]:
        """Yield trainings that were asked for and that this worker may begin, the best for it first."""
        yield from self._in_turn(agenda.needed, agenda.workers)

    def _in_turn(self, listed: Sequence[Training], apart: int) -> Iterator[Training]:
        """Yield trainings, the best for this worker first.

        The trial that it trained last comes first. Else workers that look at the same moment begin with different ones.
        """
        mine = {running.trial for running in self._running}
        free = [training for training in listed if training.trial not in mine]
        yield from (training for training in free if training.trial == self._last)
        others = [training for training in free if training.trial != self._last]
        first = self._seat.number % max(1, min(len(others), apart))
        yield from (others[first:] + others[:first])[:LEASES]

    def _wait(self, work: child.Work) -> bool:
        """Wait until a training ends or for a pause; return whether one ended."""
        if not self._running:
            time.sleep(self._pause * random.uniform(0.75, 1.0))
            self._pause = min(2 * self._pause, self._longest_pause)
            return False
        ended = child.wait(self._running, self._pause if self._has_room() else max(BUSY, apart(self._workers)))
        if not ended:
            self._pause = min(2 * self._pause, self._longest_pause)
        for one in ended:
            self._running.remove(one)
            self._judge(one, work)
        return bool(ended)

    @property
    def _longest_pause(self) -> float:
        return LONGEST_HERE if self._deciding.is_here else min(LONGEST, max(1.0, apart(self._workers)))

    def _judge(self, ended: child.Child, work: child.Work) -> None:
        outcome = child.judge(ended, work, submitted_again=self._queued)
        if outcome == "out of time":
            self._clock.hurry = True
        self._last = ended.trial if outcome == "trained" else None
        error = trial.last_error(ended.folder) if outcome == "crashed" else None
        self._clock.longest = max(self._clock.longest, trial.last_seconds(ended.folder) or 0.0)
        self._seat.note(outcome, Training(ended.trial, ended.epochs), error)
