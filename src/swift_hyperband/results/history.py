"""The history of a search, read from its folder: for status, tables and pictures. It decides and writes nothing.

Curves hold values of the metric as the target reported them, nan where one is not finite; verdicts hold losses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AGAIN
from swift_hyperband.results import journal
from swift_hyperband.results.ahead import Ahead, asked
from swift_hyperband.results.contents import Config, Entry, Sampler, known
from swift_hyperband.results.decided import Decided, read_promoted
from swift_hyperband.results.drawn import DrawnBracket
from swift_hyperband.results.freeze import load_study
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.rungs import Rungs
from swift_hyperband.results.taken import Taken, TakenEpochs
from swift_hyperband.results.thawed import Thawed
from swift_hyperband.results.trials import read_curve
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.decisions import Verdict
from swift_hyperband.search.schedule import Round, RoundKey, Schedule
from swift_hyperband.training.trial import has_failed, read_rows, started

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study


@dataclass(frozen=True)
class RoundHistory:
    """One round, as far as it got.

    Attributes
    ----------
    schedule : Round
    competitors : tuple of str
        Trial ids by rank; empty if the round was not entered yet.
    decided : Decided or None
        None if nothing is decided, or not yet.
    promoted : tuple of str or None
        Best first; None if the round is not over.
    """

    schedule: Round
    competitors: tuple[str, ...] = ()
    decided: Decided | None = None
    promoted: tuple[str, ...] | None = None

    @property
    def fallback(self) -> str | None:
        """Why simulated annealing took the place of the sampler that was to fit the predictor, if it did."""
        return None if self.decided is None else self.decided.fallback

    @property
    def verdicts(self) -> dict[str, Verdict] | None:
        """The verdicts on the partial trials, in losses; None if nothing is decided, or not yet."""
        return None if self.decided is None else self.decided.decision.verdicts

    @cached_property
    def full(self) -> tuple[str, ...]:
        return self.competitors[: self.schedule.full]

    @cached_property
    def partial(self) -> tuple[str, ...]:
        return self.competitors[self.schedule.full :]

    @cached_property
    def stopped(self) -> tuple[str, ...]:
        """Trials that the decision point stopped."""
        return tuple(trial for trial, verdict in (self.verdicts or {}).items() if not verdict.continues)

    def stops(self, trial: str) -> bool:
        """Whether the decision point stopped a trial."""
        verdict = (self.verdicts or {}).get(trial)
        return verdict is not None and not verdict.continues

    def promotes(self, trial: str) -> bool:
        """Whether a trial goes on to the next round."""
        return trial in self._promoted

    @cached_property
    def _promoted(self) -> frozenset[str]:
        return frozenset(self.promoted or ())

    @cached_property
    def _full(self) -> frozenset[str]:
        return frozenset(self.full)

    def goal(self, trial: str) -> int:
        """Return the epoch to which a competitor trains in this round, as far as is known."""
        point = self.schedule.decision_epoch
        if point is None or trial in self._full or (self.verdicts is not None and self.verdicts[trial].continues):
            return self.schedule.end
        return point


@dataclass(frozen=True)
class TrialHistory:
    """One trial: its configuration and what it trained.

    Attributes
    ----------
    trial : str
    bracket, slot : int
    configuration : dict
        Hyperparameters by name; inactive ones are not in it.
    curve : list of dict
        One row an epoch: epoch, metrics, seconds; without epochs trained ahead that the search has not asked for.
    failed : bool
        Whether it crashed for good.
    """

    trial: str
    bracket: int
    slot: int
    configuration: dict[str, Any]
    curve: list[dict[str, float]]
    failed: bool

    def values(self, metric: str) -> list[float]:
        return [row[metric] for row in self.curve]


@dataclass(frozen=True)
class History:
    """A search so far.

    Parameters
    ----------
    folder : StudyFolder
        Of a started search.
    """

    folder: StudyFolder

    @cached_property
    def study(self) -> Study:
        return load_study(self.folder)

    @cached_property
    def schedule(self) -> Schedule:
        return self.study.schedule()

    @cached_property
    def rungs(self) -> Rungs | None:
        """The rungs of a search without rounds; None of a search in rounds."""
        if ALGORITHMS[self.study.search.algorithm].synchronous:
            return None
        return Rungs.of(journal.read(self.folder.journal), (round_.end for round_ in self.schedule.rounds))

    @cached_property
    def slots(self) -> dict[int, dict[str, int]]:
        """The slots of the trials that start in each bracket, by trial id."""
        return {bracket: self.study.slots(bracket) for bracket in self.schedule.brackets}

    @cached_property
    def rounds(self) -> dict[RoundKey, RoundHistory]:
        """Every round of the schedule, in its order; none of a search without rounds."""
        if self.rungs is not None:
            return {}
        return {round_.key: self._round(round_) for round_ in self.schedule.rounds}

    @cached_property
    def thaw(self) -> RoundHistory | None:
        """The round after all brackets; None if the schedule has none."""
        round_ = self.schedule.thaw
        # without the choice its entry is an old one
        if round_ is None or self.thawed is None or not self.folder.entry(round_).exists():
            return None if round_ is None else RoundHistory(round_)
        competitors = tuple(Entry.read(self.folder.entry(round_)).competitors)
        _check(self.folder.entry(round_), competitors, self.thawed.left)
        return RoundHistory(round_, competitors, promoted=self._promoted(round_, competitors))

    @property
    def all_rounds(self) -> list[RoundHistory]:
        """The rounds of all brackets, and the one after them."""
        return [*self.rounds.values(), *([self.thaw] if self.thaw is not None else [])]

    @cached_property
    def thawed(self) -> Thawed | None:
        """Which of the trials that the brackets left behind go on, and how promising all are; None if not chosen."""
        round_ = self.schedule.thaw
        # one that lies there before all brackets are over is an old one
        over = all(found.promoted is not None for found in self.rounds.values())
        if round_ is None or not over or not self.folder.thaw(round_).exists():
            return None
        found = Thawed.read(self.folder.thaw(round_), self.study.metric)
        _check(self.folder.thaw(round_), found.left, self._drawn())
        _check(self.folder.thaw(round_), found.chosen, found.left)
        return found

    @cached_property
    def trials(self) -> dict[str, TrialHistory]:
        """Every trial that entered the search, in bracket order, then by id."""
        if self.rungs is not None:
            found = [self._trial(trial) for trial in self.rungs.trials]
            return {trial.trial: trial for trial in sorted(found, key=lambda trial: (-trial.bracket, trial.trial))}
        entered = [trial for found in self.rounds.values() if found.schedule.index == 0 for trial in found.competitors]
        return {trial: self._trial(trial) for trial in entered}

    @cached_property
    def unrepeatable(self) -> str | None:
        """Why another run of the study may decide otherwise, where its sampler does not repeat its answers."""
        sampler = known(self.folder.sampler, Sampler.read)
        return None if sampler is None else sampler.unrepeatable

    @property
    def finished(self) -> bool:
        if self.rungs is not None:
            return self.rungs.over
        return all(found.promoted is not None for found in self.all_rounds)

    @cached_property
    def asked(self) -> Mapping[str, int]:
        """The epoch to which the search has asked for each trial."""
        return asked(self.all_rounds) if self.rungs is None else self.rungs.asked

    @cached_property
    def taken(self) -> Taken:
        """What was taken over from earlier searches."""
        return Taken.of(self.folder)

    @cached_property
    def ahead(self) -> Ahead:
        """How many epochs were trained before the search asked for them."""
        if self.rungs is not None:
            return Ahead()
        places = {trial: self.folder.trial(trial) for trial in self.trials}
        return Ahead.sum(
            Ahead.of(self.asked[trial], len(read_rows(place)), started(place).ahead, self.taken.epochs(trial))
            for trial, place in places.items()
        )

    def begun(self, trial: str) -> Mapping[int, float]:
        """Return when each epoch of a trial began, for the last time, in seconds since 1970, as far as is known."""
        return started(self.folder.trial(trial)).times

    @property
    def earlier(self) -> TakenEpochs:
        """What became of the epochs that were taken over from earlier searches."""
        return TakenEpochs.of(self.folder, self.taken, self.asked)

    @property
    def epochs(self) -> int:
        """Epochs trained so far, of those that the search has asked for."""
        return sum(len(trial.curve) for trial in self.trials.values())

    @property
    def outside(self) -> dict[str, float]:
        """The worst value of each trial that counted as diverged in a fit or a decision, though it is finite."""
        study, decided = self.study, [found.decided for found in self.rounds.values() if found.decided is not None]
        trials = {trial for found in decided for trial in found.outside}
        values = {trial: self.trials[trial].values(study.metric.name) for trial in sorted(trials)}
        return {trial: max(of_trial, key=study.metric.loss) for trial, of_trial in values.items()}

    def _round(self, round_: Round) -> RoundHistory:
        folder = self.folder
        here_and_later = self.schedule.brackets[round_.bracket][round_.index :]
        if not any(folder.entry(later).exists() for later in here_and_later) or not self._is_drawn(round_.bracket):
            return RoundHistory(round_)
        decided = None
        competitors = tuple(Entry.read(folder.entry(round_)).competitors)
        drawn = self.slots[round_.bracket]
        _check(folder.entry(round_), competitors, drawn)
        if round_.index == 0 and (missing := sorted(set(drawn) - set(competitors))):
            line = f"must name every trial of its bracket, found no {missing[0]!r}"
            raise UserError(f"{folder.entry(round_)}: {line}; {AGAIN}")
        if folder.decision(round_).exists():
            decided = Decided.read(folder.decision(round_), self.study.metric)
            _check(folder.decision(round_), decided.decision.verdicts, competitors)
            if decided.outside:
                _check(folder.decision(round_), decided.outside, self._drawn())
        return RoundHistory(round_, competitors, decided, self._promoted(round_, competitors))

    @cached_property
    def drawn(self) -> dict[int, DrawnBracket]:
        """The draws of the brackets whose configurations a model has drawn, by bracket."""
        found: dict[int, DrawnBracket] = {}
        for bracket, rounds in self.schedule.brackets.items():
            path = self.folder.draw(rounds[0])
            if self.schedule.drawn_after(bracket) and path.exists():
                found[bracket] = DrawnBracket.read(path)
                _check(path, found[bracket].trials, self.slots[bracket])
        return found

    @cached_property
    def by_model(self) -> frozenset[str]:
        """The trials whose configurations a model drew, so far."""
        drawn = (found.trials.items() for found in self.drawn.values())
        return frozenset(trial for trials in drawn for trial, found in trials if found.by_model)

    def _is_drawn(self, bracket: int) -> bool:
        """Whether the trials of a bracket have configurations. A model draws them long after the bracket is entered."""
        return bracket in self.drawn or not self.schedule.drawn_after(bracket)

    def _drawn(self) -> Iterator[str]:
        return chain.from_iterable(self.slots[bracket] for bracket in self.schedule.brackets)

    def _promoted(self, round_: Round, competitors: Iterable[str]) -> tuple[str, ...] | None:
        path = self.folder.promotion(round_)
        if not path.exists():
            return None
        promoted = tuple(read_promoted(path))
        _check(path, promoted, competitors)
        return promoted

    def _trial(self, trial: str) -> TrialHistory:
        stored = Config.read(self.folder.config(trial))
        curve = read_curve(self.folder, trial, self.study.target.metric)
        curve = curve[: self.asked[trial]]
        failed = has_failed(self.folder.trial(trial)) or (self.rungs is not None and self.rungs.failed(trial))
        return TrialHistory(trial, stored.bracket, stored.slot, dict(stored.configuration), curve, failed)


def _check(path: Path, trials: Iterable[str], known: Iterable[str]) -> None:
    """Check that a file names trials that there are."""
    if unknown := sorted(set(trials) - set(known)):
        raise UserError(f"{path}: must name trials of its bracket and round, found {unknown[0]!r}; {AGAIN}")
