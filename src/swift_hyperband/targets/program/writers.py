"""The metrics files of known libraries, for `target.metrics.writer`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PAIRS = r"^\[(?P<epoch>\d+)\](?=\t)|\t(?P<name>[^\t\n]+?): ?(?P<value>[^\t\n]+)"

WRITERS: Mapping[str, Mapping[str, Any]] = {
    # init_model counts from 0 again; a snapshot goes on, which needs counts_anew: false
    "catboost": {
        "format": "tsv",
        "path": "{state_out}/**/test_error.tsv",
        "epoch": "iter",
        "counts_from_zero": True,
        "counts_anew": True,
    },
    # a second fit counts from 0 again, whether it overwrites or appends
    "fastai": {
        "format": "csv",
        "path": "{state_out}/**/history.csv",
        "epoch": "epoch",
        "counts_from_zero": True,
        "counts_anew": True,
    },
    # every checkpoint holds the whole history so far
    "huggingface": {"format": "json", "path": "{state_out}/**/trainer_state.json", "epoch": "epoch"},
    "keras": {"format": "csv", "epoch": "epoch", "counts_from_zero": True},
    "lightgbm": {"format": "regex", "pattern": _PAIRS},
    "lightning": {
        "format": "csv",
        "path": "{state_out}/**/metrics.csv",
        "epoch": "epoch",
        "counts_from_zero": True,
    },
    "ray": {"format": "jsonl", "path": "{state_out}/**/result.json", "epoch": "training_iteration"},
    "skorch": {"format": "json", "path": "{state_out}/**/history.json", "epoch": "epoch"},
    # what a script's Reporter prints, whose iterations count from 0 in each start
    "syne-tune": {
        "format": "jsonl",
        "pattern": r"^\[tune-metric\]: (?P<json>\{.*\})",
        "epoch": "st_worker_iter",
        "counts_from_zero": True,
        "counts_anew": True,
    },
    "tensorboard": {"format": "tensorboard", "path": "{state_out}"},
    "ultralytics": {"format": "csv", "path": "{state_out}/**/results.csv", "epoch": "epoch"},
    # xgb_model counts from 0 again
    "xgboost": {"format": "regex", "pattern": _PAIRS, "counts_from_zero": True, "counts_anew": True},
}
"""Keys of `target.metrics` by writer; those that the user gives win."""

NAMED_BY_THE_USER = ("keras",)
"""Writers whose file has no name of its own."""
