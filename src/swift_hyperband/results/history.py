"""The history of a search, read from its folder: for status, tables and pictures. It decides and writes nothing.

Values are metrics as the target reported them (not losses), nan where not finite.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AGAIN, read_json
from swift_hyperband.base.metric import from_json
from swift_hyperband.results.contents import CONFIG, DECISION, ENTRY, PROMOTION, SAMPLER, known
from swift_hyperband.results.freeze import load_study
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.trials import read_curve
from swift_hyperband.search.schedule import Round, RoundKey, Schedule
from swift_hyperband.training.trial import has_failed

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study


@dataclass(frozen=True)
class Decided:
    """What a decision point said of a partial trial.

    Attributes
    ----------
    seen : float
        The metric at the decision point.
    predicted : float or None
        The metric predicted for the round's end; None where nothing could be predicted.
    continues : bool
    """

    seen: float
    predicted: float | None
    continues: bool


@dataclass(frozen=True)
class RoundHistory:
    """One round, as far as it got.

    Attributes
    ----------
    schedule : Round
    competitors : tuple of str
        Trial ids by rank; empty if the round was not entered yet.
    threshold, sigma : float or None
        The metric to beat and the predictor's standard error, where a decision was taken.
    verdicts : dict of str to Decided
        By partial trial; empty if nothing was decided (yet).
    promoted : tuple of str or None
        Best first; None if the round is not over.
    fallback : str or None
        Why simulated annealing took the place of the annealer that was to fit its predictor, where it did.
    outside : frozenset of str
        Trials with finite values that counted as diverged in the decision, or in the fit of its predictor.
    """

    schedule: Round
    competitors: tuple[str, ...] = ()
    threshold: float | None = None
    sigma: float | None = None
    verdicts: dict[str, Decided] | None = None
    promoted: tuple[str, ...] | None = None
    fallback: str | None = None
    outside: frozenset[str] = frozenset()

    @property
    def full(self) -> tuple[str, ...]:
        return self.competitors[: self.schedule.full]

    @property
    def partial(self) -> tuple[str, ...]:
        return self.competitors[self.schedule.full :]

    @property
    def stopped(self) -> tuple[str, ...]:
        """Trials that the decision point stopped."""
        return tuple(trial for trial, verdict in (self.verdicts or {}).items() if not verdict.continues)

    def goal(self, trial: str) -> int:
        """Return the epoch to which a competitor trains in this round, as far as is known."""
        point = self.schedule.decision_epoch
        if point is None or trial in self.full or (self.verdicts is not None and self.verdicts[trial].continues):
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
        One row an epoch: epoch, metrics, seconds.
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
    def rounds(self) -> dict[RoundKey, RoundHistory]:
        """Every round of the schedule, in its order."""
        return {round_.key: self._round(round_) for round_ in self.schedule.rounds}

    @cached_property
    def trials(self) -> dict[str, TrialHistory]:
        """Every trial that entered the search, in bracket order, then by id."""
        entered = [trial for found in self.rounds.values() if found.schedule.index == 0 for trial in found.competitors]
        return {trial: self._trial(trial) for trial in entered}

    @cached_property
    def unrepeatable(self) -> str | None:
        """Why another run of the study may decide otherwise, where its sampler does not repeat its answers."""
        return (known(self.folder.sampler, SAMPLER) or {}).get("unrepeatable")

    @property
    def finished(self) -> bool:
        return all(found.promoted is not None for found in self.rounds.values())

    @property
    def epochs(self) -> int:
        """Epochs trained so far."""
        return sum(len(trial.curve) for trial in self.trials.values())

    @property
    def outside(self) -> dict[str, float]:
        """The worst value of each trial that counted as diverged in a fit or a decision, though it is finite."""
        study, trials = self.study, {trial for found in self.rounds.values() for trial in found.outside}
        values = {trial: self.trials[trial].values(study.metric.name) for trial in sorted(trials)}
        return {trial: max(of_trial, key=study.metric.loss) for trial, of_trial in values.items()}

    def _round(self, round_: Round) -> RoundHistory:
        folder = self.folder
        here_and_later = self.schedule.brackets[round_.bracket][round_.index :]
        if not any(folder.entry(later).exists() for later in here_and_later):
            return RoundHistory(round_)
        threshold = sigma = verdicts = promoted = fallback = None
        outside: frozenset[str] = frozenset()
        competitors = tuple(read_json(folder.entry(round_), ENTRY)["competitors"])
        drawn = self.study.trials(round_.bracket)
        _check(folder.entry(round_), competitors, drawn)
        if round_.index == 0 and (missing := sorted(set(drawn) - set(competitors))):
            line = f"must name every trial of its bracket, found no {missing[0]!r}"
            raise UserError(f"{folder.entry(round_)}: {line}; {AGAIN}")
        if folder.decision(round_).exists():
            stored = read_json(folder.decision(round_), DECISION)
            _check(folder.decision(round_), stored["verdicts"], competitors)
            threshold, sigma, fallback = stored["threshold"], stored["sigma"], stored["fallback"]
            # not in files of before there was anything to tell
            outside = frozenset([*stored.get("left_out", ()), *stored.get("outside", ())])
            every = chain.from_iterable(map(self.study.trials, self.schedule.brackets)) if outside else ()
            _check(folder.decision(round_), outside, every)
            verdicts = {
                trial: Decided(from_json(verdict["seen"]), verdict["predicted"], verdict["continues"])
                for trial, verdict in stored["verdicts"].items()
            }
        if folder.promotion(round_).exists():
            promoted = tuple(read_json(folder.promotion(round_), PROMOTION)["promoted"])
            _check(folder.promotion(round_), promoted, competitors)
        return RoundHistory(round_, competitors, threshold, sigma, verdicts, promoted, fallback, outside)

    def _trial(self, trial: str) -> TrialHistory:
        stored = read_json(self.folder.trial(trial) / "config.json", CONFIG)
        failed = has_failed(self.folder.trial(trial))
        curve = read_curve(self.folder, trial, self.study.target.metric)
        return TrialHistory(trial, stored["bracket"], stored["slot"], stored["configuration"], curve, failed)


def _check(path: Path, trials: Iterable[str], known: Iterable[str]) -> None:
    """Check that a file names trials that there are."""
    if unknown := sorted(set(trials) - set(known)):
        raise UserError(f"{path}: must name trials of its bracket and round, found {unknown[0]!r}; {AGAIN}")
