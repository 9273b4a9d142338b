"""Which hyperparameters mattered, on functions where it is known, and on searches that were really run."""

import math

import numpy as np
import pytest

from swift_hyperband.report.importance import FEWEST, MOST, importance, of_search, well_filled
from swift_hyperband.space.parameters import Categorical, Float, Int, Space

SPACE = Space(
    {
        "idle": Float(0.0, 1.0),
        "lr": Float(1e-4, 1e-1, log=True),
        "optimizer": Categorical(("sgd", "adam")),
        "momentum": Float(0.0, 1.0, when={"optimizer": ("sgd",)}),
        "width": Int(1, 8),
    }
)


def drawn(seed, count):
    """Draw configurations, and losses that depend on the learning rate, the optimiser and a little on the momentum."""
    random = np.random.default_rng(seed)
    configurations, losses = [], []
    for _ in range(count):
        optimizer = str(random.choice(["sgd", "adam"]))
        found = {
            "idle": random.random(),
            "lr": 10 ** random.uniform(-4, -1),
            "optimizer": optimizer,
            "width": int(random.integers(1, 9)),
        }
        if optimizer == "sgd":
            found["momentum"] = random.random()
        loss = abs(math.log10(found["lr"]) + 2.5) + (0.5 if optimizer == "sgd" else 0.0)
        configurations.append(found)
        losses.append(loss + 0.5 * found.get("momentum", 0.0) + random.normal(0, 0.05))
    return configurations, losses


def weights(found):
    return {weight.name: weight for weight in found.weights}


def test_what_the_loss_depends_on_is_found_and_what_it_does_not_depend_on_is_zero_within_the_error():
    found = importance(SPACE, *drawn(1, 200), epoch=9)
    by_name = weights(found)
    assert [weight.name for weight in found.weights][:3] == ["lr", "optimizer", "momentum"]
    assert found.epoch == 9
    assert found.r2 > 0.8
    assert found.warnings == ()
    for name in ("optimizer", "lr"):
        assert by_name[name].importance > 5 * by_name[name].error
    for name in ("idle", "width"):
        assert abs(by_name[name].importance) < 2 * by_name[name].error + 0.01


def test_a_conditional_hyperparameter_has_not_the_importance_of_its_condition():
    """If the momentum does nothing, that it is there must tell the forest nothing either."""
    configurations, losses = drawn(2, 200)
    losses = [loss - 0.5 * found.get("momentum", 0.0) for loss, found in zip(losses, configurations, strict=True)]
    by_name = weights(importance(SPACE, configurations, losses))
    assert by_name["optimizer"].importance > 0.3
    assert abs(by_name["momentum"].importance) < 2 * by_name["momentum"].error + 0.01
    assert by_name["momentum"].active == sum("momentum" in found for found in configurations) < 200


def test_the_error_is_about_the_spread_between_equal_searches():
    found = [weights(importance(SPACE, *drawn(seed, 80))) for seed in range(6)]
    for name in ("optimizer", "lr"):
        spread = np.std([of_search[name].importance for of_search in found], ddof=1)
        error = np.mean([of_search[name].error for of_search in found])
        assert spread / 3 < error < 3 * spread


def test_the_same_trials_give_the_same_importances():
    assert importance(SPACE, *drawn(3, 40)) == importance(SPACE, *drawn(3, 40))


def test_what_makes_trainings_fail_matters():
    configurations, losses = drawn(4, 100)
    # the width alone decides who fails; all others are equally good
    failing = [math.inf if found["width"] > 4 else loss for loss, found in zip(losses, configurations, strict=True)]
    found = importance(SPACE, configurations, failing)
    assert found.weights[0].name == "width"
    assert found.lost == sum(map(math.isinf, failing))


def test_an_exploded_loss_does_not_decide():
    configurations, losses = drawn(5, 60)
    worst = int(np.argmax(losses))
    exploded = [1e300 if row == worst else loss for row, loss in enumerate(losses)]
    assert importance(SPACE, configurations, losses) == importance(SPACE, configurations, exploded)


def test_few_trials_and_a_forest_that_explains_nothing_are_warned_of():
    configurations, losses = drawn(6, 30)
    found = importance(SPACE, configurations, losses)
    assert found.warnings[0] == "Few trials: 30 for 5 hyperparameters. Another seed may give another order."
    noise = np.random.default_rng(0).random(30).tolist()
    found = importance(SPACE, configurations, noise)
    assert found.r2 < 0.1
    assert "The forest explains nothing" in found.warnings[-1]


@pytest.mark.parametrize(
    ("count", "change", "why"),
    [
        (FEWEST - 1, lambda loss: loss, f"7 trials can be compared, and at least {FEWEST} are needed."),
        (0, lambda loss: loss, f"0 trials can be compared, and at least {FEWEST} are needed."),
        (20, lambda loss: math.inf, "20 trials can be compared, and all of them have the same value."),
    ],
)
def test_where_nothing_can_be_computed_it_says_why(count, change, why):
    configurations, losses = drawn(7, count)
    found = importance(SPACE, configurations, list(map(change, losses)))
    assert found.weights == ()
    assert found.warnings == (why,)


def test_of_very_many_trials_some_are_drawn():
    configurations, losses = drawn(8, MOST + 500)
    found = importance(SPACE, configurations, losses)
    assert (found.trials, found.drawn_from) == (MOST, MOST + 500)
    assert found.weights[0].name == "lr"


def test_trials_of_a_search_are_compared_at_the_largest_rung_that_is_well_filled(swift):
    epoch, losses = well_filled(swift, 1)
    trained = {name: len(trial.curve) for name, trial in swift.trials.items()}
    reached = {end: sum(length >= end for length in trained.values()) for end in (1, 3, 9, 27)}
    assert reached[epoch] >= 20
    assert all(count < 20 for end, count in reached.items() if end > epoch)
    metric = swift.study.metric
    for trial, loss in losses.items():
        if trained[trial] >= epoch:
            assert loss == metric.losses(swift.trials[trial].values(metric.name))[epoch - 1]
        else:
            assert math.isinf(loss)


def test_failed_trials_of_a_search_count_as_worst(crashing):
    _, losses = well_filled(crashing, 1)
    failed = {trial.trial for trial in crashing.trials.values() if trial.failed}
    assert failed
    assert {trial for trial, loss in losses.items() if math.isinf(loss)} >= failed


def test_every_kind_of_search_has_importances_or_a_reason(history):
    found = of_search(history)
    assert found.weights or found.warnings
    assert found.weights == () or [weight.name for weight in found.weights] == ["row"]
