"""Configurations that a model draws: better than those at random where curves teach something, and always allowed."""

import math

import pytest

from swift_hyperband.search import sampling
from swift_hyperband.search.sampling import Place
from swift_hyperband.space.draw import draw
from swift_hyperband.space.parameters import Categorical, Float, Int, Space
from swift_hyperband.space.tpe import Tpe

SPACE = Space(
    {
        "lr": Float(1e-5, 1.0, log=True),
        "dropout": Float(0.0, 0.9),
        "layers": Int(1, 8),
        "optimiser": Categorical(("adam", "sgd", "rmsprop")),
        "momentum": Float(0.0, 1.0, when={"optimiser": ("sgd",)}),
    }
)


def loss(configuration):
    """Return a loss whose best configuration has lr .01, dropout .3, 4 layers, and sgd with momentum .9."""
    found = (math.log10(configuration["lr"]) + 2) ** 2 + 4 * (configuration["dropout"] - 0.3) ** 2
    found += (configuration["layers"] - 4) ** 2 / 10
    return found + (abs(configuration["momentum"] - 0.9) if "momentum" in configuration else 1.0)


def known(count=100, space=SPACE):
    return {f"{slot:04}": draw(space, 1, 4, slot) for slot in range(count)}


def ranked(count=100):
    return sorted(known(count).values(), key=loss)


def places(count, bracket=3):
    return {f"new {slot:03}": Place(bracket, slot) for slot in range(count)}


def test_what_the_model_draws_is_better_than_what_is_drawn_at_random():
    model = Tpe(SPACE, ranked())
    drawn = sorted(loss(model.draw(str(number))) for number in range(60))
    assert drawn[30] < 0.5 * loss(ranked()[50])
    assert drawn[0] < loss(ranked()[0])


def test_the_same_stream_draws_the_same_and_another_one_another():
    assert Tpe(SPACE, ranked()).draw("a") == Tpe(SPACE, ranked()).draw("a") != Tpe(SPACE, ranked()).draw("b")


def test_draws_lie_in_the_space_and_conditions_hold():
    model = Tpe(SPACE, ranked())
    for number in range(60):
        found = model.draw(str(number))
        assert list(found) == [name for name in SPACE.hyperparameters if name in found]
        assert ("momentum" in found) == (found["optimiser"] == "sgd")
        assert 1e-5 <= found["lr"] <= 1
        assert 0 <= found["dropout"] <= 0.9
        assert found["layers"] in range(1, 9)


def test_draws_keep_the_constraints():
    tight = Space(SPACE.hyperparameters, ("layers * dropout <= 0.5",))
    drawn = sampling.draw(tight, "tpe", 0, places(30), known(), {trial: [loss(c)] for trial, c in known().items()})
    assert all(found.configuration["layers"] * found.configuration["dropout"] <= 0.5 for found in drawn.values())
    assert sum(found.by_model for found in drawn.values()) == 20


def test_where_the_model_finds_nothing_that_keeps_the_constraints_the_seed_draws():
    space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, ("x + y >= 1.9",))
    seen = {f"{number}": {"x": 0.01, "y": 0.01} for number in range(20)}
    curves = {trial: [float(number)] for number, trial in enumerate(seen)}
    drawn = sampling.draw(space, "tpe", 0, places(6), seen, curves)
    assert all(found.configuration["x"] + found.configuration["y"] >= 1.9 for found in drawn.values())


@pytest.mark.parametrize("bounds", [(1e-300, 1e300, True), (-8e307, 8e307, False), (2.0, 2.0, False)])
def test_the_widest_and_the_narrowest_ranges_can_be_drawn_from(bounds):
    low, high, log = bounds
    space = Space({"x": Float(low, high, log), "n": Int(2**62, 2**62 + 1)})
    model = Tpe(space, [draw(space, 0, 0, slot) for slot in range(20)])
    assert all(low <= model.draw(str(number))["x"] <= high for number in range(20))


def test_every_third_slot_is_drawn_as_sampling_random_draws_it():
    curves = {trial: [loss(configuration)] for trial, configuration in known().items()}
    drawn = sampling.draw(SPACE, "tpe", 7, places(9), known(), curves)
    assert [found.by_model for found in drawn.values()] == [True, True, False] * 3
    for trial, place in places(9).items():
        assert (drawn[trial].configuration == draw(SPACE, 7, *place)) == (place.slot % 3 == 2)


def test_too_few_curves_leave_all_to_the_seed():
    few = known(6)
    curves = {trial: [1.0] for trial in few}
    assert not any(found.by_model for found in sampling.draw(SPACE, "tpe", 0, places(6), few, curves).values())
    curves = {trial: [math.inf] for trial in known()}
    assert not any(found.by_model for found in sampling.draw(SPACE, "tpe", 0, places(6), known(), curves).values())


def test_tpe_takes_longer_curves_for_better_and_bohb_compares_at_one_length():
    seen = known(20)
    names = list(seen)
    curves = {trial: [5.0 - number / 10] for number, trial in enumerate(names)}
    curves[names[0]] = [9.0, 8.0, 7.0]
    drawn = {
        method: sampling.draw(SPACE, method, 0, {"new": Place(1, 0)}, seen, curves)["new"].configuration
        for method in ("tpe", "bohb")
    }
    # one of twenty is the best tenth's first, so the two models differ in it alone
    by_length = sorted(names, key=lambda trial: (-len(curves[trial]), curves[trial][-1]))
    at_one = sorted(names, key=lambda trial: curves[trial][0])
    assert by_length[0] == names[0] == at_one[-1]
    assert drawn["tpe"] == Tpe(SPACE, [seen[trial] for trial in by_length]).draw("0/1/0/tpe")
    assert drawn["bohb"] == Tpe(SPACE, [seen[trial] for trial in at_one]).draw("0/1/0/bohb")


def test_failed_trials_are_the_worst():
    seen = known()
    curves = {trial: [math.nan if configuration["lr"] > 0.1 else 1.0] for trial, configuration in seen.items()}
    drawn = sampling.draw(SPACE, "tpe", 0, places(40), seen, curves)
    by_model = [found.configuration["lr"] for found in drawn.values() if found.by_model]
    assert sum(lr > 0.1 for lr in by_model) <= 2
