"""A table of recorded learning curves, independent of its file."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.space.constraints import Scalar


@dataclass(frozen=True, eq=False)
class CurveTable:
    """Learning curves of one metric, a row for each configuration that was trained.

    A row *diverges* at its first value that is not finite: what was recorded after it does not count. A row *ends
    early* if its last recorded value is finite and lies before the table's last epoch: how it would have gone on is
    not known, so it cannot be replayed beyond (`complete` leaves such rows out).

    Attributes
    ----------
    name : str
        Short: "MLPF", or the file's name without its suffix.
    metric : Metric
    curves : NDArray of float, shape (rows, epochs)
        The metric as recorded, not finite where a row diverges and nan behind that; nan where nothing is recorded.
    recorded : NDArray of int, shape (rows,)
        How many epochs of each row are recorded, the one at which it diverges included.
    hyperparameters : dict of str to list
        By name, a value for each row; None where a hyperparameter is not active, or not told.
    seconds : NDArray of float, shape (rows,), or None
        Seconds an epoch of each row, the mean of what is recorded (of all rows where a row has nothing); None where
        the table does not tell.
    ids : list of str
        Configurations as the file calls them; the row's number, from 1, where it does not.
    notes : tuple of str
        A line for each thing that was left out or looks odd, to be told to the user.
    """

    name: str
    metric: Metric
    curves: NDArray[np.float64]
    recorded: NDArray[np.int64]
    hyperparameters: dict[str, list[Scalar | None]]
    seconds: NDArray[np.float64] | None
    ids: list[str]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Return how many curves there are."""
        return int(self.curves.shape[0])

    @property
    def epochs(self) -> int:
        """Return the last epoch that any row may reach."""
        return int(self.curves.shape[1])

    def losses(self, max_epochs: int) -> list[list[float]]:
        """Return each row's losses at epochs 1, 2, ..., at most `max_epochs` of them.

        They are those that a search gets: where the metric counts at the best epoch, the smallest ones up to each
        epoch. A row that diverges before ends with inf, in the place of its first value that is not finite. A row that
        ends early is just shorter, its last loss finite.

        Raises
        ------
        UserError
            If the table has fewer than `max_epochs` epochs.
        """
        self._check(max_epochs)
        found = []
        for curve, recorded in zip(self.curves[:, :max_epochs].tolist(), self.recorded.tolist(), strict=True):
            losses = self.metric.losses(curve[:recorded])
            found.append(losses[: losses.index(math.inf) + 1] if math.inf in losses else losses)
        return found

    def complete(self, max_epochs: int) -> CurveTable:
        """Return the rows that can be replayed to `max_epochs`: recorded until then, or diverged before.

        Rows that end early are left out, and a note says how many.

        Raises
        ------
        UserError
            If the table has fewer than `max_epochs` epochs, or no row is left.
        """
        self._check(max_epochs)
        kept = (self.recorded >= max_epochs) | (_first_not_finite(self.curves, self.recorded) < self.recorded)
        if not kept.any():
            raise UserError(
                f"{self.name}: at least one row must be recorded to epoch {max_epochs}, found {self.rows} that all end "
                f"before; ask for at most {int(self.recorded.max(initial=0))} epochs (--max-epochs)"
            )
        left_out = self.rows - int(kept.sum())
        note = (
            f"{left_out} of {self.rows} curves end before epoch {max_epochs}, as those of trials do that a search "
            "stopped, and are left out: what is left is a choice of the good ones. A fair replay needs full curves: "
            "'swift-hyperband record' makes them"
        )
        return self._only(kept, note)

    def distinct(self) -> CurveTable:
        """Return the first row of each distinct configuration; a note says how many rows are left out.

        First come, first kept, also if it ends early and a later one does not: call `complete` before. In a table
        without hyperparameters every row is a configuration of its own.
        """
        left_out = f"{int(self.repeats.sum())} of {self.rows} rows repeat an earlier configuration and are left out"
        return self._only(~self.repeats, left_out)

    def without_worst(self) -> CurveTable:
        """Return all rows but the one with the largest last loss, if there is another; a note tells which.

        Rows that do not reach the last epoch have none, and stay.
        """
        last = self.metric.loss(self.curves[:, -1])
        if self.rows < 2 or not np.isfinite(last).any():
            return self
        worst = int(np.where(np.isfinite(last), last, -np.inf).argmax())
        note = (
            f"row {self.ids[worst]}, with the largest last {self.metric.name} ({self.curves[worst, -1]:.6g}), is left "
            f"out, as by the table's authors; {self.rows - 1} rows remain"
        )
        return self._only(np.arange(self.rows) != worst, note)

    @property
    def repeats(self) -> NDArray[np.bool_]:
        """Return whether each row has the configuration of an earlier one."""
        seen: set[tuple[Scalar | None, ...]] = set()
        repeats = np.zeros(self.rows, dtype=bool)
        for row, configuration in enumerate(zip(*self.hyperparameters.values(), strict=True)):
            repeats[row] = configuration in seen
            seen.add(configuration)
        return repeats

    def optimum(self, max_epochs: int) -> float:
        """Return the smallest loss at `max_epochs` of the rows that can be replayed to it; inf if all diverge."""
        return min(self._finals(max_epochs))

    def median(self, max_epochs: int) -> float:
        """Return the median loss at `max_epochs` of the rows that can be replayed to it; diverged rows count as inf."""
        return statistics.median(self._finals(max_epochs))

    def _finals(self, max_epochs: int) -> list[float]:
        return [losses[-1] for losses in self.complete(max_epochs).losses(max_epochs)]

    def _check(self, max_epochs: int) -> None:
        if not 1 <= max_epochs <= self.epochs:
            raise UserError(
                f"{self.name}: the last epoch of a replay must lie between 1 and {self.epochs}, where the table ends, "
                f"found {max_epochs}; ask for at most {self.epochs} epochs (--max-epochs)"
            )

    def _only(self, kept: NDArray[np.bool_], note: str) -> CurveTable:
        """Return some of the rows, with a note if that leaves any out."""
        if kept.all():
            return self
        rows = np.flatnonzero(kept).tolist()
        return replace(
            self,
            curves=self.curves[kept],
            recorded=self.recorded[kept],
            hyperparameters={name: [values[row] for row in rows] for name, values in self.hyperparameters.items()},
            seconds=None if self.seconds is None else self.seconds[kept],
            ids=[self.ids[row] for row in rows],
            notes=(*self.notes, note),
        )


