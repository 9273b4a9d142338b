"""Predictors of the loss at a round's end from the first epochs of the curve, behind one protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from swift_hyperband.predictors.settings import PredictorSettings

if TYPE_CHECKING:
    from swift_hyperband.predictors.bounds import Machine
    from swift_hyperband.predictors.features import Floats
    from swift_hyperband.predictors.kernel_machine import Solve


class Predictor(Protocol):
    """A fitted predictor."""

    @property
    def sigma(self) -> float:
        """Standard error of the predictions, from leaving out each training curve in turn."""

    def sigmas(self) -> Iterator[float]:
        """Yield lower bounds of `sigma`, ever larger ones, and at last itself.

        Each costs a fit. A decision that would be the same for every larger standard error needs no more of them.
        """

    def predict(self, curves: Floats) -> Floats:
        """Return the predicted losses at the round's end, shape (n,), for curves of shape (n, epochs seen)."""

    def diverged(self, losses: Sequence[float], at_end: bool) -> list[bool]:
        """Return which losses, at the round's end or at the decision point, count as diverged: see `bounds`."""

    def to_dict(self) -> dict[str, Any]:
        """Return the predictor in JSON's types; `load` reads it back."""


def fit(settings: PredictorSettings, curves: Floats, ends: Floats, solve: Solve | None = None) -> Predictor | None:
    """Fit a predictor.

    Parameters
    ----------
    settings : PredictorSettings
        Which predictor, and how it sees curves.
    curves : array of shape (n, epochs seen)
        Losses of the training curves up to the decision point.
    ends : array of shape (n,)
        Their losses at the round's end.
    solve : Solve, optional
        For the QSVR, its sampler bound to a label and to the place of its answers, see `annealed.solver`.

    Returns
    -------
    Predictor or None
        None where fewer than `settings.fewest_curves` training curves are finite throughout and nowhere far outside.
    """
    # numpy and scikit-learn: plans and jobs that train import this package for its protocol alone
    import numpy as np

    from swift_hyperband.predictors.bounds import Bounded, outside

    finite = np.isfinite(curves).all(axis=1) & np.isfinite(ends)
    curves, ends = curves[finite], ends[finite]
    far = outside(curves, ends, settings.far)
    if (~far).sum() < settings.fewest_curves:
        return None
    machine = _machine(settings, curves[~far], ends[~far], solve)
    return Bounded.of(machine, curves, ends, settings.far)


def _machine(settings: PredictorSettings, curves: Floats, ends: Floats, solve: Solve | None) -> Machine:
    if settings.name == "last-value":
        from swift_hyperband.predictors import last_value

        return last_value.fit(settings, curves, ends)
    if settings.anneals:
        from swift_hyperband.predictors import annealed

        return annealed.fit(settings, curves, ends, solve)
    from swift_hyperband.predictors import svr

    return svr.fit(settings, curves, ends)


def load(stored: Mapping[str, Any]) -> Predictor:
    """Return the predictor that `to_dict` stored. Needs numpy alone."""
    from swift_hyperband.predictors.bounds import Bounded

    if stored["name"] == "last-value":
        from swift_hyperband.predictors.last_value import LastValue

        return Bounded.from_dict(LastValue(shift=stored["shift"], sigma=stored["sigma"]), stored)
    from swift_hyperband.predictors.kernel_machine import KernelMachine

    return Bounded.from_dict(KernelMachine.from_dict(stored), stored)
