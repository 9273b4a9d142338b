"""What a preset fills."""

import pytest
from version_0_1 import LATER, VERSION_0_1

from swift_hyperband.annealing.settings import QsvrSettings
from swift_hyperband.base import keys
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.study.presets import PRESETS


def test_the_published_preset_is_that_of_the_paper(study):
    found = study(swift__preset="published")
    rules, schedule = found.rules(), found.schedule()
    assert schedule.epochs_best == 351
    assert (rules.swift.threshold, rules.swift.threshold_quantile, rules.swift.margin) == ("quantile", 0.25, 0.0)
    assert (found.swift.d, found.swift.k, found.swift.decision_fraction, found.swift.share_curves) == (
        15,
        0.5,
        0.5,
        True,
    )
    predictor = rules.predictor
    assert (predictor.name, predictor.target, predictor.features, predictor.scaling) == (
        "svr",
        "value",
        "values",
        "minmax",
    )
    assert (predictor.C, predictor.nu) == (1.0, 0.5)


def test_the_bold_preset_is_the_default_of_version_0_1(study):
    rules = study(swift__preset="bold").rules()
    assert keys.values(rules.swift) == {"preset": "default"} | VERSION_0_1["swift"] | LATER["swift"]
    predictor = keys.values(rules.predictor)
    del predictor["qsvr"], predictor["sampler"]
    assert predictor == VERSION_0_1["predictor"] | LATER["predictor"]
    assert (rules.predictor.qsvr, rules.predictor.sampler.name) == (QsvrSettings(), "simulated-annealing")


def test_the_default_is_the_rule_by_which_all_trials_teach(study):
    rules = study().rules()
    swift, predictor = rules.swift, rules.predictor
    assert (swift.teachers, swift.reference, swift.decision_fraction) == ("all", 1, 0.6)
    assert (swift.threshold, swift.places, swift.margin, swift.margin_later) == ("promotion", 0.7, 1.5, 1.0)
    assert (swift.extra, swift.share_curves) == (0.0, True)
    assert (predictor.name, predictor.values, predictor.errors, predictor.fewest_curves) == ("linear", "log", "each", 5)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_stays_as_it_is_when_a_default_changes(preset):
    filled = {name: {*section} for name, section in PRESETS[preset].items()}
    # what differs between the default and any preset is spelled out in each
    for name, settings in {"swift": SwiftSettings, "predictor": PredictorSettings}.items():
        own = keys.values(settings())
        differing = {key for other in PRESETS.values() for key, value in other[name].items() if value != own[key]} - {
            "k",
            "d",
            "threshold_quantile",
        }
        assert differing <= filled[name]


def test_a_qsvr_may_decide_boldly(study):
    found = study(swift={"preset": "bold"}, predictor={"name": "qsvr"}).predictor
    assert (found.name, found.values, found.errors, found.fewest_curves, found.C) == ("qsvr", "loss", "common", 3, 1.0)


def test_a_preset_fills_only_what_is_left_out(study):
    found = study(swift={"preset": "published", "d": 10}, predictor={"name": "last-value"})
    assert (found.swift.d, found.swift.decision_fraction) == (10, 0.5)
    assert (found.predictor.name, found.predictor.scaling) == ("last-value", "minmax")


def test_swift_and_predictor_may_be_left_out(study):
    assert study(swift=None) == study()
