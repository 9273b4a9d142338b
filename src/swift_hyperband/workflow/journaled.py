"""A search without rounds in a study's folder: the journal keeps the order of its events.

Whoever drives it asks and tells as with any search. Killed and made again, it is told the events of the journal again,
with the curves of the trials cut where they were when it was told of them.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence, Set
from itertools import islice
from typing import cast

from swift_hyperband.annealing.settings import LOCAL, REMOTE
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import to_json
from swift_hyperband.base.wording import one_of
from swift_hyperband.results.contents import Config
from swift_hyperband.results.imported import teachers
from swift_hyperband.results.journal import Event, Journal, damaged
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Curve, Training, sampling
from swift_hyperband.search.algorithms import ALGORITHMS, Family
from swift_hyperband.search.recorded import NOTHING, DecidedSearch, Recorded
from swift_hyperband.search.sampling import Place
from swift_hyperband.search.start import start
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.study.model import Study
from swift_hyperband.training.trial import read_rows


def check(study: Study, where: str) -> None:
    """Check that a study without rounds can be searched; nothing is checked of one with rounds.

    Raises
    ------
    UserError
        If its fits ask an annealer in the network: a journal is replayed with new fits, which must give the same.
    """
    predictor, algorithm = study.predictor, ALGORITHMS[study.search.algorithm]
    if algorithm.synchronous or not predictor.anneals or predictor.sampler.name not in REMOTE:
        return
    needed = f"must be {one_of(LOCAL)} with algorithm {study.search.algorithm}, which fits again where a search goes on"
    raise UserError(f"{where}: predictor.sampler.name {needed}, found {predictor.sampler.name}")


def check_rounds(study: Study, where: str) -> None:
    """Check that a search has rounds if the jobs of rounds are to train.

    Raises
    ------
    UserError
        If its algorithm has none.
    """
    algorithm = study.search.algorithm
    if study.execution == "rounds" and not ALGORITHMS[algorithm].synchronous:
        needed = f"must be workers with algorithm {algorithm}, which has no rounds"
        raise UserError(
            f"{where}: execution {needed}, found rounds; set it, or run 'swift-hyperband search', which trains one "
            "trial after another then"
        )


logger = logging.getLogger(__name__)


class JournaledSearch:
    """An ask/tell search (`search.Search`) whose events are in the journal before anything follows from them.

    Curves that the journal tells of and that are lost are asked for first.

    Parameters
    ----------
    folder : StudyFolder
        Of a frozen study.
    study : Study
    workers : int
        Trainings side by side, for a search that begins; one that goes on keeps the number that it began with.

    Attributes
    ----------
    workers : int
        The number that the search began with.

    Raises
    ------
    UserError
        If the journal is damaged, or tells of another search.
    """

    def __init__(self, folder: StudyFolder, study: Study, workers: int) -> None:
        self._folder, self._study = folder, study
        self._journal = Journal(folder.journal)
        if not self._journal.events:
            self._journal.append(Event("begin", study.search.algorithm, workers=workers))
        begin = self._journal.events[0]
        if (begin.kind, begin.name) != ("begin", study.search.algorithm):
            raise self._contradiction(1, f"must begin a search of algorithm {study.search.algorithm}", begin)
        self.workers = begin.workers
        if ALGORITHMS[study.search.algorithm].adapts and workers != self.workers:
            logger.info(f"{folder.journal}: the search chooses brackets as for {begin.workers} workers, as it began")
        slots = {bracket: study.slots(bracket) for bracket in study.supply().brackets}
        self._places = {
            trial: Place(bracket, slot) for bracket, found in slots.items() for trial, slot in found.items()
        }
        trials = {bracket: list(found) for bracket, found in slots.items()}
        frozen = study.frozen()
        draw = None if study.search.sampling == "random" else self._draw
        found = start(study.search.algorithm, study.schedule(), trials, frozen.settings_of_search(), self.workers, draw)
        self._search = cast(DecidedSearch, found)
        self._known: dict[str, Mapping[str, Scalar]] = {}
        self._stopped: set[str] = set()
        # how many trials reached the last epoch, failed or diverged
        self._ended = 0
        # asked for and not told of, by the journal; and those among them that nobody was asked for since this began
        self._outstanding: dict[str, int] = {}
        self._again: list[Training] = []
        self._lost = self._find_lost()
        self._restoring = list(self._lost.values())
        if not self._lost:
            self._replay()

    def resume(self) -> list[Training]:
        """Return all trainings that were asked for before this process began; `ask` has none of them then."""
        return _taken(self._restoring if self._lost else self._again, None)

    def racing(self) -> int:
        """Return how many trials may still train at the same time, at most."""
        if ALGORITHMS[self._study.search.algorithm].family is Family.FAST_HYPERBAND:
            return 1
        return max(len(self._outstanding), len(self._places) - self._ended - len(self.stopped))

    def ask(self, at_most: int | None = None) -> list[Training]:
        """Return the next trainings; see `Search.ask`."""
        if self._lost:
            return _taken(self._restoring, at_most)
        found = _taken(self._again, at_most)
        while (at_most is None or len(found) < at_most) and (asked := self._search.ask(1)):
            (training,) = asked
            self._journal.append(Event("ask", training.trial, training.epochs))
            self._note_stopped()
            self._note_asked(training)
            found.append(training)
        return found

    def tell(self, trial: str, curve: Curve) -> None:
        """Take the losses, from epoch 1, of a trial that was asked for."""
        if self._lost:
            self._lost.pop(trial, None)
            if not self._lost:
                self._replay()
            return
        epochs = self._outstanding.pop(trial)
        curve = curve[:epochs]
        self._journal.append(Event("tell", trial, epochs, len(curve), self._value(curve)))
        self._tell(trial, curve, epochs)
        self._note_stopped()
        self._note_end()

    @property
    def curves(self) -> Mapping[str, Curve]:
        return self._search.curves

    @property
    def finished(self) -> bool:
        return not self._lost and not self._outstanding and self._search.finished

    @property
    def best(self) -> tuple[str, float] | None:
        return self._search.best

    @property
    def epochs(self) -> int:
        return self._search.epochs

    @property
    def stopped(self) -> Set[str]:
        return self._search.stopped

    @property
    def kill_risk(self) -> float | None:
        return self._search.kill_risk

    @property
    def fits(self) -> int:
        return self._search.fits

    def bracket(self, trial: str) -> int:
        """Return the bracket of a trial."""
        return self._places[trial][0]

    def _find_lost(self) -> dict[str, Training]:
        """Return, by trial, the trainings of which the journal tells and whose curves are not there any more."""
        told = {event.name: event.trained for event in self._journal.events if event.kind == "tell"}
        lost = {trial: Training(trial, epochs) for trial, epochs in told.items() if len(self._curve(trial)) < epochs}
        for trial in sorted(lost.keys() & self._places.keys()):
            path = self._folder.config(trial)
            if self._study.search.sampling != "random" and not path.exists():
                advice = f"restore it, or delete {self._folder.journal} and start the search again"
                raise UserError(f"{path}: must be there, as the curve of the trial is lost, too; {advice}")
            self._introduce(trial)
        return lost

    def _replay(self) -> None:
        """Tell the search the events of the journal again."""
        for number, event in enumerate(self._journal.events[1:], 2):
            if event.kind == "ask":
                self._ask_again(number, event)
            elif event.kind == "tell":
                self._search.recorded = self._verdicts(number)
                self._tell_again(number, event)
            elif event.kind == "begin":
                raise self._contradiction(number, "must not begin a search again", event)
        self._search.recorded = NOTHING
        noted: dict[str, None] = {}
        for event in self._journal.events:
            # a stopped trial that is asked for goes on
            noted.pop(event.name, None) if event.kind == "ask" else None
            if event.kind == "stop":
                noted[event.name] = None
        self._stopped = set(noted)
        self._note_stopped()
        self._note_end()
        self._again = [Training(trial, epochs) for trial, epochs in self._outstanding.items()]

    def _ask_again(self, number: int, event: Event) -> None:
        asked = self._search.ask(1)
        if asked != [Training(event.name, event.epochs)]:
            wanted = f"trial {asked[0].trial} to epoch {asked[0].epochs}" if asked else "nothing"
            raise self._contradiction(number, f"must ask for {wanted}, as the search does after the lines above", event)
        self._note_asked(asked[0])

    def _tell_again(self, number: int, event: Event) -> None:
        if self._outstanding.pop(event.name, None) != event.epochs:
            raise self._contradiction(number, "must tell of a training that a line above asks for", event)
        curve = self._curve(event.name)[: event.trained]
        if len(curve) != event.trained or event.trained > event.epochs or self._value(curve) != event.value:
            path = self._folder.trial(event.name)
            needed = f"must tell the curve in {path}, {len(curve)} epochs that end with {self._value(curve)}"
            raise self._contradiction(number, needed, event)
        self._tell(event.name, curve, event.epochs)

    def _verdicts(self, number: int) -> Recorded:
        """Return what the search decided when it was told of a curve by a line of the journal: the lines below say."""
        found: set[str] = set()
        for event in islice(self._journal.events, number, None):
            if event.kind != "stop":
                return Recorded(found, is_all=True)
            found.add(event.name)
        return Recorded(found)

    def _tell(self, trial: str, curve: Curve, epochs: int) -> None:
        self._search.tell(trial, curve)
        is_lost = len(curve) < epochs or not math.isfinite(curve[-1])
        self._ended += is_lost or epochs == self._study.search.max_epochs

    def _contradiction(self, number: int, needed: str, found: Event) -> UserError:
        told = ", ".join(f"{key} {value}" for key, value in found.to_json().items())
        return damaged(self._folder.journal, number, needed, told)

    def _note_asked(self, training: Training) -> None:
        self._introduce(training.trial)
        self._outstanding[training.trial] = training.epochs

    def _note_stopped(self) -> None:
        """Write who was stopped since the last time, for those that read the journal without the search."""
        stopped = set(self._search.stopped)
        self._journal.append(*(Event("stop", trial) for trial in sorted(stopped - self._stopped)))
        self._stopped = stopped

    def _note_end(self) -> None:
        """Write that the search is over, for the same readers."""
        if self.finished and self._journal.events[-1].kind != "end":
            self._journal.append(Event("end", self._study.search.algorithm))

    def _introduce(self, trial: str) -> None:
        """Write the configuration of a trial that is asked for, if it is not there."""
        self._draw([trial])

    def _draw(self, trials: Sequence[str]) -> None:
        """Draw the configurations of trials that have none, from the curves of which the search was told."""
        study, folder = self._study, self._folder
        if not (places := {trial: self._places[trial] for trial in trials if not folder.config(trial).exists()}):
            return
        if study.search.sampling == "random":
            drawn = {trial: study.configuration(*place) for trial, place in places.items()}
        else:
            # each trial is read once
            for trial in self.curves.keys() - self._known.keys():
                self._known[trial] = Config.read(folder.config(trial)).configuration
            imported = teachers(folder, study.frozen())
            known = {trial: self._known[trial] for trial in self.curves}
            known |= {name: one.configuration for name, one in imported.items()}
            curves = {**self.curves, **{name: one.curve for name, one in imported.items()}}
            space, seed = study.search_space(), study.search.seed
            found = sampling.draw(space, study.search.sampling, seed, places, known, curves)
            drawn = {trial: one.configuration for trial, one in found.items()}
            # a user's own configurations stay as given
            drawn |= {trial: study.configuration(*place) for trial, place in places.items() if self._is_given(place)}
        for trial, (bracket, slot) in places.items():
            Config(trial, bracket, slot, drawn[trial]).write(folder.config(trial))

    def _is_given(self, place: Place) -> bool:
        return place.slot < len(self._study.first_configurations(place.bracket))

    def _curve(self, trial: str) -> Curve:
        metric = self._study.metric
        return metric.losses(row.get(metric.name) for row in read_rows(self._folder.trial(trial)))

    def _value(self, curve: Curve) -> float | None:
        """Return what a journal tells of a curve of losses."""
        return to_json(self._study.metric.value(curve[-1])) if curve and math.isfinite(curve[-1]) else None


def _taken(waiting: list[Training], at_most: int | None) -> list[Training]:
    """Take the first trainings out of a list."""
    count = len(waiting) if at_most is None else min(at_most, len(waiting))
    found, waiting[:] = waiting[:count], waiting[count:]
    return found
