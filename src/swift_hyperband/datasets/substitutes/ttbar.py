"""Top-quark pairs and jets from PYTHIA 8 and a toy detector, in the format of the Delphes events of `datasets.delphes`.

Proton collisions at 14 TeV without pile-up. Tracks up to |eta| = 2.5 with an efficiency of .95 and a resolution of one
percent; towers of .1 x .1 up to |eta| = 5, whose electromagnetic part measures photons and electrons. The truth of a
track is its particle, that of a tower the hardest particle in it without a track. The same seed gives the same events.
"""

from __future__ import annotations

import bz2
import logging
import math
import os
import pickle
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import whole
from swift_hyperband.datasets.delphes import TOWER, TRACK
from swift_hyperband.datasets.substitutes import SUBSTITUTES, finish

logger = logging.getLogger(__name__)

PROCESSES = {
    "ttbar": ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on"),
    "qcd": ("HardQCD:all = on", "PhaseSpace:pTHatMin = 80."),
}
FILES = {"ttbar": 4, "qcd": 1}
EVENTS = 500
"""Per file."""
TRACKER, CALORIMETER, CELL = 2.5, 5.0, 0.1
EFFICIENCY, RESOLUTION = 0.95, 0.01
BEND = 0.3 * 3.8 * 1.29 / 2
"""GeV: the sine of the angle by which a track of 1 GeV turns on the way to the calorimeter, at 1.29 m in 3.8 T."""
SOFTEST_TRACK, SOFTEST_TOWER = 0.5, 0.5
CHARGED, NEUTRAL, PHOTON, ELECTRON, MUON = 1, 2, 3, 4, 5


class Particle(NamedTuple):
    """A stable particle that a detector can see: class, charge, momentum (GeV), direction."""

    kind: int
    charge: float
    pt: float
    eta: float
    phi: float
    energy: float


def write(data: Path) -> None:
    """Write data/ttbar-delphes.

    Raises
    ------
    UserError
        If PYTHIA is not installed.
    """
    try:
        import pythia8mc  # an extra, installed by few
    except ImportError:
        needs = SUBSTITUTES["ttbar"].needs
        raise UserError(f"ttbar: events come from PYTHIA 8, found no package pythia8mc; {needs}") from None
    folder = data / "ttbar-delphes"
    folder.mkdir(parents=True, exist_ok=True)
    for process, files in FILES.items():
        for number in range(files):
            path = folder / f"tev14_pythia8_{process}_0_{number}.pkl.bz2"
            if path.exists():
                continue
            logger.info(f"generates {EVENTS} events: {path}")
            write_events(path, generated(pythia8mc, process, EVENTS, seed=number + 1), seed=number + 1)
    finish(folder, source="PYTHIA 8 and a toy detector", seeds="1 to 4")


def generated(pythia8mc: Any, process: str, events: int, seed: int) -> Iterator[list[Particle]]:
    """Return the visible stable particles of each event."""
    pythia = pythia8mc.Pythia("", False)
    beams = ("Beams:eCM = 14000.", "Print:quiet = on", "Random:setSeed = on", f"Random:seed = {seed}")
    for setting in (*beams, *PROCESSES[process]):
        pythia.readString(setting)
    # without its tables of particles PYTHIA only prints a message, and next() never makes an event
    if not pythia.init():
        raise UserError(
            "ttbar: PYTHIA 8 must find its data, and did not; set PYTHIA8DATA to the folder share/Pythia8/xmldoc that "
            f"pythia8mc was installed with (found {os.environ.get('PYTHIA8DATA', 'it not set')})"
        )
    made = 0
    while made < events:
        if not pythia.next():
            continue
        made += 1
        yield [
            Particle(_class(p.id(), p.charge()), p.charge(), p.pT(), p.eta(), p.phi(), p.e())
            for p in pythia.event
            if p.isFinal() and p.isVisible() and abs(p.eta()) < CALORIMETER
        ]


