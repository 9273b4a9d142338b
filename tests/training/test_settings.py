from __future__ import annotations

from typing import Any

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


def test_targets_are_given_the_seed_of_the_study_or_one_of_their_own() -> None:
    definition: dict[str, Any] = {
        "target": {"name": "digits-cnn", "metric": "accuracy", "mode": "max", "threads": 1, "options": {}},
        "search": {"algorithm": "hyperband", "max_epochs": 9, "seed": 3},
    }
    common = TrainingSettings.from_study_json(definition, retries=0)
    assert [common.seed_of(trial) for trial in "ab"] == [3, 3]
    definition["search"]["seed_per_trial"] = True
    own = TrainingSettings.from_study_json(definition, retries=0)
    seeds = [own.seed_of(trial) for trial in "ab"]
    assert len({3, *seeds}) == 3
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seeds == [own.seed_of(trial) for trial in "ab"]
