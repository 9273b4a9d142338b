"""The predicted kill risk: by hand, and against draws of what the predictions say."""

import math

import numpy as np
import pytest

from swift_hyperband.predictors import fitting
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search import kill_risk
from swift_hyperband.search.schedule import Round

ROUND = Round(2, 0, 12, 0, 9, 3, 4, 4, (2, 0))
"""Three trials are promoted; decisions at epoch 4 of 9."""


def fitted(**settings):
    rng = np.random.default_rng(0)
    ends = rng.uniform(0.2, 0.6, 30)
    table = ends[:, None] + np.arange(1, 10) ** -1.0 + rng.normal(0, 0.02, (30, 9))
    return fitting.fit(PredictorSettings(**settings), table[:, :4], table[:, 8]), table


@pytest.mark.parametrize(
    "settings", [{}, {"name": "svr", "errors": "common"}, {"name": "last-value", "values": "loss"}]
)
def test_a_trial_ends_below_a_loss_as_often_as_draws_from_its_prediction_do(settings):
    predictor, table = fitted(**settings)
    one = table[:1, :4]
    middle, low = predictor.predict(one)[0], predictor.optimistic(one, 1.0)[0]
    drawn = np.random.default_rng(1).standard_normal(100_000)
    logarithms = settings.get("values", "log") == "log"
    ends = middle * np.exp(drawn * np.log(middle / low)) if logarithms else middle + drawn * (middle - low)
    for loss in (0.9 * middle, middle, 1.02 * middle):
        assert predictor.below(one, [loss])[0, 0] == pytest.approx(np.mean(ends < loss), abs=0.006)


def test_where_nothing_can_be_said_a_trial_stays_where_it_is():
    predictor, _ = fitted()
    exploded = [[0.5, 0.6, 0.7, 1e30]]
    np.testing.assert_array_equal(predictor.below(exploded, [1.0, 1e31]), [[0.0, 1.0]])


def test_a_stopped_trial_wins_by_the_places_that_it_would_take():
    class Sure:
        """Every trial stays where it is."""

        def below(self, curves, losses):
            return np.array([[float(curve[-1] < loss) for loss in losses] for curve in curves])

    promoted = [0.1, 0.2, 0.3]
    shares = {0.05: 3 / 6, 0.15: 2 / 6, 0.25: 1 / 6, 0.35: 0.0}
    for last, share in shares.items():
        curve = [0.9, 0.8, 0.7, last, 99.0]
        assert kill_risk.chance(Sure(), ROUND, [curve], promoted) == pytest.approx(share)
    both = [[0.9, 0.8, 0.7, last] for last in (0.15, 0.25)]
    assert kill_risk.chance(Sure(), ROUND, both, promoted) == pytest.approx(3 / 6)
    # empty places go to anybody
    assert kill_risk.chance(Sure(), ROUND, [[0.9, 0.8, 0.7, 99.0]], [0.1]) == pytest.approx(2 / 6)
    assert kill_risk.chance(Sure(), ROUND, [], [0.1]) == 0
    assert kill_risk.of_search([0.3, 0.1], 4) == pytest.approx(0.1)
    assert kill_risk.of_search([math.inf], 4) == 1
