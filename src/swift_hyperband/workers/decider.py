"""The one process that decides: it holds the search, hears what became of trainings, and writes the agenda.

It keeps nothing that does not follow from the folder, so that any other process can take over at any moment.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from swift_hyperband.base.errors import PASSING_ERRORS, UserError, about_disk
from swift_hyperband.processes import lease
from swift_hyperband.results.freeze import load_frozen
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Curve, Search, Training
from swift_hyperband.study.model import Study
from swift_hyperband.training import alike, trial
from swift_hyperband.workers.agenda import Agenda
from swift_hyperband.workers.ahead import Ahead
from swift_hyperband.workers.conduct import Conduct
from swift_hyperband.workers.roster import Event, Roster
from swift_hyperband.workflow.driver import conclude, state_is_lost, winner

logger = logging.getLogger(__name__)

PAUSE = 0.03
"""Seconds between two looks at the workers' events, at least."""
QUIET = 0.05
"""Share of the time since the last event that may pass until the next look."""
READS = 400
"""Most files that looks at events open in a second."""
LOOK_EVERY = 1.0
"""Seconds between two looks at who lives, and at all that was asked for."""
PLAN_EVERY = 0.2
"""Seconds between two looks at what workers may train, where nothing happened."""
SHARE = 0.01
"""Most of the time that such looks may take."""
LONGEST = 60.0
"""Seconds between two such looks at the most."""
LOOKED_AT = 64
"""Most trials at work that each such look finds abandoned or not."""
FEWEST_NEEDED = 64
"""The agenda has so many trainings, or four for each worker, if there are as many."""


