"""Verdicts: what the paired differences of a search and Hyperband must be, so that a word is said of them."""

import pytest

from swift_hyperband.base.metric import Metric
from swift_hyperband.compare.verdicts import beats, mean_known, overall, verdict

LOSS, ACCURACY = Metric("loss", "min"), Metric("accuracy", "max")


def rows(ours, theirs, epochs=70, regrets=True):
    """Return a run for each pair of values; the table's best is 0 and its median 10."""

    def regret(value):
        return value / 10 if regrets and value is not None else None

    return [
        {
            "best": a,
            "regret": regret(a),
            "epochs": epochs,
            "hyperband_best": b,
            "hyperband_regret": regret(b),
            "hyperband_epochs": 100,
        }
        for a, b in zip(ours, theirs, strict=True)
    ]


def test_differences_are_paired_so_that_what_seeds_have_in_common_does_not_count():
    hyperband = [1.0, 50.0, 9.0, 200.0, 3.0]
    ours = [value + extra for value, extra in zip(hyperband, (1, 2, 1, 2, 1), strict=True)]
    found = verdict(rows(ours, hyperband), LOSS)
    assert found.word == "worse"
    assert found.regret.mean == pytest.approx(0.14)
    # Student's t with 4 degrees of freedom: 2.776 times .1 sqrt(.3) / sqrt(5)
    assert found.regret.half == pytest.approx(0.068, abs=5e-4)
    assert (found.worse, found.better) == (1.0, 0.0)
    assert found.epochs.mean == 0.7


@pytest.mark.parametrize(("metric", "word"), [(LOSS, "better"), (ACCURACY, "worse")])
def test_where_larger_is_better_a_smaller_value_is_worse(metric, word):
    assert verdict(rows([1, 2, 3, 4], [2, 3, 5, 6]), metric).word == word


def test_an_interval_that_holds_zero_shows_no_difference_however_often_it_is_worse():
    found = verdict(rows([2, 2, 2, 2, 1], [1, 1, 1, 1, 4]), LOSS)
    assert (found.word, found.worse, found.better) == ("level", 0.8, 0.2)


def test_the_same_winners_are_level_and_so_is_a_single_seed():
    assert verdict(rows([1, 2, 3], [1, 2, 3]), LOSS).word == "level"
    assert verdict(rows([5], [1]), LOSS).word == "level"


def test_a_seed_without_a_winner_is_worse_than_one_with_a_winner():
    found = verdict(rows([None, None, 1, 1], [1, None, None, 1]), LOSS)
    assert (found.worse, found.better) == (0.25, 0.25)
    assert found.regret.mean == 0
    nothing = verdict(rows([None, None], [None, None]), LOSS)
    assert (nothing.word, nothing.regret, nothing.worse) == ("level", None, 0.0)


def test_a_table_without_regrets_has_a_verdict():
    found = verdict(rows([2, 3, 4, 5], [1, 1, 3, 4], regrets=False), LOSS)
    assert (found.word, found.regret) == ("worse", None)


def test_over_all_tables_verdicts_are_counted_and_the_worst_table_is_named():
    found = overall(
        "Swift",
        {
            "fine": verdict(rows([1, 2, 3, 4], [2, 3, 5, 6], epochs=60), LOSS),
            "bad": verdict(rows([3, 4, 6, 7], [1, 3, 4, 5], epochs=80), LOSS),
            "often": verdict(rows([1.1, 1.1, 1.1, 0.8], [1, 1, 1, 1], epochs=100), LOSS),
            "unknown": verdict(rows([9, 9], [1, 1], epochs=100, regrets=False), LOSS),
        },
    )
    assert found.tables == {"better": 1, "level": 1, "worse": 2}
    assert found.epochs == pytest.approx(0.85)
    assert (found.most_epochs, found.most_worse) == (1.0, 1.0)
    assert (found.worst, found.worst_verdict.word) == ("bad", "worse")


def test_if_no_table_has_regrets_the_worst_is_where_it_is_worse_most_often():
    seldom, often = rows([1, 1, 2], [1, 1, 1], regrets=False), rows([1, 2, 2], [1, 1, 1], regrets=False)
    assert overall("Swift", {"seldom": verdict(seldom, LOSS), "often": verdict(often, LOSS)}).worst == "often"


def test_a_search_beats_another_only_if_it_is_better_at_no_more_epochs():
    worse = rows([2, 3, 5, 6], [0, 0, 0, 0], epochs=70)
    found = beats(rows([1, 2, 3, 4], [0, 0, 0, 0], epochs=35), worse, LOSS)
    assert (found.word, found.better, found.epochs.mean) == ("better", 1.0, 0.5)
    assert found.regret.mean == pytest.approx(-0.15)
    assert beats(rows([1, 2, 3, 4], [0, 0, 0, 0], epochs=71), worse, LOSS) is None
    assert beats(rows([1, 9, 5, 6], [0, 0, 0, 0], epochs=35), worse, LOSS) is None


def test_the_kill_risk_is_the_share_of_the_seeds_in_which_it_is_known():
    assert mean_known([True, False, None, False, False]) == 0.25
    assert mean_known([None, None]) is None
