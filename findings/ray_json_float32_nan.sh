#!/usr/bin/env bash
# Ray Tune 2.60: in result.json a NaN of Python or numpy.float64 is the bare word NaN, but a NaN of numpy.float32 or
# float16, which is what a model's loss is, becomes the TEXT "null", and is neither a number nor null for a reader.
#
# Seen: {"float": NaN, "float64": NaN, "float32": "null", "float16": "null", "float32_inf": Infinity}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'ray[tune]==2.60.0'
venv/bin/python - <<'EOF'
import json
from pathlib import Path

import numpy as np
from ray.tune.logger import JsonLoggerCallback


class Trial:
    local_path, config, checkpoint = "trial", {}, None

    def init_local_path(self):
        Path(self.local_path).mkdir(exist_ok=True)


trial, logger = Trial(), JsonLoggerCallback()
trial.init_local_path()
logger._restore_from_remote = lambda *_: None
logger.log_trial_start(trial)
nan = float("nan")
result = {"float": nan, "float64": np.float64(nan), "float32": np.float32(nan), "float16": np.float16(nan)}
logger.log_trial_result(1, trial, result | {"float32_inf": np.float32("inf")})
logger.log_trial_end(trial)
text = Path("trial/result.json").read_text()
print(text)
read = json.loads(text)
assert read["float"] != read["float"] and read["float64"] != read["float64"], read
assert read["float32"] == read["float16"] == "null", read
assert read["float32_inf"] == float("inf"), read
EOF
