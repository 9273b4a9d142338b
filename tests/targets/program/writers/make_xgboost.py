"""What XGBoost prints: a booster, the same one continued (it counts from 0 again), and verbose_eval=2."""

import contextlib
import io
from pathlib import Path

import numpy as np
import xgboost
from common import keep

rng = np.random.default_rng(0)
x = rng.normal(size=(120, 4))
y = x.sum(1) + 0.3 * rng.normal(size=120)
training, validation = xgboost.DMatrix(x[:80], y[:80]), xgboost.DMatrix(x[80:], y[80:])
settings = {"max_depth": 2, "eta": 0.3, "eval_metric": ["mae", "rmse"], "seed": 0, "nthread": 1}


def fit(file: str, rounds: int, start: int = 0, booster: xgboost.Booster | None = None, every: int = 1) -> tuple:
    """Train and keep the text printed; the ground truth is the evals_result that the library filled."""
    measured: dict = {}
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        booster = xgboost.train(
            settings,
            training,
            num_boost_round=rounds,
            evals=[(training, "train"), (validation, "validation")],
            evals_result=measured,
            verbose_eval=every,
            xgb_model=booster,
        )
    Path(file).write_text(told.getvalue())
    values = {
        start + n + 1: {f"{data}-{name}": measured[data][name][n] for data in measured for name in measured[data]}
        for n in range(rounds)
        if n % every == 0 or n == rounds - 1
    }
    return booster, values


by = f"xgboost {xgboost.__version__}, standard output: "
booster, first = fit("train.log", 4)
keep("xgboost/first", "train.log", first, 1e-4, by + "counted from 0, five decimals")
_, second = fit("train.log", 3, start=4, booster=booster)
keep("xgboost/second", "train.log", second, 1e-4, by + "xgb_model= of four rounds: rounds 5 to 7, printed as 0 to 2")
_, measured = fit("train.log", 6, every=2)
keep("xgboost/every_second", "train.log", measured, 1e-4, by + "verbose_eval=2 prints 0, 2, 4 and the last one, 5")
