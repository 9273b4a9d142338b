"""The presets of the study file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from swift_hyperband.annealing.settings import PUBLISHED, PUBLISHED_C

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "default": {
        "swift": {
            "d": 5,
            "k": 0.5,
            "decision_fraction": 0.15,
            "threshold": "promotion",
            "threshold_quantile": 0.25,
            "margin": 0.75,
            "share_curves": True,
            "extra": 0.5,
        },
        "predictor": {
            "name": "svr",
            "target": "change",
            "features": "differences",
            "scaling": "robust",
            "C": 1.0,
            "nu": 0.5,
        },
    },
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


PUBLISHED_QSVR: dict[str, Any] = {"C": PUBLISHED_C, "qsvr": asdict(PUBLISHED)}
"""What the published preset fills besides for a predictor on an annealer."""