def cut(
    curves: NDArray[np.float64], recorded: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], tuple[str, ...]]:
    """End each row where it diverges.

    A gap, values that are not finite with finite ones behind them, counts as divergence at its begin: a search could
    not have gone on from there either.

    Parameters
    ----------
    curves : NDArray of float, shape (rows, epochs)
    recorded : NDArray of int, shape (rows,)
        Epochs for which the file has a value, finite or not.

    Returns
    -------
    curves, recorded
        As a `CurveTable` holds them.
    notes : tuple of str
        How many rows diverge, and in how many of them finite values were cut off.
    """
    first = _first_not_finite(curves, recorded)
    behind = np.arange(curves.shape[1]) > first[:, None]
    inside = np.arange(curves.shape[1]) < recorded[:, None]
    gaps = int((behind & inside & np.isfinite(curves)).any(axis=1).sum())
    diverged = int((first < recorded).sum())
    notes = []
    if diverged:
        notes.append(f"{diverged} of {len(curves)} rows diverge: their first value that is not finite ends them")
    if gaps:
        notes.append(
            f"{gaps} of {len(curves)} rows have a gap, a missing value with recorded ones behind it, and count as "
            "diverged there"
        )
    return np.where(behind | ~inside, np.nan, curves), np.minimum(recorded, first + 1), tuple(notes)


def _first_not_finite(curves: NDArray[np.float64], recorded: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where, from 0, each row has its first value that is not finite, or `recorded` if it has none."""
    bad = ~np.isfinite(curves) & (np.arange(curves.shape[1]) < recorded[:, None])
    return np.where(bad.any(axis=1), bad.argmax(axis=1), recorded)
