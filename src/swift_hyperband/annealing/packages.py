"""The packages of the samplers: a study without a QSVR needs none of them."""

from __future__ import annotations

from swift_hyperband.annealing.settings import REMOTE
from swift_hyperband.base import packages


def require(sampler: str) -> None:
    """Import the packages that a sampler needs.

    Parameters
    ----------
    sampler : str
        Its name as in the study file.

    Raises
    ------
    UserError
        If a package is not installed.
    """
    needed = ["dwave.cloud", "dwave.system"] if sampler in REMOTE else ["dimod", "dwave.samplers"]
    if sampler == "neal":
        needed.append("neal")
    packages.require(f"predictor.sampler.name: {sampler}", *needed)
