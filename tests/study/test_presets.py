"""What a preset fills."""


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


def test_a_preset_fills_only_what_is_left_out(study):
    found = study(swift={"preset": "published", "d": 10}, predictor={"name": "last-value"})
    assert (found.swift.d, found.swift.decision_fraction) == (10, 0.5)
    assert (found.predictor.name, found.predictor.scaling) == ("last-value", "minmax")


def test_swift_and_predictor_may_be_left_out(study):
    assert study(swift=None) == study()
