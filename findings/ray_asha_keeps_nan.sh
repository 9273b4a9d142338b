#!/usr/bin/env bash
# Ray Tune 2.60: ASHA stops a trial whose loss is infinite at the first rung, and never one whose loss is NaN.
# A diverged trial gets the whole budget, while sound ones that are worse than the best third end.
#
# Seen: rung  1: one CONTINUE, three STOP, two STOP, four STOP, infinite STOP, diverged CONTINUE
#       rungs 3, 9 and 27 the same
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'ray[tune]==2.60.0'
venv/bin/python - <<'EOF'
import math

from ray.tune.schedulers import ASHAScheduler


class Trial:
    def __init__(self, name):
        self.trial_id = name


losses = {"one": 1.0, "three": 3.0, "two": 2.0, "four": 4.0, "infinite": math.inf, "diverged": math.nan}
asha = ASHAScheduler(time_attr="epoch", metric="loss", mode="min", max_t=81, grace_period=1, reduction_factor=3)
trials = {name: Trial(name) for name in losses}
for trial in trials.values():
    asha.on_trial_add(None, trial)
for epoch in (1, 3, 9, 27):
    told = {
        name: asha.on_trial_result(None, trials[name], {"epoch": epoch, "loss": loss}) for name, loss in losses.items()
    }
    print(f"rung {epoch:2}:", ", ".join(f"{name} {decision}" for name, decision in told.items()))
    assert told["one"] == "CONTINUE", told
    assert told["four"] == told["infinite"] == "STOP", told
    assert told["diverged"] == "CONTINUE", told
EOF
