"""The schedule: golden tables of Hyperband, and what holds of every divided round."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_hyperband.base import keys
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.plan import epochs
from swift_hyperband.search.schedule import hyperband
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.search.swift_hyperband import swift_hyperband
from swift_hyperband.study.presets import PRESETS

PUBLISHED, BOLD = (keys.build(SwiftSettings, PRESETS[name]["swift"]) for name in ("published", "bold"))
DEFAULT = SwiftSettings()


@pytest.mark.parametrize(
    ("max_epochs", "eta", "configurations", "epochs"),
    [
        (100, 2, 163, 3213),
        (300, 2, 608, 15380),
        (35, 2, 84, 872),
        (60, 2, 84, 1514),
        (100, 3, 143, 1944),
        (81, 3, 143, 1581),
        (27, 3, 49, 357),
        (60, 3, 49, 794),
    ],
)
def test_hyperband_costs_what_was_published(max_epochs, eta, configurations, epochs):
    schedule = hyperband(max_epochs, eta)
    assert (schedule.configurations, schedule.epochs_hyperband) == (configurations, epochs)


def test_one_epoch_for_all_never_trains_more_than_hyperband_by_default():
    for eta in range(2, 8):
        for max_epochs in range(eta, 120):
            search = {"max_epochs": max_epochs, "eta": eta, "trials": None, "full": None}
            ours, plain = ALGORITHMS["one-epoch"].schedule(search, DEFAULT), hyperband(max_epochs, eta)
            assert ours.configurations == plain.configurations
            assert epochs(ours, "worst") <= plain.epochs_hyperband


GOLDEN_ROUNDS = {
    (100, 2): [
        [(64, 2), (32, 3), (16, 6), (8, 12), (4, 25), (2, 50), (1, 100)],
        [(38, 3), (19, 6), (9, 12), (4, 25), (2, 50), (1, 100)],
        [(23, 6), (11, 12), (5, 25), (2, 50), (1, 100)],
        [(14, 12), (7, 25), (3, 50), (1, 100)],
        [(10, 25), (5, 50), (2, 100)],
        [(7, 50), (3, 100)],
        [(7, 100)],
    ],
    (81, 3): [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ],
    (27, 3): [
        [(27, 1), (9, 3), (3, 9), (1, 27)],
        [(12, 3), (4, 9), (1, 27)],
        [(6, 9), (2, 27)],
        [(4, 27)],
    ],
    (35, 2): [
        [(32, 1), (16, 2), (8, 4), (4, 9), (2, 18), (1, 35)],
        [(20, 2), (10, 4), (5, 9), (2, 18), (1, 35)],
        [(12, 4), (6, 9), (3, 18), (1, 35)],
        [(8, 9), (4, 18), (2, 35)],
        [(6, 18), (3, 35)],
        [(6, 35)],
    ],
}


@pytest.mark.parametrize(("setting", "brackets"), GOLDEN_ROUNDS.items())
def test_hyperband_rounds_are_the_published_ones(setting, brackets):
    schedule = hyperband(*setting)
    assert [[(r.trials, r.end) for r in rounds] for rounds in schedule.brackets.values()] == brackets


def test_round_ends_are_rounded_with_halves_to_even():
    # 12.5 epochs become 12 and 62.5 would become 62: rounded up, R = 100 would cost 3235 epochs
    assert [r.end for r in hyperband(100, 2).brackets[6]] == [2, 3, 6, 12, 25, 50, 100]


def test_published_swift_rounds_at_27_epochs_decide_in_one_round_only():
    schedule = swift_hyperband(27, 3, PUBLISHED)
    # bracket 3: 2 epochs are decided nowhere; 15 curves are reached only in the 27-epoch rounds, which are small
    assert [(r.key, r.full, r.partial, r.decision_epoch) for r in schedule.rounds if r.decision_epoch] == [
        ((2, 0), 6, 6, 2)
    ]
    assert schedule.epochs_hyperband - schedule.epochs_best == 6


def test_a_predictor_is_fitted_once_from_the_rounds_with_the_same_end():
    schedule = swift_hyperband(100, 2, PUBLISHED)
    fits = [r for r in schedule.rounds if r.training_rounds]
    assert len({(r.end, r.decision_epoch) for r in fits}) == len(fits)
    for fitted in fits:
        sources = [schedule.by_key[key] for key in fitted.training_rounds]
        assert all(source.end == fitted.end for source in sources)
        assert sources[-1].key == fitted.key
        assert sum(source.reference for source in sources) >= PUBLISHED.d


def test_no_decision_where_the_decision_point_falls_on_the_rounds_end():
    first = swift_hyperband(27, 3, BOLD).by_key[3, 0]
    assert (first.end, first.decision_epoch, first.full, first.partial) == (1, None, 27, 0)
    assert first.reference == 5, "only the reference curves are shared"
    first = swift_hyperband(27, 3, DEFAULT).by_key[3, 0]
    assert (first.end, first.decision_epoch, first.full, first.partial) == (1, None, 27, 0)


def test_without_k_trials_train_fully_only_until_there_are_d_curves():
    schedule, known = swift_hyperband(100, 2, BOLD), dict.fromkeys(range(101), 0)
    for round_ in schedule.rounds:
        assert round_.reference == min(round_.trials, max(0, BOLD.d - known[round_.end]))
        known[round_.end] += round_.reference
    taught = {key for round_ in schedule.rounds for key in round_.training_rounds}
    assert all(schedule.by_key[key].reference for key in taught), "a predictor waits for no round without curves"


def widened(schedule):
    """Return, by round with extra trials, how many Hyperband has, how many more there are, and how many may go on."""
    return {r.key: (r.trials - r.extra, r.extra, r.most_completed) for r in schedule.rounds if r.extra}


@pytest.mark.parametrize(
    ("size", "expected"),
    {
        (20, 2): {(2, 0): (7, 4, 7), (1, 0): (5, 3, 5), (0, 0): (5, 3, 5)},
        (60, 2): {(2, 0): (8, 4, 8), (1, 0): (6, 3, 6), (0, 0): (6, 3, 6)},
        (100, 2): {(2, 0): (10, 5, 10), (1, 0): (7, 4, 7), (0, 0): (7, 4, 7)},
        (81, 3): {(2, 0): (15, 8, 15), (1, 0): (8, 4, 8), (0, 0): (5, 3, 5)},
        (60, 3): {(2, 0): (12, 6, 12), (1, 0): (6, 3, 6), (0, 0): (4, 2, 3)},
        (100, 3): {(2, 0): (15, 8, 15), (1, 0): (8, 4, 8), (0, 0): (5, 3, 5)},
    }.items(),
)
def test_extra_trials_begin_the_last_three_brackets_where_much_can_be_saved(size, expected):
    plain, schedule = hyperband(*size), swift_hyperband(*size, BOLD)
    assert widened(schedule) == expected
    assert schedule == swift_hyperband(*size, replace(BOLD, pay_extra=False)), "as ever"
    for round_, before in zip(schedule.rounds, plain.rounds, strict=True):
        assert (round_.promoted, round_.trials - round_.extra) == (before.promoted, before.trials)
        assert not round_.extra or round_.decision_epoch is not None
    assert schedule.epochs_hyperband == plain.epochs_hyperband
    worst = sum(round_.epochs_worst for round_ in schedule.rounds)
    assert worst - plain.epochs_hyperband == sum(
        round_.extra * ((round_.decision_epoch or 0) - round_.start) for round_ in schedule.rounds
    )


@pytest.mark.parametrize("d", [3, 5])
@pytest.mark.parametrize("size", [(6, 2), (9, 2), (9, 3), (12, 3), (20, 3), (10, 4), (16, 4)])
def test_a_search_that_can_save_little_never_trains_more_than_hyperband(size, d):
    schedule = swift_hyperband(*size, replace(BOLD, d=d))
    assert epochs(schedule, "best") <= epochs(schedule, "worst") <= schedule.epochs_hyperband
    unpaid = swift_hyperband(*size, replace(BOLD, d=d, pay_extra=False))
    assert epochs(schedule, "best") <= epochs(unpaid, "best"), "what is started must be worth it"


def test_its_extra_trials_are_paid_for_by_trials_that_stop_in_any_case():
    assert widened(swift_hyperband(9, 3, BOLD)) == {(1, 0): (5, 2, 2)}
    assert widened(swift_hyperband(9, 3, replace(BOLD, pay_extra=False))) == {(1, 0): (5, 3, 3)}


def test_the_study_says_which_brackets_are_widened_and_when_extra_trials_must_be_paid_for():
    free = replace(BOLD, pay_extra=False)
    every = widened(swift_hyperband(27, 3, free))
    for brackets in range(4):
        few = widened(swift_hyperband(27, 3, replace(free, widened=brackets)))
        assert few == {round_: sizes for round_, sizes in every.items() if round_[0] < brackets}
    assert swift_hyperband(9, 3, replace(BOLD, pay_extra_below=0.0)) == swift_hyperband(9, 3, free)


settings = st.builds(
    SwiftSettings,
    teachers=st.sampled_from(["all", "reference"]),
    reference=st.integers(0, 9),
    d=st.integers(3, 30),
    k=st.sampled_from([0.1, 0.3, 0.5, 1.0]),
    threshold=st.sampled_from(["promotion", "quantile"]),
    decision_fraction=st.sampled_from([0.1, 0.25, 0.3, 0.5, 1.0]),
    share_curves=st.booleans(),
    extra=st.sampled_from([0.0, 0.5, 3.0]),
    pay_extra=st.booleans(),
    thaw=st.just(0.0),
)


@given(st.integers(2, 4), st.integers(0, 400), settings)
def test_every_round_of_every_schedule_can_be_run(eta, more, chosen):
    schedule = swift_hyperband(eta + more, eta, chosen)
    plain = hyperband(eta + more, eta)
    assert schedule.epochs_hyperband == plain.epochs_hyperband
    # the epochs of extra trials must be saved first
    assert schedule.epochs_best <= sum(round_.epochs_worst for round_ in schedule.rounds)
    assert chosen.extra or schedule.epochs_best <= plain.epochs_hyperband
    if any(round_.paying for round_ in schedule.rounds):
        assert epochs(schedule, "worst") <= plain.epochs_hyperband
    for round_ in schedule.rounds:
        needed = 0.0 if chosen.teachers == "all" else chosen.full_share
        assert min(1, needed) <= round_.reference <= round_.full <= round_.trials
        assert round_.promoted <= round_.trials
        if round_.decision_epoch is None:
            assert (round_.partial, round_.predictor, round_.training_rounds) == (0, None, ())
            continue
        assert round_.start < round_.decision_epoch < round_.end
        assert round_.partial > 0
        assert round_.least_completed <= round_.most_completed
        fitting = schedule.by_key[round_.predictor]
        assert (fitting.end, fitting.decision_epoch) == (round_.end, round_.decision_epoch)
        assert list(schedule.by_key).index(round_.predictor) <= list(schedule.by_key).index(round_.key)
        if not chosen.share_curves:
            assert round_.predictor == round_.key
            assert round_.training_rounds == (round_.key,)


def test_all_trials_of_earlier_brackets_teach_and_those_of_reference_in_the_round_itself():
    schedule = swift_hyperband(81, 3, DEFAULT)
    assert schedule.taught_by_all
    known = [r for r in schedule.rounds if r.decision_epoch is not None]
    for round_ in known:
        assert round_.decision_epoch == round_.start - (-6 * (round_.end - round_.start) // 10)
        assert (round_.predictor, round_.reference, round_.full) == (round_.key, 1, 1)
        *earlier, own = round_.training_rounds
        assert own == round_.key
        assert earlier == [r.key for r in schedule.rounds if r.bracket > round_.bracket and r.end == round_.end]
    # by hand: nobody is before bracket 4; at epoch 27 of bracket 3 there are 3 curves before and 1 in the round itself,
    # and at epoch 81 of bracket 1 as many
    assert [r.key for r in known] == [(3, 0), (3, 1), (2, 0), (2, 1), (1, 0), (0, 0)]
    assert schedule.by_key[1, 0].training_rounds == ((4, 3), (3, 2), (2, 1), (1, 0))


def test_a_round_that_too_few_curves_could_teach_decides_nothing():
    for d in (5, 7, 1000):
        schedule = swift_hyperband(27, 3, replace(DEFAULT, d=d))
        for round_ in schedule.rounds:
            curves = sum(r.trials for r in schedule.rounds if r.bracket > round_.bracket and r.end == round_.end)
            if curves + 1 < d or round_.trials == 1 or round_.end - round_.start <= 2:
                assert (round_.decision_epoch, round_.full, round_.training_rounds) == (None, round_.trials, ())
            else:
                assert schedule.most_curves(round_) == curves + 1
    assert swift_hyperband(27, 3, replace(DEFAULT, d=1000)).epochs_best == 357


def test_without_a_bracket_before_it_none_teaches_but_the_round_itself():
    assert not swift_hyperband(27, 3, DEFAULT, [2]).decides
    alone = swift_hyperband(27, 3, replace(DEFAULT, reference=6), [2])
    assert {r.key: r.training_rounds for r in alone.rounds if r.decision_epoch} == {(2, 0): ((2, 0),)}
    apart = swift_hyperband(27, 3, replace(DEFAULT, reference=5, share_curves=False))
    assert {r.key: r.training_rounds for r in apart.rounds if r.decision_epoch} == {
        (r.key): (r.key,) for r in hyperband(27, 3).rounds if r.trials > 5 and r.end - r.start > 2
    }


@pytest.mark.parametrize("reference", [0, 1, 3])
def test_the_study_says_how_many_reference_trials_a_round_has(reference):
    schedule = swift_hyperband(81, 3, replace(DEFAULT, reference=reference))
    assert schedule.decides
    for round_ in schedule.rounds:
        if round_.decision_epoch is None:
            assert round_.full == round_.trials
        else:
            assert round_.reference == round_.full == reference
            assert (round_.key in round_.training_rounds) == (reference > 0), "a round without any is not waited for"


def test_the_default_starts_the_trials_of_hyperband_and_trains_no_more_epochs_but_to_thaw():
    for size in [(9, 3), (27, 3), (81, 3), (60, 2), (100, 2), (35, 2)]:
        plain, schedule = hyperband(*size), swift_hyperband(*size, DEFAULT)
        assert [r.trials for r in schedule.rounds] == [r.trials for r in plain.rounds]
        thaw = schedule.thaw.budget if schedule.thaw else 0
        assert epochs(schedule, "best") <= epochs(schedule, "worst") == plain.epochs_hyperband + thaw
        assert thaw <= 0.04 * plain.epochs_hyperband
        assert (epochs(schedule, "best") < plain.epochs_hyperband) == schedule.decides == (size != (9, 3))


def test_brackets_can_be_chosen():
    assert list(hyperband(27, 3, [0, 2]).brackets) == [2, 0]
    with pytest.raises(ValueError, match="between 0 and 3"):
        hyperband(27, 3, [4])


@pytest.mark.parametrize(("max_epochs", "eta"), [(27, 1), (2, 3)])
def test_impossible_settings_are_refused(max_epochs, eta):
    with pytest.raises(ValueError, match="must be at least"):
        hyperband(max_epochs, eta)
