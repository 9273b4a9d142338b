"""The packages of the samplers: a study without a QSVR needs none of them."""

from __future__ import annotations

from importlib import import_module

from swift_hyperband.annealing.settings import REMOTE
from swift_hyperband.base.errors import UserError


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
    try:
        for name in needed:
            import_module(name)
    except ImportError as error:
        raise UserError(
            f"predictor.sampler.name: {sampler} needs D-Wave's packages, found no module {error.name!r}; "
            "install them with: pip install 'swift-hyperband[annealer]'"
        ) from None
