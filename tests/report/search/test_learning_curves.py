"""The picture of the learning curves shows every curve and the best value."""

import numpy as np
from matplotlib.text import Text

from swift_hyperband.report import style
from swift_hyperband.report.search import learning_curves
from swift_hyperband.results import standing


def drawn(history):
    with style.style():
        picture = learning_curves.draw(history)
        picture.draw_without_rendering()
    return picture


def text(picture):
    """Return all that is written in a picture."""
    return "\n".join(found.get_text() for found in picture.findobj(Text))


def test_learning_curves_tell_the_best_value_and_show_every_curve(swift):
    picture = drawn(swift)
    best = standing.best(swift)
    assert f"best: {best.value:.4g} at epoch {best.epoch}" in text(picture)
    shown = [tuple(line.get_ydata()) for line in picture.axes[0].lines]
    for trial in swift.trials.values():
        finite = tuple(value for value in trial.values("loss") if np.isfinite(value))
        assert not finite or finite in shown
