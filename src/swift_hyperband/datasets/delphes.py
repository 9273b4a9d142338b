"""Simulated events for machine-learned particle flow (Pata et al., Eur. Phys. J. C 81, 381 (2021)), Zenodo 4559324.

Files tev14_pythia8_ttbar_*.pkl.bz2 for training and validation, tev14_pythia8_qcd_*.pkl.bz2 for test: a pickled dict,
compressed, with lists of arrays, one for each event. X, shape (n, 12), has the elements that the detector measured,
ygen, shape (n, 7), the particle behind each element.

A row of X is a tower [1, Et, eta, sin phi, cos phi, E, E electromagnetic, E hadronic, 0, 0, 0, 0] or a track [2, pt,
eta, sin phi, cos phi, p, eta, sin phi and cos phi at the calorimeter, charge, is a muon, is an electron]. A row of ygen
is [class, charge, pt, eta, sin phi, cos phi, E] with the classes none, charged hadron, neutral hadron, photon,
electron, muon.
"""

from __future__ import annotations

import bz2
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets.unpickling import load

TRAINING, TEST = "tev14_pythia8_ttbar_*.pkl.bz2", "tev14_pythia8_qcd_*.pkl.bz2"
FEATURES, TARGETS, CLASSES = 12, 7, 6
TOWER, TRACK = 1, 2
NEUTRAL_HADRON = 2
SOFTEST = 9.0
"""GeV below which a neutral hadron counts as no particle (Pata et al., section 3)."""


@dataclass(frozen=True)
class Events:
    """Events, each padded with rows of zeros or cut to the same number of elements.

    Attributes
    ----------
    seen : array of float32, shape (events, elements, 12)
        Elements by falling Et or pt, so that the softest are cut.
    truth : array of float32, shape (events, elements, 7)
    origins : tuple of (str, int)
        The file of each event, and its number in there.
    """

    seen: NDArray[np.float32]
    truth: NDArray[np.float32]
    origins: tuple[tuple[str, int], ...]


def read(folder: Path, pattern: str, events: int, elements: int, last: bool = False) -> Events:
    """Return events of the files of a pattern, in the order of their names.

    Parameters
    ----------
    folder : Path
    pattern : str
        `TRAINING` or `TEST`.
    events : int
        Number of events.
    elements : int
        Number of elements of each event.
    last : bool
        Whether to take the last events instead of the first.

    Raises
    ------
    UserError
        If there are fewer events, they do not fit into memory, or a file is damaged.
    """
    paths = sorted(folder.glob(pattern), reverse=last)
    if not paths:
        raise UserError(f"target.options.data: {folder} must hold {pattern}, found no such file")
    # filled in place: joining arrays of single events would need these gigabytes twice
    seen, truth = (_zeros(events, elements, columns) for columns in (FEATURES, TARGETS))
    origins: list[tuple[str, int]] = []
    for path in paths:
        if len(origins) == events:
            break
        xs, ys = _read(path)
        order = range(len(xs) - 1, -1, -1) if last else range(len(xs))
        for number in order[: events - len(origins)]:
            x, y = _event(path, number, xs[number], ys[number], elements)
            seen[len(origins), : len(x)], truth[len(origins), : len(y)] = x, y
            origins.append((path.name, number))
    if len(origins) < events:
        raise UserError(f"target.options: {folder} must hold {events} events in {pattern}, found {len(origins)}")
    return Events(seen, truth, tuple(origins))


def _zeros(events: int, elements: int, columns: int) -> NDArray[np.float32]:
    try:
        return np.zeros((events, elements, columns), np.float32)
    except (MemoryError, ValueError):
        # numpy raises ValueError for sizes beyond its integers
        raise UserError(
            f"target.options: {events} events of {elements} elements must fit into memory, found that they need "
            f"{4e-9 * events * elements * (FEATURES + TARGETS):,.0f} GB; ask for fewer"
        ) from None


def _read(path: Path) -> tuple[list[Any], list[Any]]:
    with bz2.open(path) as file:
        content = load(file, path)
    if not isinstance(content, dict) or not {"X", "ygen"} <= content.keys():
        found = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise UserError(f"{path}: must be a dict with X and ygen, found {found}")
    xs, ys = list(content["X"]), list(content["ygen"])
    if not xs or len(xs) != len(ys):
        raise UserError(f"{path}: must hold as many events in X as in ygen, found {len(xs)} and {len(ys)}")
    return xs, ys


def _event(path: Path, number: int, x: Any, y: Any, elements: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the elements and the particles of an event, cut but not padded."""
    seen, truth = np.asarray(x, np.float32), np.asarray(y, np.float32)
    where = f"{path}: event {number}"
    if seen.ndim != 2 or seen.shape[1] != FEATURES or truth.shape != (len(seen), TARGETS):
        needed = f"must have X of shape (n, {FEATURES}) and ygen of shape (n, {TARGETS})"
        raise UserError(f"{where} {needed}, found {seen.shape} and {truth.shape}")
    if not (np.isfinite(seen).all() and np.isfinite(truth).all()):
        raise UserError(f"{where} must hold finite numbers, found others")
    if len(truth) and not set(np.unique(truth[:, 0])) <= set(range(CLASSES)):
        raise UserError(f"{where} must have classes from 0 to 5, found {np.unique(truth[:, 0]).tolist()}")
    order = np.argsort(-seen[:, 1], kind="stable")[:elements]
    seen, truth = seen[order], truth[order].copy()
    truth[(truth[:, 0] == NEUTRAL_HADRON) & (truth[:, 6] < SOFTEST)] = 0
    return seen, truth
