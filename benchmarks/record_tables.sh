#!/usr/bin/env bash
# Record the learning curves of examples/tables: some 20 minutes of one core in all. Stopped, the same command goes on.
#     benchmarks/record_tables.sh [FOLDER]     FOLDER gets <table>.parquet of each, default: curves/tables
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-curves/tables}
for table in \
    boosting:120 mlp:120 cnn:100 lstm:100 transformer:100 denoiser:100; do
    name=${table%:*}
    .venv/bin/swift-hyperband record "examples/tables/$name.yaml" --configurations "${table#*:}" --to "$folder/$name.parquet"
done
