"""A space with every kind of hyperparameter."""

import pytest

from swift_hyperband.space.parameters import Categorical, Float, Int, Space


@pytest.fixture
def large():
    return Space(
        {
            "learning_rate": Float(1e-3, 1.0, log=True),
            "dropout": Float(0.0, 0.8),
            "layers": Int(1, 5),
            "filters": Int(8, 128, log=True),
            "optimizer": Categorical(("sgd", "adam", "adamw")),
            "momentum": Float(0.0, 0.99, when={"optimizer": ("sgd",)}),
            "beta": Float(0.8, 0.999, when={"optimizer": ("adam", "adamw")}),
        },
        constraints=("layers * filters <= 200",),
    )
