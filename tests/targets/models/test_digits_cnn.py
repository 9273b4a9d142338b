from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from swift_hyperband.base.errors import UserError
from swift_hyperband.targets import Context
from swift_hyperband.targets.models import digits_cnn
from swift_hyperband.targets.models.digits_cnn import CLASSES, IMAGES, TEST, TRAINING, VALIDATION, DigitsCNN


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def built(configuration: dict[str, Any], **options: Any) -> DigitsCNN:
    torch.manual_seed(0)
    target = DigitsCNN()
    target.setup(configuration, Context("a", 0, 1, options, Path()))
    return target


def test_training_validation_and_test_share_no_image_and_hold_all_classes_alike() -> None:
    together = torch.cat([TRAINING, VALIDATION, TEST])
    assert len(together) == len(together.unique()) == len(IMAGES) == 1797
    for part in (TRAINING, VALIDATION, TEST, TRAINING[:300]):
        counts = CLASSES[part].bincount(minlength=10)
        assert counts.min() > 0.6 * counts.max()


def test_a_good_configuration_learns_and_a_bad_one_stays_behind() -> None:
    good = built({"learning_rate": 0.02, "weight_decay": 1e-5, "dropout": 0.2})
    bad = built({"learning_rate": 1.0, "weight_decay": 0.1, "dropout": 0.8})
    for epoch in range(1, 6):
        good.train_epoch(epoch)
        bad.train_epoch(epoch)
    assert good.validate()["accuracy"] > 0.9
    assert good.validate()["test_accuracy"] > 0.9
    assert bad.validate()["accuracy"] < 0.5


def test_an_epoch_trains_on_the_images_asked_for_and_no_other() -> None:
    target = built({}, train_size=100)
    assert sorted(target._shuffled().tolist()) == TRAINING[:100].tolist()


@pytest.mark.parametrize(
    ("configuration", "options", "message"),
    [
        ({"lr": 0.1}, {}, "must be among learning_rate, weight_decay, dropout, found lr"),
        ({}, {"train_size": 600}, "train_size must be a whole number from 64 to 599, found 600"),
        ({}, {"train_size": "all"}, "train_size must be a whole number from 64 to 599, found 'all'"),
        ({}, {"trian_size": 64}, "target.options: digits-cnn must not be given trian_size; it knows .*train_size"),
    ],
)
def test_what_the_target_does_not_know_is_told(
    configuration: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        built(configuration, **options)


def test_without_scikit_learn_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        digits_cnn._read_digits()
