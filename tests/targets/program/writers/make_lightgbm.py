"""What LightGBM prints: log_evaluation at every round, with period 5, and a booster continued by init_model."""

import contextlib
import io
from pathlib import Path

import lightgbm
import numpy as np
from common import keep

rng = np.random.default_rng(0)
x = rng.normal(size=(120, 4))
y = x.sum(1) + 0.3 * rng.normal(size=120)
settings = {"objective": "regression", "metric": ["l1", "l2"], "num_leaves": 4, "min_data_in_leaf": 5, "verbose": -1}
settings |= {"num_threads": 1, "seed": 0}


def fit(file: str, rounds: int, start: int = 0, booster: lightgbm.Booster | None = None, every: int = 1) -> tuple:
    """Train and keep the text printed; the ground truth is what record_evaluation was given."""
    measured: dict = {}
    training = lightgbm.Dataset(x[:80], y[:80], free_raw_data=False)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        booster = lightgbm.train(
            settings,
            training,
            num_boost_round=rounds,
            valid_sets=[training, lightgbm.Dataset(x[80:], y[80:], reference=training, free_raw_data=False)],
            valid_names=["train", "val"],
            init_model=booster,
            callbacks=[lightgbm.log_evaluation(every), lightgbm.record_evaluation(measured)],
        )
    Path(file).write_text(told.getvalue())
    values = {
        start + n + 1: {f"{data}'s {name}": measured[data][name][n] for data in measured for name in measured[data]}
        for n in range(rounds)
        if (start + n + 1) % every == 0
    }
    return booster, values


by = f"lightgbm {lightgbm.__version__}, standard output: "
booster, first = fit("train.log", 4)
keep("lightgbm/first", "train.log", first, 1e-5, by + "counted from 1, six significant digits")
_, second = fit("train.log", 3, start=4, booster=booster)
keep("lightgbm/second", "train.log", second, 1e-5, by + "init_model= of four rounds: goes on with 5")
_, measured = fit("train.log", 12, every=5)
keep("lightgbm/every_fifth", "train.log", measured, 1e-5, by + "log_evaluation(5): 5 and 10, not the last one, 12")
