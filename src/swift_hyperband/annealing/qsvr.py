"""Support vector regression on an annealer: a scikit-learn regressor over any dimod sampler.

Source: Pasetto et al., IEEE GRSL 19 (2022), doi 10.1109/LGRS.2022.3213087; the QUBO itself is in `qubo`.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import dimod
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from swift_hyperband.annealing import qubo, samplers
from swift_hyperband.annealing.qubo import Encoding, Floats
from swift_hyperband.annealing.samplers import Minimise
from swift_hyperband.annealing.settings import PUBLISHED, PUBLISHED_C, QsvrSettings, SamplerSettings

_KEYS, _SAMPLER = QsvrSettings(), SamplerSettings()


class QSVR(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Support vector regression whose dual problem a sampler of QUBOs minimises.

    f(x) = sum_i beta_i K(x_i, x) + b. As for scikit-learn's SVR, features and target should be scaled to about 1.

    Parameters
    ----------
    C : float
        Bound of the dual coefficients |beta_i|. With the published encoding the bits bound them and C only tells
        which samples count for the intercept.
    epsilon : float
        Half width of the tube around the target in which there is no loss.
    xi : float
        Penalty xi (sum beta)^2 in place of the constraint sum beta = 0. 1 to 10 acts like the free intercept of an SVR,
        .01 (published) like none; from 100 on the rounding of sum beta counts.
    kernel : {"rbf", "linear"}
        exp(-gamma |a - b|^2), or a . b.
    gamma : float or "scale"
        "scale" is 1 / (features * variance).
    encoding : {"adaptive", "published", "signed"}
        How bits make a dual coefficient, see `qubo.encoding`.
    bits : int
        Bits for each of alpha and alpha-hat, or for the whole coefficient (signed; take one more).
    base, offset : float
        A bit counts base^k, or base^(k - offset) with the published encoding.
    sampler : str, dimod.Sampler or Minimise
        A name as in the study file (see `SamplerSettings`), any sampler, or one that `samplers.minimiser` bound to a
        label and a folder of answers.
    num_reads, sweeps : int
        Solutions asked for, and sweeps for each; a sampler gets what it knows of them.
    top : int
        How many of the best different solutions are averaged.
    polish : bool
        Whether each solution first descends to its local minimum: wanted after an annealer with noise or chains,
        without effect after simulated annealing.
    max_samples : int
        Samples that the sampler holds. A clique of 120 variables on a QPU holds 20 with 2 * 3 bits; a simulated
        annealer takes about 100 in seconds.
    too_many : {"ensemble", "subset"}
        With more samples: the mean of several machines, each of at most `max_samples` of them, or one machine of
        `max_samples`. See `divide`.
    random_state : int, RandomState or None
        Seeds the sampler; one that is bound has its own seed.

    Attributes
    ----------
    support_vectors_ : array of shape (n support vectors, features)
    dual_coef_ : array of shape (1, n support vectors)
        The beta_i that are not 0; of an ensemble all members', divided by their number, as the mean of kernel machines
        is a kernel machine.
    intercept_ : array of shape (1,)
    gamma_ : float
    samplesets_ : list of dimod.SampleSet
        What the sampler answered, for each machine of the ensemble (one without).
    energies_ : array of shape (machines,)
        The lowest energy of each.
    """

    def __init__(
        self,
        *,
        C: float = 3.0,
        epsilon: float = _KEYS.epsilon,
        xi: float = _KEYS.xi,
        kernel: Literal["rbf", "linear"] = "rbf",
        gamma: float | Literal["scale"] = _KEYS.gamma,
        encoding: Literal["adaptive", "published", "signed"] = _KEYS.encoding,
        bits: int = _KEYS.bits,
        base: float = _KEYS.base,
        offset: float = _KEYS.offset,
        sampler: str | dimod.Sampler | Minimise = _SAMPLER.name,
        num_reads: int = _SAMPLER.num_reads,
        sweeps: int = _SAMPLER.sweeps,
        top: int = _KEYS.top,
        polish: bool = False,
        max_samples: int = _KEYS.max_samples,
        too_many: Literal["ensemble", "subset"] = _KEYS.too_many,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.C = C
        self.epsilon = epsilon
        self.xi = xi
        self.kernel = kernel
        self.gamma = gamma
        self.encoding = encoding
        self.bits = bits
        self.base = base
        self.offset = offset
        self.sampler = sampler
        self.num_reads = num_reads
        self.sweeps = sweeps
        self.top = top
        self.polish = polish
        self.max_samples = max_samples
        self.too_many = too_many
        self.random_state = random_state

    @classmethod
    def published(cls, **changes: Any) -> Self:
        """Return a QSVR with the settings of the authors of Swift-Hyperband, some of them changed.

        They fit curves scaled to [0, 1], at most 20, with 1000 reads of a D-Wave Advantage; here the default sampler
        makes 100 reads of 1000 sweeps. Three things are not theirs: their intercept subtracts epsilon on both sides
        of the tube, they weight the four best solutions by their scores, and they do not centre the target.
        """
        return cls(**{**vars(PUBLISHED), "C": PUBLISHED_C, "num_reads": 100, "sweeps": 1000, **changes})

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit to X of shape (n, features) and a target y of shape (n,).

        Raises
        ------
        ValueError
            If a parameter or the data do not hold.
        UserError
            If the sampler cannot be had or cannot answer.
        """
        x, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        target = target.astype(np.float64)
        if self.epsilon < 0 or self.xi < 0 or self.top < 1:
            raise ValueError(
                "epsilon and xi must be at least 0 and top at least 1, "
                f"found epsilon={self.epsilon}, xi={self.xi}, top={self.top}"
            )
        code = qubo.encoding(self.encoding, self.C, self.bits, self.base, self.offset)
        self.gamma_ = self._gamma(x)
        minimise = self._minimiser()
        parts = divide(target, self.max_samples, self.too_many)
        self.samplesets_: list[dimod.SampleSet] = []
        coefficients, intercept = np.zeros(len(x)), 0.0
        for number, part in enumerate(parts, start=1):
            kernel, goal = self._kernel(x[part], x[part]), target[part]
            # a shift of the target is the intercept's; the penalty would make the coefficients pay for it
            middle = float(np.median(goal))
            bqm = qubo.build(kernel, goal - middle, code, self.epsilon, self.xi)
            answer = minimise(bqm, "" if len(parts) == 1 else f" {number}/{len(parts)}")
            if self.polish:
                answer = qubo.polish(bqm, answer)
            beta = code.decode(best(answer, self.top)).mean(axis=0)
            coefficients[part] = beta / len(parts)
            intercept += bias(kernel, goal, beta, code, self.C, self.epsilon) / len(parts)
            self.samplesets_.append(answer)
        # a mean of solutions that cancel out is 0 but for rounding
        support = np.flatnonzero(np.abs(coefficients) > 1e-9 * code.cap)
        self.support_vectors_ = x[support]
        self.dual_coef_ = coefficients[support][None, :]
        self.intercept_ = np.array([intercept])
        self.energies_ = np.array([answer.record.energy.min() for answer in self.samplesets_])
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return the predictions, shape (n,), for X of shape (n, features)."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        if not len(self.support_vectors_):
            return np.full(len(x), self.intercept_[0])
        return np.asarray(self._kernel(x, self.support_vectors_) @ self.dual_coef_[0] + self.intercept_[0])

    def _gamma(self, x: Floats) -> float:
        if self.gamma != "scale":
            return float(self.gamma)
        variance = float(x.var())
        return 1.0 / (x.shape[1] * variance) if variance > 0 else 1.0

    def _kernel(self, a: Floats, b: Floats) -> Floats:
        if self.kernel == "rbf":
            return np.asarray(rbf_kernel(a, b, gamma=self.gamma_))
        if self.kernel == "linear":
            return np.asarray(linear_kernel(a, b))
        raise ValueError(f"kernel must be rbf or linear, found {self.kernel!r}")

    def _minimiser(self) -> Minimise:
        if not isinstance(self.sampler, str | dimod.Sampler):
            return self.sampler
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        name = self.sampler if isinstance(self.sampler, str) else type(self.sampler).__name__
        settings = SamplerSettings(name, num_reads=self.num_reads, sweeps=self.sweeps, seed=seed)
        if isinstance(self.sampler, str):
            return samplers.minimiser(settings, "QSVR")
        sampler = self.sampler
        return lambda bqm, part="": samplers.ask(sampler, settings, bqm, "QSVR" + part)


def divide(y: Floats, most: int, too_many: str) -> list[NDArray[np.intp]]:
    """Return the samples that each machine is fitted to, as indices into the target `y` of shape (n,).

    Up to `most` samples go to one machine. More are ordered by target (equal ones by position), so that each machine
    sees its whole range. An ensemble of m = ceil(n / most) machines deals them out in turn; a subset takes `most` of
    them at even distances, both ends included.

    Raises
    ------
    ValueError
        If `most` is below 2 or `too_many` neither "ensemble" nor "subset".
    """
    if most < 2 or too_many not in ("ensemble", "subset"):
        raise ValueError(
            "max_samples must be at least 2 and too_many ensemble or subset, "
            f"found max_samples={most}, too_many={too_many!r}"
        )
    if len(y) <= most:
        return [np.arange(len(y))]
    order = np.argsort(y, kind="stable")
    if too_many == "subset":
        return [np.sort(order[np.linspace(0, len(y) - 1, most).round().astype(int)])]
    machines = -(-len(y) // most)
    return [np.sort(order[first::machines]) for first in range(machines)]


def best(answer: dimod.SampleSet, top: int) -> NDArray[np.int8]:
    """Return the `top` different solutions of least energy, shape (at most top, variables), in variable order."""
    different = answer.aggregate()
    order = np.argsort(different.record.energy, kind="stable")[:top]
    columns = [different.variables.index(variable) for variable in range(len(different.variables))]
    return np.asarray(different.record.sample[order][:, columns])


def bias(kernel: Floats, y: Floats, beta: Floats, code: Encoding, C: float, epsilon: float) -> float:
    """Return the intercept b of dual coefficients beta, shape (n,).

    By the conditions of Karush, Kuhn and Tucker, a sample with 0 < |beta_i| < C lies on the edge of the tube:
    y_i - (K beta)_i - b = epsilon sign(beta_i), or 2 epsilon beta_i / C where beta_i^2 / C stands in for |beta_i|
    (signed encoding). b is the mean over these samples; if there are none, the median residual of all.
    """
    residual = y - kernel @ beta
    size, tolerance = np.abs(beta), 1e-9 * C
    free = (size > tolerance) & (size < C - tolerance)
    if not free.any():
        return float(np.median(residual))
    edge = 2.0 * epsilon * beta / code.cap if code.signed else epsilon * np.sign(beta)
    return float(np.mean((residual - edge)[free]))
