"""A pool of processes that make the rows of units; whatever ends it, finished rows are kept.

This module is what a worker process imports first: numpy comes later, when the process is told to be of one thread.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError
from swift_hyperband.processes.children import end_with

if TYPE_CHECKING:
    from swift_hyperband.compare.store import Row
    from swift_hyperband.compare.units import Unit

KEEP_SECONDS = 2.0
"""Rows are written at least so often: what a process loses that is killed without a word."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

Task = tuple[int, int]
"""The place of a unit, and a seed."""


def single_threaded() -> None:
    """Let this process calculate in one thread; in vain if numpy is imported already."""
    if "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(THREADS, "1"))


class Rows:
    """The rows of units: kept in files, and made where they are missing.

    Parameters
    ----------
    units : sequence of Unit
    folder : Path
        Of the comparison.
    """

    def __init__(self, units: Sequence[Unit], folder: Path) -> None:
        # pyarrow and with it numpy, which is of one thread only where it comes after `single_threaded`
        from swift_hyperband.compare import store

        self.units = units
        self._store = store
        self._paths = [folder / f"{unit.key}.parquet" for unit in units]
        self._definitions = [unit.definition for unit in units]
        self._found = [
            store.read(path, store.digest(definition))
            for path, definition in zip(self._paths, self._definitions, strict=True)
        ]
        self._changed: set[int] = set()

    def __getitem__(self, place: int) -> list[Row]:
        """Return the rows of a unit that are wanted and there, in the order of their seeds."""
        found = self._found[place]
        return [found[seed] for seed in range(self.units[place].seeds) if seed in found]

    @property
    def wanted(self) -> int:
        return sum(unit.seeds for unit in self.units)

    def missing(self) -> list[Task]:
        """Return what is to be done, the longest first."""
        places = sorted(range(len(self.units)), key=lambda place: -self.units[place].cost)
        return [
            (place, seed)
            for place in places
            for seed in range(self.units[place].seeds)
            if seed not in self._found[place]
        ]

    def make(self, cores: int, advance: Callable[[], None]) -> None:
        """Make the rows that are missing.

        Parameters
        ----------
        cores : int
            Processes; 1 is this one.
        advance : callable
            Called for each row.

        Raises
        ------
        UserError
            If a row cannot be made.
        """
        tasks = self.missing()
        written = time.monotonic()
        with contextlib.closing(_rows(self.units, tasks, cores)) as made:
            try:
                for (place, seed), row in made:
                    self._found[place][seed] = row
                    self._changed.add(place)
                    advance()
                    if len(self[place]) == self.units[place].seeds:
                        self._write([place])
                    if time.monotonic() - written > KEEP_SECONDS:
                        self._write(sorted(self._changed))
                        written = time.monotonic()
            finally:
                self._write(sorted(self._changed))

    def _write(self, places: Sequence[int]) -> None:
        for place in places:
            columns = self.units[place].columns
            self._store.write(self._paths[place], self._found[place], columns, self._definitions[place])
            self._changed.discard(place)


Made = Generator[tuple[Task, "Row"], None, None]


def _rows(units: Sequence[Unit], tasks: Sequence[Task], cores: int) -> Made:
    processes = min(cores, len(tasks))
    if processes < 2:
        return (((place, seed), units[place].row(seed)) for place, seed in tasks)
    return _in_processes(units, tasks, processes)


def _in_processes(units: Sequence[Unit], tasks: Sequence[Task], processes: int) -> Made:
    # a fork would inherit numpy with all its threads
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processes, context, _begin, (pickle.dumps(units),))
    try:
        # workers inherit the mask, so Ctrl-C, which goes to all processes of a terminal, is for this one to handle
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            futures = {pool.submit(_row, task): task for task in tasks}
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for future in as_completed(futures):
            yield futures[future], future.result()
        pool.shutdown()
    except BrokenProcessPool:
        raise UserError(
            f"a worker process died, perhaps for lack of memory; what is done is kept, start again with fewer than "
            f"{processes} cores"
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()


_units: Sequence[Unit] = ()
"""Of a worker process."""


def _begin(pickled: bytes) -> None:
    """Make ready a worker process; units are pickled apart, since reading them imports numpy."""
    global _units
    single_threaded()
    parent = multiprocessing.parent_process()
    assert parent is not None
    end_with(parent.sentinel)
    _units = pickle.loads(pickled)


def _row(task: Task) -> Row:
    place, seed = task
    return _units[place].row(seed)
