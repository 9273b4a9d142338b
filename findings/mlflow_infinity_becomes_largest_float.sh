#!/usr/bin/env bash
# MLflow 3.17: a metric that was logged as infinite comes back from the SQL store (the default one) as the largest finite
# float, 1.797e308. A training that exploded is a number then: whoever filters runs by math.isfinite keeps it, and a mean
# over runs is 1e307. NaN comes back as NaN, but the run that has only NaN is sorted last in both directions.
#
# Seen: loss of steps 1 to 4: 3.0, 1.7976931348623157e+308, nan, -1.7976931348623157e+308
#       order by loss, up and down: [0.4, 3.0, nan] [3.0, 0.4, nan]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check mlflow-skinny==3.17.2 sqlalchemy==2.0.58 alembic==1.18.5 pandas==2.3.3
MLFLOW_DISABLE_TELEMETRY=true venv/bin/python - <<'EOF'
import math
import sys

from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

client = MlflowClient(tracking_uri="sqlite:///runs.db")
experiment = client.create_experiment("search")
exploded = client.create_run(experiment).info.run_id
values = [3.0, math.inf, math.nan, -math.inf]
client.log_batch(exploded, metrics=[Metric("loss", value, 1000, step) for step, value in enumerate(values, 1)])
found = [metric.value for metric in sorted(client.get_metric_history(exploded, "loss"), key=lambda one: one.step)]
print("loss of steps 1 to 4:", *found)
assert found[0] == 3.0 and math.isnan(found[2]), found
assert (found[1], found[3]) == (sys.float_info.max, -sys.float_info.max), found

experiment = client.create_experiment("order")
for value in (3.0, math.nan, 0.4):
    client.log_metric(client.create_run(experiment).info.run_id, "loss", value, step=1)
up, down = (
    [run.data.metrics["loss"] for run in client.search_runs([experiment], order_by=[f"metrics.loss {way}"])]
    for way in ("ASC", "DESC")
)
print("order by loss, up and down:", up, down)
assert up[:2] == [0.4, 3.0] and down[:2] == [3.0, 0.4] and math.isnan(up[2]) and math.isnan(down[2]), (up, down)
EOF
