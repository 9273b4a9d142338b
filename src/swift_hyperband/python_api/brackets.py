"""The brackets and rounds of a search as typed records: who competed, what was decided, who went on."""

from __future__ import annotations

from dataclasses import dataclass

from swift_hyperband.base.metric import Metric
from swift_hyperband.python_api import html
from swift_hyperband.results.contents import as_value
from swift_hyperband.results.history import History, RoundHistory
from swift_hyperband.results.standing import winners
from swift_hyperband.search import decisions, schedule
from swift_hyperband.search.scheduled import RoundRecord


@dataclass(frozen=True)
class Decision:
    """What the decision point of a round said of one partial trial. Values are those of the metric.

    Attributes
    ----------
    trial : str
    seen : float or None
        The metric at the decision point; None where it is not finite.
    predicted : float or None
        The metric that was predicted for the round's end; None without a prediction.
    goes_on : bool
        Whether the trial trained on to the round's end.
    """

    trial: str
    seen: float | None
    predicted: float | None
    goes_on: bool


@dataclass(frozen=True)
class Round:
    """One round, as far as it got.

    Attributes
    ----------
    bracket, index : int
        Bracket s and round i, as in the papers.
    start, end : int
        The epochs at which its trials begin and end.
    decision_epoch : int or None
        The decision point; None if all its trials train to the end.
    competitors : tuple of str
        Trial ids by rank; empty if the round was not entered yet.
    full : int
        So many of them, the first ones, train to the end without a decision.
    threshold : float or None
        The value that a prediction had to beat; None before the decision, and where nobody could be stopped.
    decisions : tuple of Decision
        One for each partial trial; empty before the decision, and without one.
    promoted : tuple of str or None
        Trials of the next round, best first (of the last round: the bracket's winner); None while it is not over.
    is_thaw : bool
        Whether it is the round after all brackets, in which trials that were left behind go on.
    """

    bracket: int
    index: int
    start: int
    end: int
    decision_epoch: int | None
    competitors: tuple[str, ...]
    full: int
    threshold: float | None
    decisions: tuple[Decision, ...]
    promoted: tuple[str, ...] | None
    is_thaw: bool = False

    @property
    def over(self) -> bool:
        return self.promoted is not None

    @property
    def stopped(self) -> tuple[str, ...]:
        """Trials that the decision point stopped."""
        return tuple(found.trial for found in self.decisions if not found.goes_on)

    def __str__(self) -> str:
        count = f"{len(self.competitors)} trial{'s' if len(self.competitors) != 1 else ''}"
        if self.is_thaw:
            return f"after all brackets: {count} left behind {'went' if self.over else 'go'} on to epoch {self.end}"
        told = f"bracket {self.bracket}, round {self.index}: {count} to epoch {self.end}"
        if self.decisions:
            told += f", {len(self.stopped)} stopped by prediction"
        return f"{told}, {len(self.promoted)} promoted" if self.promoted is not None else f"{told}, not over"


@dataclass(frozen=True)
class Bracket:
    """One bracket.

    Attributes
    ----------
    number : int
        Bracket s; s_max starts with the most trials, bracket 0 trains all to the end.
    rounds : tuple of Round
    winner : str or None
        The trial that won it; None while it is not over, and where all its trials failed.
    """

    number: int
    rounds: tuple[Round, ...]
    winner: str | None

    @property
    def over(self) -> bool:
        return all(found.over for found in self.rounds)

    def __str__(self) -> str:
        return "\n".join(map(str, self.rounds))

    def _repr_html_(self) -> str:
        header = ("round", "trials", "ends at epoch", "decided at epoch", "threshold", "stopped", "promoted")
        rows = (
            (
                found.index,
                len(found.competitors),
                found.end,
                found.decision_epoch,
                found.threshold,
                len(found.stopped) if found.decisions else None,
                None if found.promoted is None else len(found.promoted),
            )
            for found in self.rounds
        )
        return html.table(f"bracket {self.number}", header, rows)


def read(history: History) -> tuple[Bracket, ...]:
    """Return the brackets of a search in the order of its schedule; none of a search without rounds."""
    if history.rungs is not None:
        return ()
    won = winners(history)
    return tuple(
        Bracket(
            bracket,
            tuple(of_history(history.rounds[round_.key], history.study.metric) for round_ in rounds),
            won[bracket].trial if bracket in won else None,
        )
        for bracket, rounds in history.schedule.brackets.items()
    )


def of_history(found: RoundHistory, metric: Metric) -> Round:
    """Return the record of a round that was read."""
    decision = None if found.decided is None else found.decided.decision
    return _of(found.schedule, found.competitors, decision, found.promoted, metric)


def of_record(found: RoundRecord, metric: Metric) -> Round:
    """Return the record of a round of a search that runs here."""
    promoted = None if found.promoted is None else tuple(found.promoted)
    return _of(found.schedule, tuple(found.competitors), found.decision, promoted, metric)


def _of(
    schedule: schedule.Round,
    competitors: tuple[str, ...],
    decision: decisions.Decision | None,
    promoted: tuple[str, ...] | None,
    metric: Metric,
) -> Round:
    verdicts = {} if decision is None else decision.verdicts
    return Round(
        schedule.bracket,
        schedule.index,
        schedule.start,
        schedule.end,
        schedule.decision_epoch,
        competitors,
        len(competitors[: schedule.full]),
        None if decision is None else as_value(metric, decision.threshold),
        tuple(
            Decision(trial, as_value(metric, one.seen), as_value(metric, one.predicted), one.continues)
            for trial, one in verdicts.items()
        ),
        promoted,
        schedule.is_thaw,
    )
