"""CatBoost's train_dir: test_error.tsv and catboost_training.json, every round and with metric_period, continued."""

import catboost
import numpy as np
from common import keep

rng = np.random.default_rng(0)
x = rng.normal(size=(120, 4))
y = x.sum(1) + 0.3 * rng.normal(size=120)
by = f"catboost {catboost.__version__}, train_dir: "


def fit(folder: str, rounds: int, every: int = 1, start: int = 0, before: object = None, snapshot: str = "") -> tuple:
    """Train; the ground truth is get_evals_result(). Not eval_metrics(), which overwrites catboost_training.json."""
    model = catboost.CatBoostRegressor(
        iterations=rounds,
        depth=2,
        learning_rate=0.3,
        eval_metric="RMSE",
        custom_metric=["MAE"],
        metric_period=every,
        train_dir=folder,
        random_seed=0,
        thread_count=1,
        save_snapshot=bool(snapshot),
        snapshot_file=snapshot or None,
        snapshot_interval=0,
        verbose=False,
    )
    model.fit(x[:80], y[:80], eval_set=catboost.Pool(x[80:], y[80:]), init_model=before, use_best_model=False)
    told = model.get_evals_result()["validation"]
    evaluated = [n for n in range(rounds) if n % every == 0 or n == rounds - 1]
    assert len(told["RMSE"]) == len(evaluated)
    measured = {start + n + 1: {name: told[name][at] for name in ("RMSE", "MAE")} for at, n in enumerate(evaluated)}
    return model, measured


def keep_both(case: str, folder: str, measured: dict, note: str) -> None:
    keep(f"catboost/{case}_tsv", f"{folder}/test_error.tsv", measured, 1e-7, by + note)
    keep(f"catboost/{case}_json", f"{folder}/catboost_training.json", measured, 1e-7, by + note)


model, measured = fit("first", 5)
keep_both("first", "first", measured, "iter counted from 0, tab separated")
_, second = fit("second", 3, start=5, before=model)
keep_both("second", "second", second, "init_model= of five rounds: rounds 6 to 8, counted from 0 again")
fit("snapshot", 5, snapshot="snapshot")
_, resumed = fit("snapshot", 8, snapshot="snapshot")
keep_both("snapshot", "snapshot", resumed, "a snapshot of five rounds, then 8 asked for in the same folder")
_, measured = fit("period", 9, every=4)
keep_both("every_fourth", "period", measured, "metric_period=4: rounds 0, 4 and 8 alone")
_, measured = fit("period", 8, every=5)
keep_both(
    "every_fifth", "period", measured, "metric_period=5 of 8 rounds: 0, 5 and the last one, 7; a folder used before"
)