class Decider:
    """Drives a search whose trainings workers do.

    Parameters
    ----------
    folder : StudyFolder
        Of a study that was begun.
    study : Study
    conduct : Conduct
        What the search is told and asked.
    held : Lease
        As `deciding` gives it.
    meanwhile : callable, optional
        Called between two looks.
    """

    def __init__(
        self,
        folder: StudyFolder,
        study: Study,
        conduct: Conduct,
        held: lease.Lease,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        self._folder, self._study, self._conduct, self._held = folder, study, conduct, held
        self._meanwhile = meanwhile or (lambda: None)
        self._roster = Roster(folder)
        self._ahead = Ahead(folder, study.metric, conduct)
        self._outstanding: dict[str, int] = {}
        """What was asked for and not told, most urgent first: trials with their epochs."""
        self._at_work: dict[str, set[str]] = {}
        """Trials that living workers have begun, with these workers: two may try at the same moment."""
        self._watch = lease.Watch()
        self._left: set[str] = set()
        """Trials at work that nobody trained at the last look at them."""
        self._unseen: list[str] = []
        """Trials just asked for, which may be through: they were trained in rounds, or ahead of the search."""
        self._doubtful = True
        self._agenda = Agenda(f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}")
        self._is_written = False
        self._look_at = self._plan_at = float("-inf")
        self._heard_at = time.monotonic()
        self._catches_up = True

    def run(self) -> Search:
        """Drive the search to its end.

        Raises
        ------
        UserError
            If it cannot go on; the agenda says so to the workers.
        OSError
            If the disk is full, of which the agenda says so, too, or fails, which may pass.
        LeaseLostError
            If another process decides, as this one was suspended for too long.
        """
        try:
            self._search()
            self._conclude()
        except UserError as error:
            self._give_up(str(error))
            raise
        except OSError as error:
            if error.errno not in PASSING_ERRORS:
                self._give_up(about_disk(error, self._folder.path))
            raise
        self._publish(replace(self._agenda, needed=(), taken=(), hopes=(), over=True))
        return self._conduct.search

    def _search(self) -> None:
        conduct = self._conduct
        self._add(conduct.resume())
        while not conduct.search.finished:
            ended = self._ended()
            # before anything is written
            self._held.check()
            for name, curve in ended:
                conduct.tell(name, curve)
                self._ahead.note()
            if ended or self._free():
                self._add(conduct.ask(self._free()))
            if not ended:
                self._plan()
                self._wait()

    def _conclude(self) -> None:
        """Write the best trial, after its state was made again where it was lost."""
        best, loss = winner(self._conduct.search, self._folder, self._study)
        if state_is_lost(self._folder, self._study, best):
            self._add([Training(best, self._study.search.max_epochs)])
            while not self._ended():
                self._plan()
                self._wait()
        conclude(self._folder, self._study, best, loss)

    def _add(self, asked: Collection[Training]) -> None:
        self._outstanding.update(asked)
        if asked:
            self._plan_at = float("-inf")
        self._unseen += [training.trial for training in asked]

    def _ended(self) -> list[tuple[str, Curve]]:
        """Return the trainings that have ended, with their losses."""
        candidates, self._unseen = dict.fromkeys(self._unseen), []
        begin = time.monotonic()
        looks = begin >= self._look_at
        if looks:
            self._look()
        for worker, event in self._roster.events():
            self._plan_at = float("-inf")
            self._heard_at = begin
            if self._hear(worker, event):
                candidates[event.trial] = None
        self._catches_up = False
        if looks:
            # a killed worker tells of no end, and a machine that failed may have lost what one told
            candidates.update(dict.fromkeys([*self._abandoned(), *self._needed()]))
        found = [(name, curve) for name in candidates if (curve := self._curve(name)) is not None]
        for name, _ in found:
            del self._outstanding[name]
        if found or looks:
            self._plan_at = float("-inf")
        if looks:
            took = time.monotonic() - begin
            self._look_at = time.monotonic() + min(LONGEST, max(LOOK_EVERY, took / SHARE))
        return found

    def _hear(self, worker: str, event: Event) -> bool:
        """Take an event; return whether the training has ended."""
        if event.what == "began":
            self._at_work.setdefault(event.trial, set()).add(worker)
            return False
        for name in [event.trial] if event.what != "arrived" else list(self._at_work):
            workers = self._at_work.get(name, set())
            workers.discard(worker)
            if not workers:
                self._at_work.pop(name, None)
        if event.what not in ("began", "arrived"):
            self._ahead.note(event.trial)
        if event.what == "crashed":
            if not self._catches_up:
                logger.warning(f"trial {event.trial}: crash in worker {worker}: {event.error}")
            if event.trial in self._outstanding:
                # the others first
                self._outstanding[event.trial] = self._outstanding.pop(event.trial)
            self._doubtful = True
        if self._doubtful:
            self._doubt()
        return event.what != "arrived"

    def _look(self) -> None:
        """Look who lives, and whether workers may still train."""
        self._roster.look()
        living = self._roster.living
        self._at_work = {name: left for name, by in self._at_work.items() if (left := by.intersection(living))}
        found = Agenda.read(self._folder.agenda)
        # one that decided before may have hung while it wrote its agenda
        self._is_written &= found is not None and found.decider == self._agenda.decider
        frozen = load_frozen(self._folder)
        self._ahead.allow(frozen.speculate)
        if (execution := frozen.execution) != "workers":
            raise UserError(f"{self._folder.path}: execution must be workers for workers to go on, found {execution}")
        if self._doubtful:
            self._doubt()

    def _abandoned(self) -> list[str]:
        """Return trials at work that nobody trains; those of which that holds at two looks are at work no more."""
        for name in list(islice(self._at_work, LOOKED_AT)):
            workers = self._at_work.pop(name)
            is_left = not self._watch.is_held(self._folder.trial(name))
            if is_left and name in self._left:
                self._left.remove(name)
                continue
            # the others are next
            self._at_work[name] = workers
            (self._left.add if is_left else self._left.discard)(name)
        return [name for name in self._at_work if name in self._left]

    def _doubt(self) -> None:
        """Find out whether all trials crash alike."""
        alike.stop_if_hopeless(self._folder.path, self._study.give_up_after)
        self._doubtful = alike.doubtful(self._folder.path, self._study.give_up_after)

    def _needed(self) -> list[str]:
        """Return the trials that workers should begin now, most urgent first."""
        most = max(FEWEST_NEEDED, 4 * len(self._roster.living))
        return list(islice((name for name in self._outstanding if name not in self._at_work), most))

    def _curve(self, name: str) -> Curve | None:
        """Return the losses of a trial that was asked for; None while it has to train."""
        if name not in self._outstanding:
            return None
        epochs, place = self._outstanding[name], self._folder.trial(name)
        found = trial.state_of(place, self._study.target.metric)
        if not found.settled(epochs) or trial.state_is_wanted(place):
            return None
        return self._study.metric.losses(found.values[:epochs])

    def _free(self) -> int:
        """Return how many trials could begin to train now."""
        return max(0, sum(self._roster.living.values()) - len(self._outstanding))

    def _plan(self) -> None:
        """Write the agenda if it changed: at once where something happened, else now and then."""
        begin = time.monotonic()
        if begin >= self._plan_at:
            self._publish(self._planned())
            took = time.monotonic() - begin
            self._plan_at = begin + min(LOOK_EVERY, max(PLAN_EVERY, took / SHARE))

    def _planned(self) -> Agenda:
        needed = [Training(name, self._outstanding[name]) for name in self._needed()]
        if self._doubtful:
            # one at a time, until it is clear whether all crash alike
            needed = [] if self._at_work else needed[:1]
        living = tuple(self._roster.living)
        return replace(
            self._agenda,
            needed=tuple(needed),
            taken=tuple(Training(name, self._outstanding[name]) for name in self._at_work if name in self._outstanding),
            hopes=self._hopes(len(needed)),
            workers=len(living),
            spare=living[max(1, self._conduct.racing()) :],
        )

    def _hopes(self, needed: int) -> tuple[Training, ...]:
        """Return what workers without needed work may train ahead of the search, best first."""
        if self._doubtful:
            return ()
        living = self._roster.living
        running = [name for name in self._at_work if name not in self._outstanding]
        slots = sum(living.values()) - (len(self._at_work) - len(running))
        return self._ahead.hopes(needed, slots, len(living), running)

    def _publish(self, planned: Agenda) -> None:
        if planned.differs(self._agenda) or not self._is_written:
            self._held.check()
            self._agenda = replace(planned, version=self._agenda.version + 1)
            self._agenda.write(self._folder.agenda)
            self._is_written = True

    def _give_up(self, line: str) -> None:
        # of a full disk: the workers find that out by themselves
        with suppress(OSError, lease.LeaseLostError):
            self._publish(replace(self._agenda, needed=(), taken=(), hopes=(), error=line))

    def _wait(self) -> None:
        self._meanwhile()
        quiet = time.monotonic() - self._heard_at
        time.sleep(max(PAUSE, len(self._roster.living) / READS, min(LOOK_EVERY, QUIET * quiet)))
