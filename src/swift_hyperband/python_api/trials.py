"""The trials of a search as typed records, and as a table of pandas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.packages import require
from swift_hyperband.python_api import html
from swift_hyperband.report.trials import Row, rows
from swift_hyperband.results.history import History, TrialHistory
from swift_hyperband.results.standing import Fate, lost
from swift_hyperband.training.trial import last_error

SHOWN = 10
"""Trials that a notebook shows of a list; the others are counted."""


@dataclass(frozen=True)
class Trial:
    """One trial: its configuration, how far it trained and what became of it.

    Attributes
    ----------
    rank : int
        From 1: the best of the search leads; then come those that trained further, then the better ones, as values of
        different epochs do not compare; trials that failed or diverged come last. As in the report.
    id : str
        Twelve hexadecimal digits, a hash of the study's seed, the bracket and the slot.
    bracket, slot : int
        Its place in the search.
    configuration : dict
        Hyperparameters by name; inactive ones are not in it.
    fate : Fate
        "finished", "promoted", "stopped by prediction", "not promoted", "diverged", "failed", "running" or
        "waiting" (has not begun); a text, too.
    value : float or None
        The metric at the epoch that counts: the last one, or the best one (`target.metric_at`). None before the first
        epoch, and of a trial that failed or diverged.
    epoch : int
        The epoch of `value`; 0 without one.
    values : tuple of float, shape (epochs,)
        The metric after each epoch, from epoch 1; nan where it was not finite.
    seconds : float or None
        How long it trained in all; None where that was not recorded.
    error : str or None
        The last error of a trial that failed, in a line.
    """

    rank: int
    id: str
    bracket: int
    slot: int
    configuration: dict[str, Any]
    fate: Fate
    value: float | None
    epoch: int
    values: tuple[float, ...]
    seconds: float | None
    error: str | None = None

    @property
    def epochs(self) -> int:
        """Epochs trained, of those that the search asked for."""
        return len(self.values)


class Trials(Sequence[Trial]):
    """The trials of a search, in bracket order, then by id.

    A sequence: `len`, iteration, `trials[0]`, `trials[:5]`. Notebooks show the best ten.

    Parameters
    ----------
    trials : sequence of Trial
    metric : str
    """

    def __init__(self, trials: Sequence[Trial], metric: str) -> None:
        self._trials, self._metric = tuple(trials), metric
        self._by_id = {trial.id: trial for trial in self._trials}

    def __len__(self) -> int:
        return len(self._trials)

    @overload
    def __getitem__(self, index: int) -> Trial: ...

    @overload
    def __getitem__(self, index: slice) -> Trials: ...

    def __getitem__(self, index: int | slice) -> Trial | Trials:
        found = self._trials[index]
        return found if isinstance(found, Trial) else Trials(found, self._metric)

    def __iter__(self) -> Iterator[Trial]:
        return iter(self._trials)

    def by_id(self, trial: str) -> Trial:
        """Return the trial with an id.

        Raises
        ------
        UserError
            If there is none.
        """
        if trial not in self._by_id:
            raise UserError(f"trial must be one of the {len(self)} trials that entered the search, found {trial!r}")
        return self._by_id[trial]

    def ranked(self) -> Trials:
        """Return them by rank, the best first."""
        return Trials(sorted(self._trials, key=lambda trial: trial.rank), self._metric)

    def to_pandas(self) -> Any:
        """Return a table with a row for each trial, indexed by id.

        Returns
        -------
        pandas.DataFrame, shape (trials, 8 + hyperparameters)
            Columns rank, bracket, slot, fate, epochs, value (nan for None), epoch, seconds; and as in curves.parquet
            `config_<name>` for each hyperparameter, missing where it is not active.

        Raises
        ------
        UserError
            If pandas is not installed.
        """
        require("to_pandas", "pandas")
        # only who has called this has it
        import pandas

        table = [
            {
                "trial": trial.id,
                "rank": trial.rank,
                "bracket": trial.bracket,
                "slot": trial.slot,
                "fate": trial.fate.value,
                "epochs": trial.epochs,
                "value": trial.value,
                "epoch": trial.epoch,
                "seconds": trial.seconds,
                **{f"config_{name}": value for name, value in trial.configuration.items()},
            }
            for trial in self._trials
        ]
        fixed = ("trial", "rank", "bracket", "slot", "fate", "epochs", "value", "epoch", "seconds")
        names = dict.fromkeys([*fixed, *(name for row in table for name in row)])
        found = pandas.DataFrame(table, columns=list(names)).set_index("trial")
        found["value"] = found["value"].astype(float)
        return found

    def __repr__(self) -> str:
        return f"<{len(self)} trials>"

    def _repr_html_(self) -> str:
        best = self.ranked()[:SHOWN]
        caption = f"{len(self)} trials" + (f", the best {len(best)}" if len(self) > len(best) else ", best first")
        header = ("trial", "bracket", "fate", "epochs", self._metric, "configuration")
        shown = [
            (found.id, found.bracket, found.fate, found.epochs, found.value, html.configuration(found.configuration))
            for found in best
        ]
        return html.table(caption, header, shown)


def read(history: History) -> Trials:
    """Return the trials of a search."""
    rank = {row.trial: row for row in rows(history)}
    found = [_trial(history, trial, rank[trial.trial]) for trial in history.trials.values()]
    return Trials(found, history.study.metric.name)


def _trial(history: History, found: TrialHistory, row: Row) -> Trial:
    metric = history.study.metric
    values = found.values(metric.name)
    epoch = 0 if lost(history, found) else metric.epoch(values)
    return Trial(
        rank=row.rank,
        id=found.trial,
        bracket=found.bracket,
        slot=found.slot,
        configuration=dict(found.configuration),
        fate=row.status,
        value=values[epoch - 1] if epoch else None,
        epoch=epoch,
        values=tuple(values),
        seconds=row.seconds,
        error=last_error(history.folder.trial(found.trial)) if found.failed else None,
    )
