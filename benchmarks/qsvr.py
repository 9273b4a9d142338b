"""The predictors on published learning curves: last value, SVR and QSVR on the same splits.

    python benchmarks/qsvr.py --curves DIR [--splits 100] [--tables mlpf,cifar10,ptb,svhn] [--trained 20]

A split fits to 20 random curves (or as many as --trained says), seen up to 25 % or 50 % of their epochs, and predicts
the last loss of all others; curves of one configuration never lie on both sides. R2 and Spearman's rank correlation
are means over the splits; the decision error is the share of curves on the wrong side of the best quartile of those
trained on. SVR is scikit-learn's with the C, epsilon and kernel of the QSVR. DIR holds, each in a file as its authors
published it, mlpf_delphes/delphes_trainings_processed.csv and cifar10_cnn/cifar_curves_mod.json (from
github.com/erwulff/performance-pred), lstm_ptb/lstm_ptb.csv and metaqnn_svhn/metaqnn_svhn.csv (from
github.com/MITAutoML/accelerating_nas).
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import r2_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer
from sklearn.svm import SVR

from swift_hyperband.annealing import qubo
from swift_hyperband.annealing.qsvr import QSVR
from swift_hyperband.annealing.settings import PUBLISHED, PUBLISHED_C, QsvrSettings, SamplerSettings
from swift_hyperband.compare.accuracy import splits
from swift_hyperband.predictors import annealed as qsvr
from swift_hyperband.predictors import last_value
from swift_hyperband.predictors.features import Floats
from swift_hyperband.predictors.kernel_machine import train
from swift_hyperband.predictors.settings import PredictorSettings

HELD = 20
"""Curves in a clique of 120 variables, and the authors' number of training curves."""

ADAPTIVE, SIGNED = QsvrSettings(), QsvrSettings(encoding="signed", bits=4)


@dataclass(frozen=True)
class Table:
    """Losses of shape (curves, epochs), and a number of the configuration of each curve."""

    losses: Floats
    configurations: np.ndarray


def read_mlpf(folder: Path) -> Table:
    """Loss of MLPF; as its authors do, without the curve with the worst end. Many configurations occur twice."""
    rows = _rows(folder / "mlpf_delphes" / "delphes_trainings_processed.csv")
    losses = np.array([[float(row[f"loss_{epoch}"]) for epoch in range(100)] for row in rows])
    keys = [tuple(value for key, value in row.items() if not key.startswith("loss_")) for row in rows]
    numbers = np.unique(keys, axis=0, return_inverse=True)[1]
    kept = np.arange(len(rows)) != losses[:, -1].argmax()
    return Table(losses[kept], numbers[kept])


def read_cifar10(folder: Path) -> Table:
    """Negated accuracy of a CNN on CIFAR-10, the first 100 epochs."""
    columns = json.loads((folder / "cifar10_cnn" / "cifar_curves_mod.json").read_text())
    return _different(-np.array([list(columns[str(epoch)].values()) for epoch in range(100)], dtype=float).T)


def read_ptb(folder: Path) -> Table:
    """Logarithm of the perplexity of an LSTM on PTB, which is its cross entropy."""
    rows = _rows(folder / "lstm_ptb" / "lstm_ptb.csv")
    return _different(np.log([[float(row[f"ep_{epoch}"]) for epoch in range(60)] for row in rows]))


def read_svhn(folder: Path) -> Table:
    """Negated accuracy of CNNs on SVHN."""
    rows = _rows(folder / "metaqnn_svhn" / "metaqnn_svhn.csv")
    return _different(-np.array([[float(row[f"acc_{epoch}"]) for epoch in range(1, 21)] for row in rows]))


TABLES = {"mlpf": read_mlpf, "cifar10": read_cifar10, "ptb": read_ptb, "svhn": read_svhn}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _different(losses: Floats) -> Table:
    return Table(losses, np.arange(len(losses)))


Fit = Callable[[Floats, Floats], Callable[[Floats], Floats]]


def contenders(C: float, size: int) -> dict[str, Fit]:
    """Return the predictors by name in the table; each fits curves and ends, and returns its `predict`."""
    whole = replace(ADAPTIVE, max_samples=max(size, HELD))
    ours = PredictorSettings("qsvr", "change", "differences", "robust", C=C, nu=0.5)
    theirs = PredictorSettings("qsvr", "value", "values", "minmax", C=PUBLISHED_C, nu=0.5)

    def classical(settings: PredictorSettings, shape: QsvrSettings) -> Fit:
        return lambda x, y: train(settings, x, y, qsvr.classical(settings.C, shape), lambda: 0.0).predict

    def annealed(settings: PredictorSettings, shape: QsvrSettings, name: str = "simulated-annealing") -> Fit:
        bound = replace(settings, qsvr=shape, sampler=SamplerSettings(name))
        return lambda x, y: qsvr.fit(bound, x, y).predict

    found: dict[str, Fit] = {
        "last value": lambda x, y: last_value.fit(ours, x, y).predict,
        "SVR": classical(ours, whole),
        "QSVR adaptive": annealed(ours, whole),
        "QSVR signed": annealed(ours, replace(SIGNED, max_samples=whole.max_samples)),
        "QSVR, no annealing": annealed(ours, whole, "steepest-descent"),
    }
    if size > HELD:
        return found | {
            "QSVR ensemble of 20": annealed(ours, ADAPTIVE),
            "QSVR subset of 20": annealed(ours, replace(ADAPTIVE, too_many="subset")),
        }
    return found | {
        "SVR, published settings": classical(theirs, PUBLISHED),
        "QSVR, published settings": annealed(theirs, PUBLISHED),
        "QSVR, the same, no annealing": annealed(theirs, PUBLISHED, "steepest-descent"),
    }


