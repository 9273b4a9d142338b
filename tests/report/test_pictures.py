"""What the pictures say, of every kind of search; how they look was looked at."""

import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from swift_hyperband.base.metric import Metric
from swift_hyperband.report import numbers, style, write_report
from swift_hyperband.report.search import brackets, epochs, learning_curves, predictions
from swift_hyperband.results import standing
from swift_hyperband.results.layout import StudyFolder

LOSS, ACCURACY = Metric("loss", "min"), Metric("accuracy", "max")
PICTURES = ("brackets", "epochs", "jobs", "learning_curves", "predictions")


def drawn(module, history):
    with style.style():
        picture = module.draw(history)
        picture.draw_without_rendering()
    return picture


def text(picture):
    """Return all that is written in a picture."""
    return "\n".join(found.get_text() for found in picture.findobj(Text))


def test_every_search_has_a_report(history, tmp_path):
    folder = StudyFolder(tmp_path / "results" / "study")
    write_report(history, folder)
    assert sorted(path.name for path in folder.path.rglob("*.*")) == sorted(
        ["curves.parquet", "index.html", "summary.rst", *(f"{name}.png" for name in PICTURES)]
    )
    for name in PICTURES:
        content = (folder.report / f"{name}.png").read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", content[16:24])
        assert width == style.WIDTH * style.DPI
        assert 200 < height < 2500


@pytest.mark.parametrize("module", [brackets, epochs, learning_curves, predictions])
def test_nothing_lies_on_the_data_or_outside_the_picture(history, module):
    picture = drawn(module, history)
    axes = [ax.get_window_extent() for ax in picture.axes]
    for legend in picture.legends:
        assert not any(legend.get_window_extent().overlaps(box) for box in axes)
        assert all(0 <= x <= picture.bbox.width for x in legend.get_window_extent().intervalx)
    for one in range(len(axes)):
        assert not any(axes[one].overlaps(other) for other in axes[one + 1 :])
    assert min(found.get_fontsize() for found in picture.findobj(Text) if found.get_text()) >= 9


def test_pictures_of_an_unfinished_search_say_so(unfinished):
    for module in (brackets, epochs, learning_curves, predictions):
        assert "unfinished: 2 of 6 rounds are over" in text(drawn(module, unfinished))
    assert "best so far" in text(drawn(learning_curves, unfinished))
    assert "best of the search" not in text(drawn(brackets, unfinished))


def test_pictures_of_hyperband_say_that_nobody_is_stopped(hyperband):
    assert "Hyperband, which stops nobody by prediction" in text(drawn(brackets, hyperband))
    assert "Hyperband stops nobody by prediction" in text(drawn(epochs, hyperband))
    assert "Hyperband predicts nothing" in text(drawn(predictions, hyperband))
    assert "saved" not in text(drawn(epochs, hyperband))


def test_a_search_that_stopped_nobody_says_so(all_failed):
    assert "nobody was stopped by prediction" in text(drawn(brackets, all_failed))
    assert "Nothing was predicted" in text(drawn(predictions, all_failed))
    assert "No trial reported a finite loss" in text(drawn(learning_curves, all_failed))


def test_brackets_show_trials_of_each_round_costs_and_winners(swift):
    picture = drawn(brackets, swift)
    winners, spent = standing.winners(swift), numbers.spending(swift)
    for ax, (bracket, rounds) in zip(picture.axes, swift.schedule.brackets.items(), strict=True):
        left, right = ax.get_title("left"), ax.get_title("right")
        assert left.startswith(f"bracket {bracket}: {spent[bracket].spent} epochs")
        is_best = winners[bracket] == standing.best(swift)
        assert right == f"{'best' if is_best else 'winner'}: loss {winners[bracket].value:.4g}"
        counts = [len(swift.rounds[round_.key].competitors) for round_ in rounds]
        assert [int(found.get_text().split()[0]) for found in ax.texts] == counts


def test_each_trial_of_a_bracket_has_a_line_of_the_epochs_it_trained(swift):
    picture = drawn(brackets, swift)
    for ax, bracket in zip(picture.axes, swift.schedule.brackets, strict=True):
        solid, dashed = 0.0, 0.0
        for collection in ax.collections:
            lines = [line for line in collection.get_segments() if line[0][1] == line[1][1]]
            length = sum(line[1][0] - line[0][0] for line in lines)
            if collection.get_linestyle()[0][1] is None:
                solid += length
            else:
                dashed += length
        spent = numbers.spending(swift)[bracket]
        assert (solid, dashed) == (spent.spent, spent.saved)


def test_epochs_show_the_numbers_of_the_summary(swift):
    shown = text(drawn(epochs, swift))
    total = sum(numbers.spending(swift).values(), numbers.Spending())
    for spent in (total, *numbers.spending(swift).values()):
        assert f"{spent.spent} of {spent.hyperband}" in shown
    assert f"{total.saved / total.hyperband:.0%} saved" in shown


def test_learning_curves_tell_the_best_value_and_show_every_curve(swift):
    picture = drawn(learning_curves, swift)
    best = standing.best(swift)
    assert f"best: {best.value:.4g} at epoch {best.epoch}" in text(picture)
    shown = [tuple(line.get_ydata()) for line in picture.axes[0].lines]
    for trial in swift.trials.values():
        finite = tuple(value for value in trial.values("loss") if np.isfinite(value))
        assert not finite or finite in shown


def test_predictions_carry_their_scores(swift):
    pairs = numbers.predictions(swift)
    picture = drawn(predictions, swift)
    reached = [pair.reached for pair in pairs]
    for ax, guesses in zip(
        picture.axes, ([pair.predicted for pair in pairs], [pair.seen for pair in pairs]), strict=True
    ):
        found = re.search(r"R² (\S+), Spearman (\S+), n = (\d+)", ax.get_title().replace("−", "-"))
        r2, spearman, count = map(float, found.groups())
        assert count == len(pairs)
        assert r2 == pytest.approx(numbers.r2(guesses, reached), rel=0.1, abs=0.01)
        assert spearman == pytest.approx(numbers.spearman(guesses, reached), abs=0.006)


def test_the_range_shows_every_good_value_and_cuts_off_outliers():
    losses = [*np.linspace(1, 2, 100), 1e9, 1e30]
    shown = style.value_range(losses, LOSS)
    assert shown.low < 1
    assert 2 < shown.high < 3
    assert not shown.log
    accuracies = [*np.linspace(0.8, 0.9, 100), 0.99, -1e9]
    shown = style.value_range(accuracies, ACCURACY)
    assert 0.7 < shown.low < 0.8
    assert 0.99 < shown.high < 1.1


def test_losses_over_many_orders_of_magnitude_get_a_logarithmic_axis():
    assert style.value_range([1, 10, 100, 1000], LOSS).log
    assert not style.value_range([1, 10, 100, 1000], ACCURACY).log
    assert not style.value_range([-1, 10, 100, 1000], LOSS).log


def test_one_value_alone_has_a_range_around_it():
    for value in (0.0, 0.5, -3.0):
        shown = style.value_range([value], LOSS)
        assert shown.low < value < shown.high


def test_importing_the_report_is_cheap():
    heavy = "{'matplotlib', 'pyarrow', 'numpy', 'pydantic'}"
    code = f"import sys, swift_hyperband.report; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_workflow_puts_every_picture_with_a_caption_into_its_report():
    root = Path(__file__).parents[2]
    rules = (root / "rules/report.smk").read_text()
    for name in PICTURES:
        assert f"report/{name}.png" in rules
        assert f"../workflow/report/{name}.rst" in rules
        assert (root / f"workflow/report/{name}.rst").read_text().strip()
