"""The presets of the study file. The preset `default` is the defaults of the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swift_hyperband.annealing.settings import PUBLISHED, PUBLISHED_C
from swift_hyperband.base import keys

# every key is spelled out, so that the preset stays as published when a default changes
PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    # García Amboage et al., EPJ Web of Conferences 295, 12005 (2024)
    "published": {
        "swift": {
            "teachers": "reference",
            "reference": 0,
            "d": 15,
            "k": 0.5,
            "decision_fraction": 0.5,
            "threshold": "quantile",
            "threshold_quantile": 0.25,
            "places": 1.0,
            "margin": 0.0,
            "margin_later": 2.0,
            "share_curves": True,
            "extra": 0.0,
            "thaw": 0.0,
        },
        "predictor": {
            "name": "svr",
            "target": "value",
            "features": "values",
            "scaling": "minmax",
            "values": "loss",
            "errors": "common",
            "fewest_curves": 3,
            "C": 1.0,
            "nu": 0.5,
        },
    },
    # the preset `default` until version 0.2
    "bold": {
        "swift": {
            "teachers": "reference",
            "reference": 0,
            "d": 5,
            "decision_fraction": 0.15,
            "threshold": "promotion",
            "places": 1.0,
            "margin": 0.75,
            "margin_later": 2.0,
            "share_curves": True,
            "extra": 0.5,
            "thaw": 0.0,
            "widened": 3,
            "pay_extra": True,
            "pay_extra_below": 0.3,
        },
        "predictor": {
            "name": "svr",
            "target": "change",
            "features": "differences",
            "scaling": "robust",
            "values": "loss",
            "errors": "common",
            "fewest_curves": 3,
            "C": 1.0,
            "nu": 0.5,
        },
    },
}


PUBLISHED_QSVR: dict[str, Any] = {"C": PUBLISHED_C, "qsvr": keys.values(PUBLISHED)}
"""What the published preset also fills for a predictor on an annealer."""


def filled(raw: Any) -> Any:
    """Return a study file's content with the keys that its preset fills."""
    if not isinstance(raw, Mapping) or not isinstance(swift := raw.get("swift", {}), Mapping):
        return raw
    preset = PRESETS.get(str(swift.get("preset", "default")), {})
    given = {section: raw.get(section, {}) for section in preset}
    found = {section: {**preset[section], **keys} for section, keys in given.items() if isinstance(keys, Mapping)}
    if swift.get("preset") == "published" and found.get("predictor", {}).get("name") == "qsvr":
        own = given["predictor"]
        found["predictor"] |= {**PUBLISHED_QSVR, **own}
        if isinstance(own.get("qsvr"), Mapping):
            found["predictor"]["qsvr"] = {**PUBLISHED_QSVR["qsvr"], **own["qsvr"]}
    return {**raw, **found}
