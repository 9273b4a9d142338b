"""The plan of a search: what it costs, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from swift_hyperband.base.wording import duration
from swift_hyperband.python_api import html
from swift_hyperband.results.pace import Pace
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.plan import Plan as Cost
from swift_hyperband.search.plan import epochs, makespan
from swift_hyperband.search.schedule import Round
from swift_hyperband.study.model import Study


@dataclass(frozen=True)
class Plan:
    """What a search costs, at least and at most: how many trials are stopped by prediction shows only as it runs.

    Printed, it is a text of some lines; notebooks show a table.

    Attributes
    ----------
    study, algorithm : str
        Their names.
    max_epochs, eta : int
    configurations : int
        Number of trials.
    brackets : mapping of int to tuple of Round
        The rounds (`swift_hyperband.search.schedule.Round`) by bracket, as scheduled; rungs of a search without rounds.
    epochs_least, epochs_most : int or None
        Epochs that all trials train together; None where there is no bound.
    epochs_hyperband : int
        Those that Hyperband trains.
    jobs_least, jobs_most : int or None
        Jobs of the Snakemake workflow; None of a search without rounds.
    workers : int
        Trainings side by side.
    seconds_least, seconds_most : float or None
        How long the search takes with these workers, none of which waits in a queue; None where the time of an epoch
        is not known, and of a search without rounds.
    thaw : Round or None
        The round after all brackets, in which up to `thaw.trials` trials left behind go on for `thaw.budget` epochs at
        most; None if the study has none.
    """

    study: str
    algorithm: str
    max_epochs: int
    eta: int
    configurations: int
    brackets: Mapping[int, tuple[Round, ...]]
    epochs_least: int | None
    epochs_most: int | None
    epochs_hyperband: int
    jobs_least: int | None
    jobs_most: int | None
    workers: int
    seconds_least: float | None = None
    seconds_most: float | None = None
    thaw: Round | None = None

    def __str__(self) -> str:
        count = len(self.brackets)
        lines = [
            f"{self.study}: {self.algorithm}, max_epochs {self.max_epochs}, eta {self.eta}",
            f"{self.configurations} configurations in {count} bracket{'s' if count > 1 else ''}",
            *(f"bracket {bracket}: {_steps(rounds)}" for bracket, rounds in self.brackets.items()),
            *([] if self.thaw is None else [f"after them: {_thaw(self.thaw)}"]),
            *(f"{name}: {found}" for name, found in self._sums()),
        ]
        return "\n".join(lines)

    def _sums(self) -> list[tuple[str, str]]:
        found = [("epochs", f"{_range(self.epochs_least, self.epochs_most)} (Hyperband: {self.epochs_hyperband})")]
        if self.jobs_most is not None:
            found.append(("jobs of the workflow", _range(self.jobs_least, self.jobs_most)))
        if self.seconds_least is not None and self.seconds_most is not None:
            workers = f"with {self.workers} worker{'s' if self.workers > 1 else ''}"
            found.append((workers, _range(duration(self.seconds_least), duration(self.seconds_most))))
        return found

    def _repr_html_(self) -> str:
        names = ("bracket", "round", "trials", "in full", "partial", "decided at epoch", "ends at epoch")
        rows: list[tuple[object, ...]] = [
            (bracket, one.index, one.trials, one.full, one.partial or None, one.decision_epoch, one.end)
            for bracket, rounds in self.brackets.items()
            for one in rounds
        ]
        if (thaw := self.thaw) is not None:
            rows.append(("thaw", None, f"up to {thaw.trials}", None, None, None, thaw.end))
        caption = f"{self.study}: {self.configurations} configurations"
        return html.table(caption, names, rows) + html.table("at least to at most", ("", ""), self._sums())


def of(study: Study, workers: int, pace: Pace | None) -> Plan:
    """Return the plan of a study with so many workers."""
    schedule, search = study.schedule(), study.search
    seconds = None if pace is None else pace.seconds / study.resources.side_by_side
    cost = Cost(schedule, study.batch_size, workers, seconds, study.execution)
    has_rounds = ALGORITHMS[search.algorithm].synchronous

    def lasts(case: str) -> float | None:
        if pace is None or not has_rounds:
            return None
        length = makespan(schedule, "best" if case == "best" else "worst", cost.packing, workers, seconds)
        return length * pace.seconds

    return Plan(
        study.name,
        search.algorithm,
        search.max_epochs,
        search.eta,
        schedule.configurations,
        schedule.brackets,
        epochs(schedule, "best") if has_rounds else None,
        epochs(schedule, "worst") if has_rounds else study.frozen().most_epochs(),
        schedule.epochs_hyperband,
        cost.jobs("best") if has_rounds else None,
        cost.jobs("worst") if has_rounds else None,
        workers,
        lasts("best"),
        lasts("worst"),
        schedule.thaw,
    )


def _thaw(thaw: Round) -> str:
    return f"up to {thaw.trials} trials left behind go on to epoch {thaw.end} (thaw), {thaw.budget} epochs at most"


def _steps(rounds: tuple[Round, ...]) -> str:
    first, *later = rounds
    count = f"{first.trials} trial{'s' if first.trials > 1 else ''}"
    return ", ".join([f"{count} to epoch {first.end}", *(f"{one.trials} to {one.end}" for one in later)])


def _range(least: object, most: object) -> str:
    if least is None:
        return "no bound" if most is None else f"at most {most}"
    return f"{least} to {most}" if least != most else f"{most}"
