#!/usr/bin/env bash
# Write again the files that tests/targets/ reads as "written by the real library": one virtual environment for each
# writer, with the pinned version, below a temporary folder. Not part of CI; a writer takes seconds once installed.
#
#   bash tests/targets/program/writers/make.sh              every writer
#   bash tests/targets/program/writers/make.sh keras catboost
#
# WRITERS_VENVS=FOLDER keeps the environments there for the next time.
set -euo pipefail

declare -A packages=(
  [lightning]="torch==2.13.0 pytorch-lightning==2.6.6 tensorboard==2.21.0"
  [keras]="torch==2.13.0 keras==3.15.1"
  [huggingface]="torch==2.13.0 transformers==5.24.0 accelerate==1.14.0"
  [xgboost]="xgboost==3.2.0"
  [lightgbm]="lightgbm==4.7.0"
  [catboost]="catboost==1.2.10"
  [skorch]="torch==2.13.0 skorch==1.4.0"
  [fastai]="torch==2.13.0 fastai==2.8.12"
  [tensorboard]="torch==2.13.0 tensorboard==2.21.0"
  [ray]="ray[tune]==2.60.0"
  [syne_tune]="syne-tune==0.16.0"
  [ultralytics]="torch==2.13.0 ultralytics==8.4.190"
)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
venvs=${WRITERS_VENVS:-$work/venvs}

if [ $# -eq 0 ]; then
  mapfile -t writers < <(printf '%s\n' "${!packages[@]}" | sort)
else
  writers=("$@")
fi
for writer in "${writers[@]}"; do
  [ -n "${packages[$writer]:-}" ] || { echo "no such writer: $writer; there are ${!packages[*]}" >&2; exit 2; }
  venv=$venvs/$writer
  [ -x "$venv/bin/python" ] || python3.11 -m venv "$venv"
  # shellcheck disable=SC2086  # several packages are several words
  "$venv/bin/pip" install --quiet --disable-pip-version-check ${packages[$writer]}
  mkdir -p "$work/$writer"
  (cd "$work/$writer" && CUDA_VISIBLE_DEVICES='' "$venv/bin/python" "$here/make_$writer.py")
  echo "$writer: written below $here/$writer"
done
