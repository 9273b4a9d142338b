"""The keys and defaults of version 0.1, spelled out once for all tests."""

VERSION_0_1 = {
    "swift": {
        "d": 5,
        "k": 0.5,
        "decision_fraction": 0.15,
        "threshold": "promotion",
        "threshold_quantile": 0.25,
        "margin": 0.75,
        "margin_later": 2.0,
        "share_curves": True,
        "extra": 0.5,
        "widened": 3,
        "pay_extra": True,
        "pay_extra_below": 0.3,
        "expected_share": 0.25,
    },
    "predictor": {
        "name": "svr",
        "target": "change",
        "features": "differences",
        "scaling": "robust",
        "C": 1.0,
        "nu": 0.5,
        "fewest_curves": 3,
        "far": 1e6,
    },
}
"""The keys and defaults of version 0.1, by which `default` decided."""
LATER = {
    "swift": {"teachers": "reference", "reference": 0, "places": 1.0, "thaw": 0.0, "thaw_chance": 0.1},
    "predictor": {"values": "loss", "errors": "common"},
}
"""What it did without having the keys."""
