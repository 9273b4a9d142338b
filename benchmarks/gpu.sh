#!/bin/sh
# What this project does on a GPU, checked and timed in less than five minutes: benchmarks/gpu.sh [--rehearse] [CHECK ...]
# Exit code 0: all passed, 1: something failed, 77: there is no GPU. PYTHON names the Python to use, else that of .venv.
# --rehearse runs the same on the CPU, with a small network, to test the script itself.
# CHECK: resumes, precisions, side_by_side, workers or killed; all by default.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-$here/.venv/bin/python}
[ -x "$python" ] || python=python3
export PYTHONPATH="$here/src${PYTHONPATH:+:$PYTHONPATH}"
exec "$python" "$here/benchmarks/gpu.py" "$@"
