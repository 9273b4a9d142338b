#!/usr/bin/env bash
# CatBoost 1.2.10: asking a trained model for its metrics, model.eval_metrics(pool, ...), overwrites the learning curve
# in the training's own train_dir: catboost_training.json then has the evaluated pool under another name (eval_dataset
# for test), without learn and times, for all trees. The tab separated files stay, so the two no longer agree.
#
# Seen, first record: before: Train {'learn': [2.005840636], 'iteration': 0, 'passed_time': ..., 'test': [1.836978286]}
#                     after:  Eval {'iteration': 0, 'eval_dataset': [2.005840636]}   (the pool was the training rows)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check catboost==1.2.10
venv/bin/python - <<'EOF'
import json
from pathlib import Path

import catboost
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(120, 4))
y = x.sum(1) + 0.3 * rng.normal(size=120)
model = catboost.CatBoostRegressor(iterations=4, depth=2, learning_rate=0.3, train_dir="run", verbose=False)
model.fit(x[:80], y[:80], eval_set=(x[80:], y[80:]), use_best_model=False)


def look():
    told = json.loads(Path("run/catboost_training.json").read_text())
    print(told["meta"]["launch_mode"], told["iterations"][0])
    return told, Path("run/test_error.tsv").read_text()


before, table_before = look()
model.eval_metrics(catboost.Pool(x[:80], y[:80]), ["RMSE"])
after, table_after = look()
assert before["meta"]["launch_mode"] == "Train" and {"learn", "test"} <= set(before["iterations"][0]), before
assert after["meta"]["launch_mode"] == "Eval" and set(after["iterations"][0]) == {"iteration", "eval_dataset"}, after
assert len(after["iterations"]) == len(before["iterations"]) == 4
assert table_before == table_after
EOF
