"""The choice of the next bracket: it follows from how well each rung's ranks agree with those at the end."""

import math
import random

import numpy as np
import pytest

from swift_hyperband.search import bracket_choice
from swift_hyperband.search.schedule import hyperband

R81, RUNGS = hyperband(81, 3), [1, 3, 9, 27, 81]


def curves(count, late):
    """Return curves whose ranks at all rungs are those at the end, or that cross before the last epoch."""
    found = []
    for i in range(count):
        early = random.Random(i).random() if late else i
        found.append([early] * 80 + [i])
    return found


def test_ranks_that_agree_correlate_fully_and_opposite_ones_not_at_all():
    assert bracket_choice.spearman([1, 2, 30], [5, 7, 8]) == pytest.approx(1)
    assert bracket_choice.spearman([3, 2, 1], [5, 7, 8]) == pytest.approx(-1)
    # by hand: d = 0, 1, 1, 0; 1 - 6 * 2 / (4 * 15)
    assert bracket_choice.spearman([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    # equal values share rank 1.5: covariance 1.5 over the roots of 1.5 and 2
    assert bracket_choice.spearman([1, 1, 2], [1, 2, 3]) == pytest.approx(1.5 / math.sqrt(1.5 * 2))
    assert bracket_choice.spearman([1, 1, 1], [1, 2, 3]) == 0


def test_a_correlation_of_few_curves_stays_near_what_is_expected():
    assert bracket_choice.prior(9, 81) == pytest.approx(0.98 / 4), "ln 9 is half of ln 81"
    assert bracket_choice.shrunk(-1.0, 3, 0.5) == pytest.approx(0.5), "three curves say nothing"
    # by hand: 8 curves beyond three weigh as much as the prior of 8
    assert bracket_choice.shrunk(0.0, 11, 0.5) == pytest.approx(math.tanh(math.atanh(0.5) / 2))
    assert bracket_choice.shrunk(0.3, 10_000, 0.9) == pytest.approx(0.3, abs=0.01)
    assert bracket_choice.correlations(RUNGS, [])[81] == 1
    assert bracket_choice.correlations(RUNGS, [])[1] == 0


def test_expected_best_of_draws_is_the_mean_of_one_draw_and_nears_the_smallest():
    values = np.array([3.0, 1.0, 2.0, 6.0])
    assert bracket_choice.expected_best(values, 1) == pytest.approx(3)
    # by hand: of two draws the smallest is 1 in 7 of 16, 2 in 5, 3 in 3 and 6 in 1
    assert bracket_choice.expected_best(values, 2) == pytest.approx((7 + 10 + 9 + 6) / 16)
    assert bracket_choice.expected_best(values, 1000) == pytest.approx(1)


def test_where_the_first_epoch_tells_the_end_the_bracket_with_most_trials_is_chosen():
    known = bracket_choice.correlations(RUNGS, curves(40, late=False))
    assert min(known.values()) > 0.95
    found = bracket_choice.promises(R81, known)
    assert min(found, key=found.get) == 4


def test_where_curves_cross_late_a_bracket_with_long_first_rounds_is_chosen():
    known = bracket_choice.correlations(RUNGS, curves(40, late=True))
    assert max(known[rung] for rung in RUNGS[:-1]) < 0.5
    found = bracket_choice.promises(R81, known)
    assert min(found, key=found.get) in (0, 1)
    assert found[4] > found[0] + 0.2


def test_winners_end_best_of_all_where_every_rung_agrees_with_the_end():
    rounds = R81.brackets[4]
    perfect = bracket_choice.winners(rounds, dict.fromkeys(RUNGS, 1.0), 81)
    blind = bracket_choice.winners(rounds, {**dict.fromkeys(RUNGS, 0.0), 81: 1.0}, 81)
    assert perfect.mean() == pytest.approx(-2.43, abs=0.2), "the expected smallest of 81 normal numbers"
    assert abs(blind.mean()) < 0.5


def test_hyper_tune_weighs_a_rung_by_how_often_it_orders_best_over_its_epochs():
    agree = bracket_choice.thetas(RUNGS, curves(8, late=False))
    assert agree == pytest.approx(dict.fromkeys(RUNGS, 0.2)), "all rungs agree, and share every sample"
    cross = bracket_choice.thetas(RUNGS, curves(8, late=True))
    assert cross[81] > 0.9
    assert sum(cross.values()) == pytest.approx(1)
    weights = bracket_choice.hyper_tune_weights(R81.brackets, agree)
    # by hand: theta / r is 1, 1/3, 1/9, 1/27, 1/81 of the first one
    assert weights[4] == pytest.approx(81 / 121)
    assert weights[0] == pytest.approx(1 / 121)
    assert bracket_choice.hyper_tune_weights({0: R81.brackets[0], 4: R81.brackets[4]}, cross)[0] > weights[0]


def test_brackets_of_middle_length_start():
    assert bracket_choice.start_order(range(7)) == [3, 2, 4, 1, 5, 6, 0]
    assert bracket_choice.start_order([0, 1]) == [1, 0]
