from __future__ import annotations

from swift_hyperband.training.settings import TrainingSettings


def test_settings_come_from_the_frozen_study_and_the_retries_beside_it() -> None:
    definition = {
        "target": {"name": "digits-cnn", "metric": "accuracy", "mode": "max", "threads": 2, "options": {"a": 1}},
        "search": {"algorithm": "hyperband", "max_epochs": 9, "seed": 3},
    }
    expected = TrainingSettings(
        "digits-cnn", {"a": 1}, "accuracy", threads=2, seed=3, retries=4, max_epochs=9, mode="max"
    )
    assert TrainingSettings.from_study_json(definition, retries=4) == expected