def judge(predicted: Floats, ends: Floats, trained_ends: Floats) -> tuple[float, float, float]:
    """Return R2, Spearman's rank correlation and decision error of predictions."""
    threshold = np.quantile(trained_ends, 0.25)
    error = float(np.mean((predicted < threshold) != (ends < threshold)))
    return r2_score(ends, predicted), float(spearmanr(predicted, ends).statistic), error


def compare(name: str, table: Table, count: int, C: float, size: int) -> None:
    """Print the table of all predictors on one table of curves."""
    for share in (0.25, 0.5):
        seen = round(share * table.losses.shape[1])
        scores: dict[str, list[tuple[float, float, float]]] = {}
        seconds: dict[str, float] = {}
        for trained, rest in splits(table.configurations, count, size):
            curves, ends = table.losses[:, :seen], table.losses[:, -1]
            for contender, fit in contenders(C, size).items():
                start = time.process_time()
                predict = fit(curves[trained], ends[trained])
                seconds[contender] = seconds.get(contender, 0.0) + time.process_time() - start
                score = judge(predict(curves[rest]), ends[rest], ends[trained])
                scores.setdefault(contender, []).append(score)
        title = f"{name}, {share:.0%} seen, {count} splits"
        print(f"\n{title:32}   R2 mean  median  Spearman  decision error  CPU s / fit")
        for contender, rows in scores.items():
            r2, rank, error = np.mean(rows, axis=0)
            middle = np.median([row[0] for row in rows])
            print(
                f"{contender:32} {r2:9.3f} {middle:7.3f} {rank:9.3f} {error:15.3f} {seconds[contender] / count:12.4f}",
                flush=True,
            )


def authors(table: Table, count: int) -> None:
    """Print the authors' protocol on MLPF: every other epoch of the first quarter, the end itself, RBF gamma .1.

    R2 is that of the scaled target. They scale by a quantile transformation fitted to all curves, those to be
    predicted included: a leak. The other two scalings are fitted to the 20 curves alone.
    """
    columns, ends = table.losses[:, :25:2], table.losses[:, -1:]
    scalers = {
        "quantiles of all curves (leak)": (lambda: QuantileTransformer(n_quantiles=len(ends)), True),
        "quantiles of the 20": (lambda: QuantileTransformer(n_quantiles=HELD), False),
        "minimum, maximum of the 20": (MinMaxScaler, False),
    }
    cap = qubo.encoding("published", PUBLISHED_C, PUBLISHED.bits, PUBLISHED.base, PUBLISHED.offset).cap
    models = {
        f"SVR C={PUBLISHED_C}": lambda: SVR(C=PUBLISHED_C, epsilon=PUBLISHED.epsilon, gamma=PUBLISHED.gamma),
        f"SVR C={cap:.3f}": lambda: SVR(C=cap, epsilon=PUBLISHED.epsilon, gamma=PUBLISHED.gamma),
        "QSVR": lambda: QSVR.published(random_state=0, num_reads=30, sweeps=300),
    }
    print(f"\nauthors' protocol on mlpf, {count} splits, mean R2".ljust(48), *(f"{model:>14}" for model in models))
    for scaling, (scaler, leaks) in scalers.items():
        scores: dict[str, list[float]] = {model: [] for model in models}
        for seed in range(count):
            order = np.random.default_rng(seed).permutation(len(ends))
            known, rest = order[:HELD], order[HELD:]
            base = order if leaks else known
            x, y = scaler().fit(columns[base]), scaler().fit(ends[base])
            inputs, target = x.transform(columns), y.transform(ends)[:, 0]
            for model, make in models.items():
                fitted = make().fit(inputs[known], target[known])
                scores[model].append(r2_score(target[rest], fitted.predict(inputs[rest])))
        print(f"{scaling:46}", *(f"{np.mean(found):14.3f}" for found in scores.values()), flush=True)


def costs() -> None:
    """Print the CPU time of building a problem of 120 variables, and of a fit of 20 samples."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(HELD, 25)), rng.normal(size=HELD)
    code, kernel = qubo.encoding("adaptive", 3.0, 3, 2.0), rbf_kernel(x, gamma=0.02)
    qubo.build(kernel, y, code, 0.05, 1.0)
    start = time.process_time()
    for _ in range(100):
        bqm = qubo.build(kernel, y, code, 0.05, 1.0)
    print(f"problem of {bqm.num_variables} variables built in {10 * (time.process_time() - start):.2f} CPU ms")
    start = time.process_time()
    for seed in range(20):
        QSVR(random_state=seed).fit(x, y)
    print(f"QSVR fitted to {HELD} samples in {(time.process_time() - start) / 20:.3f} CPU s (simulated annealing)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True, help="folder with the published tables")
    parser.add_argument("--splits", type=int, default=100)
    parser.add_argument("--tables", default=",".join(TABLES), help="which of them, with commas between")
    parser.add_argument("--cost", type=float, default=1.0, help="C of SVR and QSVR (not of the published settings)")
    parser.add_argument("--trained", type=int, default=HELD, help="curves that a split trains on")
    given = parser.parse_args()
    costs()
    for name in given.tables.split(","):
        if name not in TABLES:
            parser.error(f"--tables must hold {', '.join(TABLES)}, found {name!r}")
        try:
            table = TABLES[name](given.curves)
        except FileNotFoundError as error:
            print(f"\n{name}: left out, {error.filename} is not there")
            continue
        compare(name, table, given.splits, given.cost, given.trained)
        if name == "mlpf" and given.trained == HELD:
            authors(table, given.splits)


if __name__ == "__main__":
    main()
