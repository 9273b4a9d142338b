"""The presets of the study file. The preset `default` is the defaults of the keys."""

from __future__ import annotations

from typing import Any

from swift_hyperband.annealing.settings import PUBLISHED, PUBLISHED_C
from swift_hyperband.base import keys

# every key is spelled out, so that the preset stays as published when a default changes
PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    # García Amboage et al., EPJ Web of Conferences 295, 12005 (2024)
    "published": {
        "swift": {
            "d": 15,
            "k": 0.5,
            "decision_fraction": 0.5,
            "threshold": "quantile",
            "threshold_quantile": 0.25,
            "margin": 0.0,
            "share_curves": True,
            "extra": 0.0,
        },
        "predictor": {
            "name": "svr",
            "target": "value",
            "features": "values",
            "scaling": "minmax",
            "C": 1.0,
            "nu": 0.5,
        },
    },
}


PUBLISHED_QSVR: dict[str, Any] = {"C": PUBLISHED_C, "qsvr": keys.values(PUBLISHED)}
"""What the published preset also fills for a predictor on an annealer."""
