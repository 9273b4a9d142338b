#!/usr/bin/env bash
# A boosted model of 4 rounds is trained on: three libraries count the new rounds in three ways.
# XGBoost 3.2 prints from [0] again and evals_result begins there, too, but best_iteration counts all rounds, so that
# evals_result[best_iteration] is another round's value, or beyond its end. LightGBM 4.7 prints on from [5], and
# best_iteration goes with it, while record_evaluation holds the new rounds alone. CatBoost 1.2 prints and files from 0,
# and best_iteration_ counts the new rounds alone.
#
# Seen: xgboost [0] v-rmse:1.37523 | best_iteration 63 best of the list 59 of 60
#       lightgbm [5] valid_0's l2: 3.17896 | best_iteration 116 best of the list 111 of 115
#       catboost 0 1.028290911 | best_iteration_ 3 trees 8
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check xgboost==3.2.0 lightgbm==4.7.0 catboost==1.2.10
venv/bin/python - <<'EOF'
import contextlib
import io
from pathlib import Path

import catboost
import lightgbm
import numpy as np
import xgboost

rng = np.random.default_rng(0)
x = rng.normal(size=(300, 4))
y = x.sum(1) + 0.3 * rng.normal(size=300)


def printed(train):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        model = train()
    return model, next(line for line in told.getvalue().splitlines() if line.startswith("["))


held, told = {}, {"max_depth": 2, "nthread": 1}
rows, other = xgboost.DMatrix(x[:200], y[:200]), xgboost.DMatrix(x[200:], y[200:])
first = xgboost.train(told, rows, 4)
on = {"evals": [(other, "v")], "xgb_model": first, "early_stopping_rounds": 3, "evals_result": held}
model, line = printed(lambda: xgboost.train(told, rows, 60, **on))
curve = held["v"]["rmse"]
print("xgboost", line, "| best_iteration", model.best_iteration, "best of the list", np.argmin(curve), "of", len(curve))
assert line.startswith("[0]") and model.best_iteration == np.argmin(curve) + 4 == 63 and len(curve) == 60

held, told = {}, {"verbose": -1, "num_threads": 1, "metric": "l2", "num_leaves": 4}
rows = lightgbm.Dataset(x[:200], y[:200], free_raw_data=False)
other = lightgbm.Dataset(x[200:], y[200:], reference=rows, free_raw_data=False)
first = lightgbm.train(told, rows, 4)
hooks = [lightgbm.log_evaluation(1), lightgbm.early_stopping(3, verbose=False), lightgbm.record_evaluation(held)]
model, line = printed(lambda: lightgbm.train(told, rows, 300, valid_sets=[other], init_model=first, callbacks=hooks))
curve = held["valid_0"]["l2"]
print("lightgbm", line, "| best_iteration", model.best_iteration, "best of the list", np.argmin(curve), "of", len(curve))
assert line.startswith("[5]") and model.best_iteration == np.argmin(curve) + 5

fit = {"eval_set": (x[200:], y[200:]), "use_best_model": False}
told = {"iterations": 4, "verbose": False, "thread_count": 1, "train_dir": "run"}
first = catboost.CatBoostRegressor(**told).fit(x[:200], y[:200], **fit)
model = catboost.CatBoostRegressor(**told).fit(x[:200], y[:200], init_model=first, **fit)
line = Path("run/test_error.tsv").read_text().splitlines()[1]
print("catboost", line, "| best_iteration_", model.best_iteration_, "trees", model.tree_count_)
assert line.startswith("0\t") and model.best_iteration_ == 3 and model.tree_count_ == 8
EOF
