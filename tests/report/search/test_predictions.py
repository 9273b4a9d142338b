"""The picture of the predictions carries their scores."""

import re

import pytest

from swift_hyperband.report import numbers, style
from swift_hyperband.report.search import predictions


def drawn(history):
    with style.style():
        picture = predictions.draw(history)
        picture.draw_without_rendering()
    return picture


def test_predictions_carry_their_scores(swift):
    pairs = numbers.predictions(swift)
    picture = drawn(swift)
    reached = [pair.reached for pair in pairs]
    for ax, guesses in zip(
        picture.axes, ([pair.predicted for pair in pairs], [pair.seen for pair in pairs]), strict=True
    ):
        found = re.search(r"R² (\S+), Spearman (\S+), n = (\d+)", ax.get_title().replace("−", "-"))
        r2, spearman, count = map(float, found.groups())
        assert count == len(pairs)
        assert r2 == pytest.approx(numbers.r2(guesses, reached), rel=0.1, abs=0.01)
        assert spearman == pytest.approx(numbers.spearman(guesses, reached), abs=0.006)
