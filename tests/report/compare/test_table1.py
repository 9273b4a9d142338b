"""Table 1: it says which epoch the predictors predict."""

import pytest

from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.summaries import DataSet
from swift_hyperband.report.compare import table1

SCORE = {"SVR": Mean(0.5, 0.1, 0.4, 0.6)}


def data_set(name, best_epoch):
    return DataSet(name, None, "loss", best_epoch, 2, 60, 60, 27, SCORE, SCORE)


@pytest.mark.parametrize(
    ("best", "told"),
    [
        ((False, False), "R² of the predicted metric at the last epoch, with"),
        ((True, True), "R² of the predicted metric at the best epoch of each curve, with"),
        ((False, True), "at the last epoch (two: at the best epoch of each curve), with"),
    ],
)
def test_it_says_which_epoch_counts(best, told):
    found = [data_set(name, at) for name, at in zip(("one", "two"), best, strict=True)]
    assert told in table1.as_markdown(found, trained=20, seen=0.25, splits=50)