def write_events(path: Path, events: Iterable[list[Particle]], seed: int) -> None:
    """Simulate the detector's view of events, and write them."""
    draw = np.random.default_rng(seed)
    seen = [detect(particles, draw) for particles in events]
    content = {"X": [x for x, _ in seen], "ygen": [y for _, y in seen]}
    with whole(path) as temporary, bz2.open(temporary, "wb") as file:
        pickle.dump(content, file, protocol=2)


def detect(particles: list[Particle], draw: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the detector's elements of an event, shape (n, 12), and the particle behind each, shape (n, 7)."""
    rows: list[tuple[list[float], list[float]]] = []
    towers: dict[tuple[int, int], list[tuple[Particle, bool]]] = defaultdict(list)
    for particle in particles:
        tracked = (
            particle.charge != 0
            and abs(particle.eta) < TRACKER
            and particle.pt > SOFTEST_TRACK
            and draw.random() < EFFICIENCY
        )
        if tracked:
            rows.append((_track(particle, draw), _truth(particle)))
        if particle.kind != MUON:
            cell = math.floor(particle.eta / CELL), math.floor(particle.phi / CELL)
            towers[cell].append((particle, tracked))
    for cell, inside in towers.items():
        tower = _tower(cell, [particle for particle, _ in inside], draw)
        if tower[5] > SOFTEST_TOWER:
            untracked = [particle for particle, tracked in inside if not tracked]
            rows.append((tower, _truth(max(untracked, key=lambda one: one.energy)) if untracked else [0.0] * 7))
    seen, truth = np.array([row for row, _ in rows]), np.array([row for _, row in rows])
    return seen.reshape(-1, 12).astype(np.float32), truth.reshape(-1, 7).astype(np.float32)


def _class(pid: int, charge: float) -> int:
    special = {22: PHOTON, 11: ELECTRON, 13: MUON}
    return special.get(abs(pid), CHARGED if charge else NEUTRAL)


def _truth(particle: Particle) -> list[float]:
    kind, charge = particle.kind, particle.charge
    if charge and abs(particle.eta) >= TRACKER:
        # without a tracker its charge cannot be measured
        kind, charge = PHOTON if kind == ELECTRON else NEUTRAL, 0.0
    direction = [particle.eta, math.sin(particle.phi), math.cos(particle.phi)]
    return [float(kind), charge, particle.pt, *direction, particle.energy]


def _track(particle: Particle, draw: np.random.Generator) -> list[float]:
    pt = particle.pt * max(0.1, draw.normal(1.0, RESOLUTION))
    turned = particle.phi - particle.charge * math.asin(min(1.0, BEND / pt))
    return [
        *(float(TRACK), pt, particle.eta, math.sin(particle.phi), math.cos(particle.phi), pt * math.cosh(particle.eta)),
        *(particle.eta, math.sin(turned), math.cos(turned)),
        *(particle.charge, float(particle.kind == MUON), float(particle.kind == ELECTRON)),
    ]


def _tower(cell: tuple[int, int], inside: list[Particle], draw: np.random.Generator) -> list[float]:
    eta, phi = ((index + 0.5) * CELL for index in cell)
    light = sum(particle.energy for particle in inside if particle.kind in (PHOTON, ELECTRON))
    heavy = sum(particle.energy for particle in inside if particle.kind in (CHARGED, NEUTRAL))
    light, heavy = _measured(light, 0.1, 0.01, draw), _measured(heavy, 1.0, 0.05, draw)
    energy = light + heavy
    direction = [eta, math.sin(phi), math.cos(phi)]
    return [float(TOWER), energy / math.cosh(eta), *direction, energy, light, heavy, 0.0, 0.0, 0.0, 0.0]


def _measured(energy: float, stochastic: float, constant: float, draw: np.random.Generator) -> float:
    """Return a deposit as a calorimeter measures it: one relative resolution is constant, one falls with its root."""
    if energy <= 0:
        return 0.0
    return max(0.0, energy * draw.normal(1.0, math.hypot(stochastic / math.sqrt(energy), constant)))
