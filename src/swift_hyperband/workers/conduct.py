"""What a search is told and asked, in which order, and which files hold that; the rest of deciding is in `decider`.

A search in rounds follows from the trials' curves, in whatever order they come. A search whose result depends on
their order needs a journal of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Curve, Search, Training
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.hopes import within
from swift_hyperband.search.scheduled import RoundRecord, ScheduledSearch
from swift_hyperband.study.model import Study
from swift_hyperband.workflow.journaled import JournaledSearch
from swift_hyperband.workflow.round_files import OnRound, RoundFiles


class Conduct(Protocol):
    """Conducts a search over its folder: only here it is told and asked anything.

    Every training that it returns has its trial's configuration in the folder.
    """

    @property
    def search(self) -> Search:
        """The search."""

    def resume(self) -> list[Training]:
        """Bring a search that has just been made to where its files say, and return what it has asked for.

        Called once, before all else. The trainings may be through already.
        """

    def tell(self, trial: str, curve: Curve) -> None:
        """Tell the losses of a trial that was asked for."""

    def ask(self, free: int) -> list[Training]:
        """Return what is asked for now, and write what was decided.

        Parameters
        ----------
        free : int
            How many trials could begin to train now.
        """

    def racing(self) -> int:
        """Return how many trials may still train at the same time, at most."""

    def hopes(self, ahead: Mapping[str, Curve], most: float) -> list[Training]:
        """Return trainings that may be asked for, best first.

        Parameters
        ----------
        ahead : mapping of str to Curve
            The curves of trials that trained ahead, as far as they are trained.
        most : float
            Most epochs ahead, as a share of those that were asked for so far.
        """


class InRounds:
    """Conducts a search in rounds."""

    def __init__(self, folder: StudyFolder, study: Study, on_round: OnRound | None = None) -> None:
        self._files = RoundFiles(folder, study, on_round)
        self._search = self._files.search()

    @property
    def search(self) -> ScheduledSearch:
        return self._search

    def resume(self) -> list[Training]:
        return self.ask(0)

    def tell(self, trial: str, curve: Curve) -> None:
        self._search.tell(trial, curve)

    def ask(self, free: int) -> list[Training]:  # noqa: ARG002
        # all: how many are handed out at a time does not matter to it
        asked = self._search.ask()
        self._files.write(self._search)
        return asked

    def racing(self) -> int:
        schedule, records = self._search.schedule, self._search.records
        latest = {bracket: max(i for s, i in records if s == bracket) for bracket, _ in records}
        left = sum(_racing(records[key]) for key in latest.items())
        # those of brackets in turn, and of the round after all brackets, begin when these are over
        later = [rounds[0].trials for bracket, rounds in schedule.brackets.items() if bracket not in latest]
        if schedule.thaw is not None and schedule.thaw.key not in records:
            later.append(schedule.thaw.trials)
        return max(left, *later, 0)

    def hopes(self, ahead: Mapping[str, Curve], most: float) -> list[Training]:
        return within(self._search, ahead, most)


def _racing(record: RoundRecord) -> int:
    """Return how many trials of a round may train in it, also beyond what was asked for."""
    if record.promoted is not None:
        return 0
    return len(record.finishers if record.decision is not None else record.competitors)


class ByJournal:
    """Conducts a search without rounds: it is asked for as many trainings as workers are free."""

    def __init__(self, folder: StudyFolder, study: Study) -> None:
        resources = study.resources
        self._search = JournaledSearch(folder, study, resources.workers * resources.side_by_side)

    @property
    def search(self) -> JournaledSearch:
        return self._search

    def resume(self) -> list[Training]:
        return self._search.resume()

    def tell(self, trial: str, curve: Curve) -> None:
        self._search.tell(trial, curve)

    def ask(self, free: int) -> list[Training]:
        return self._search.ask(free)

    def racing(self) -> int:
        return self._search.racing()

    def hopes(self, ahead: Mapping[str, Curve], most: float) -> list[Training]:  # noqa: ARG002
        # free workers have other trials
        return []


def conduct_of(folder: StudyFolder, study: Study, on_round: OnRound | None = None) -> Conduct:
    """Return what conducts the search of a study."""
    if ALGORITHMS[study.search.algorithm].synchronous:
        return InRounds(folder, study, on_round)
    return ByJournal(folder, study)
