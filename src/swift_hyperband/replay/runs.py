"""Replaying searches over a table of curves: one run a seed, beside Hyperband on the same draws, and its regret."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.draws import Draw, Drawing, Rows, permutations
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.replay.simulation import Simulation
from swift_hyperband.replay.simulator import simulate
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.search import Search
from swift_hyperband.search.algorithms import ALGORITHMS

LARGEST = 1e150
"""Beyond it sums and squares of values may be more than a number can hold."""


@dataclass(frozen=True)
class Run:
    """One replay of a search, beside Hyperband on the same draws.

    Attributes
    ----------
    seed : int
    best : float or None
        The metric of the winner at the epoch that counts, the last or its best one; None if every trial failed.
    regret : float or None
        (best - optimum) / (median - optimum) over the table at that epoch: 0 is its best row, 1 a middling one.
        None where there is no winner, the median row diverged, or no number can hold it.
    epochs : int
        Trained in all.
    hyperband_best, hyperband_regret : float or None
        Those of Hyperband.
    hyperband_epochs : int
    winner_stopped : bool or None
        Whether a prediction stopped the trial that wins Hyperband. None if the search predicts nothing or does not
        start this trial, or if Hyperband has no winner or other draws.
    kill_risk : float or None
        The chance of that which the search predicts itself, see `search.kill_risk`. None where `winner_stopped` is, and
        where its decisions have no margin or are not those of rounds.
    fits : int
        Predictors fitted.
    cpu_s : float
        CPU seconds of the replay, without that of Hyperband.
    makespan : float
        Seconds on the cluster; without one, on one worker that takes a second an epoch.
    utilisation : float
        Share of the workers' time that trains.
    used_ahead, in_vain : int
        Epochs that workers trained before they were asked for, and those that never were.
    """

    seed: int
    best: float | None
    regret: float | None
    epochs: int
    hyperband_best: float | None
    hyperband_regret: float | None
    hyperband_epochs: int
    winner_stopped: bool | None
    kill_risk: float | None
    fits: int
    cpu_s: float
    makespan: float
    utilisation: float
    used_ahead: int
    in_vain: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Replay:
    """A table of curves as the trainer.

    Parameters
    ----------
    table : CurveTable
        Rows that end before the last epoch are left out; see `CurveTable.complete`.
    max_epochs : int
    draw : callable, optional
        Draws configurations; by permutation of the rows if left out.
    plain_draw : callable, optional
        Draws those of the Hyperband beside; as `draw` if left out.
    """

    table: CurveTable
    max_epochs: int
    draw: Draw | None = None
    plain_draw: Draw | None = None

    @cached_property
    def complete(self) -> CurveTable:
        """The rows that can be replayed to the last epoch."""
        return self.table.complete(self.max_epochs)

    @cached_property
    def losses(self) -> list[list[float]]:
        return self.complete.losses(self.max_epochs)

    @cached_property
    def optimum(self) -> float:
        return self.complete.optimum(self.max_epochs)

    @cached_property
    def median(self) -> float:
        return self.complete.median(self.max_epochs)

    def regret(self, loss: float) -> float | None:
        """Return how far a loss at the last epoch is from the table's best one, in units of a middling one."""
        if math.isinf(self.median) or math.isinf(loss):
            return None
        # halves, so that no difference is beyond what a number can hold
        regret = loss / 2 - self.optimum / 2
        middling = self.median / 2 - self.optimum / 2
        found = regret / middling if self.median > self.optimum else 0.0
        return found if math.isfinite(found) else None

    def runs(self, recipe: Recipe, seeds: Iterable[int], cluster: ClusterSettings | None = None) -> Iterator[Run]:
        """Replay a search once for each seed.

        Parameters
        ----------
        recipe : Recipe
        seeds : iterable of int
            Each draws other configurations, the same ones for every search; on a cluster, other stragglers too.
        cluster : ClusterSettings, optional
        """
        drawing = self._drawing(recipe, self.draw)
        plain_drawing = self._drawing(recipe.plain, self.plain_draw or self.draw)
        is_plain = recipe.is_plain and self.plain_draw is None
        same_draws = self.plain_draw in (None, self.draw)
        predicts = ALGORITHMS[recipe.algorithm].predicts
        recipe.prepare()
        for seed in seeds:
            start = time.process_time()
            search, simulation = self._replay(recipe, drawing, seed, cluster)
            best, epochs = search.best, search.epochs
            cpu = time.process_time() - start
            plain = search if is_plain else self._replay(recipe.plain, plain_drawing, seed)[0]
            winner = plain.best[0] if plain.best is not None and same_draws and predicts else None
            known = winner in search.curves
            yield Run(
                seed=seed,
                best=self._metric(best),
                regret=self._regret_of(best),
                epochs=epochs,
                hyperband_best=self._metric(plain.best),
                hyperband_regret=self._regret_of(plain.best),
                hyperband_epochs=plain.epochs,
                winner_stopped=winner in search.stopped if known else None,
                kill_risk=search.kill_risk if known else None,
                fits=search.fits,
                cpu_s=cpu,
                makespan=float(epochs) if simulation is None else simulation.makespan,
                utilisation=1.0 if simulation is None else simulation.utilisation,
                used_ahead=0 if simulation is None else simulation.used_ahead,
                in_vain=0 if simulation is None else simulation.in_vain,
            )

    def run(
        self, recipe: Recipe, seed: int, cluster: ClusterSettings | None = None
    ) -> tuple[Search, Simulation | None]:
        """Replay a search once; return it as it ended, and how it went on the cluster if there is one."""
        return self._replay(recipe, self._drawing(recipe, self.draw), seed, cluster)

    def _drawing(self, recipe: Recipe, draw: Draw | None) -> Drawing:
        return (draw or permutations(len(self.losses)))(recipe.schedule)

    def _replay(
        self, recipe: Recipe, drawing: Drawing, seed: int, cluster: ClusterSettings | None = None
    ) -> tuple[Search, Simulation | None]:
        trials, rows = drawing(seed)
        workers = 1 if cluster is None else cluster.workers
        search, losses = recipe.start(trials, workers, rows.draw if rows.in_turn else None), self.losses
        rows.watch(search.curves)
        if cluster is not None:
            return search, self._simulate(search, rows, replace(cluster, seed=cluster.seed + seed))
        whole_rounds = recipe.synchronous and not rows.in_turn
        while asked := search.ask() if whole_rounds else search.ask(1):
            for trial, epochs in asked:
                search.tell(trial, losses[rows[trial]][:epochs])
        assert search.finished
        return search, None

    def _simulate(self, search: Search, rows: Rows, cluster: ClusterSettings) -> Simulation:
        seconds = self.complete.seconds
        seconds_of = None if seconds is None else lambda trial: float(seconds[rows[trial]])
        return simulate(search, lambda trial: self.losses[rows[trial]], cluster, seconds_of)

    def _regret_of(self, best: tuple[str, float] | None) -> float | None:
        return None if best is None else self.regret(best[1])

    def _metric(self, best: tuple[str, float] | None) -> float | None:
        return None if best is None else self.table.metric.value(best[1])


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and half the width of its 95 % interval by Student's t; nan for fewer than two values."""
    largest = max(map(abs, values))
    if largest > LARGEST:
        # a power of two, so that nothing is rounded
        unit = 2.0 ** (math.frexp(largest)[1] - 1)
        mean, half = interval([value / unit for value in values])
        return mean * unit, half * unit
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, math.nan
    # scipy, which a replay itself does not need
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, 0.975)) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, half
