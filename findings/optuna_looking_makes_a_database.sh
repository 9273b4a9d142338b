#!/usr/bin/env bash
# Optuna 5.0: whoever looks for a study in an SQLite file that is not there makes the file, with all of Optuna's tables.
# A misspelt path lists no studies in the place of an error, and load_study finds no study in place of no storage.
#
# Seen: get_all_study_names: [], afterwards a file with 13 tables
#       load_study: KeyError, afterwards a file with 13 tables
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check optuna==5.0.0
venv/bin/python - <<'EOF'
import sqlite3
from pathlib import Path

import optuna


def looked(name, look):
    """Return what looking for a study in a storage that is not there tells, and the tables that are there then."""
    file = Path(f"{name}.db")
    assert not file.exists()
    try:
        told = repr(look(f"sqlite:///{file}"))
    except Exception as error:
        told = type(error).__name__
    tables = sqlite3.connect(file).execute("select name from sqlite_master where type = 'table'").fetchall()
    print(f"{name}: {told}, afterwards a file with {len(tables)} tables")
    return told, len(tables)


names = looked("get_all_study_names", optuna.get_all_study_names)
study = looked("load_study", lambda storage: optuna.load_study(study_name="mine", storage=storage))
assert (names[0], study[0]) == ("[]", "KeyError")
assert names[1] == study[1] > 5
EOF
