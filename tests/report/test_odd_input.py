"""Pictures of searches with names and values that plotting libraries trip over: all are drawn, without a warning."""

import warnings

import pytest

from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.summaries import Summary
from swift_hyperband.report import style
from swift_hyperband.report.compare import figure3
from swift_hyperband.report.numbers import r2, spearman
from swift_hyperband.report.search.report import write_report

NAME = "$x_{^$ %s é 损失 \\frac{1}{2}\n" + "long" * 60
LARGE = 1.7e308

VALUES = {
    "near the largest number": lambda row, epoch: LARGE * (1 / (row % 40 + 1) + 1 / (epoch + 1)) / 2,
    "of both signs": lambda row, epoch: LARGE * (-1) ** row / epoch,
    "denormal": lambda row, epoch: 5e-324 * (row % 3),
    "all equal": lambda row, epoch: 0.5,
    "all but equal": lambda row, epoch: 1.0 + (row % 2) * 2.3e-16,
    "negative": lambda row, epoch: -(row % 40 + 1) / epoch,
    "from tiny to large": lambda row, epoch: 10.0 ** (row * 37 % 600 - 300) / epoch,
    "exploded": lambda row, epoch: 1e200 if row % 7 == 0 and epoch > 2 else (row % 40 + 1) / epoch,
}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def table(searches, name, metric, value, epochs=9):
    import csv

    with (searches.path / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "epoch", metric])
        writer.writerows([row, epoch, repr(value(row, epoch))] for row in range(300) for epoch in range(1, epochs + 1))
    return str(searches.path / name)


def is_drawn(history):
    write_report(history, history.folder)
    pictures = {path.name for path in history.folder.report.glob("*.png")}
    assert pictures >= {"brackets.png", "learning_curves.png", "predictions.png", "epochs.png", "jobs.png"}


def test_a_metric_is_shown_by_its_name_whatever_is_in_it(searches):
    metric = " ".join(NAME.split())[:100]
    path = table(searches, "names.csv", metric, lambda row, epoch: (row % 40 + 1) / epoch)
    is_drawn(searches.run("odd-names", target__metric=metric, target__options__table=path))


@pytest.mark.parametrize(("kind", "mode"), list(zip(VALUES, ["min", "max"] * 4, strict=True)))
def test_values_of_any_size_are_drawn(searches, kind, mode):
    path = table(searches, f"{kind}.csv", "loss", VALUES[kind])
    study = f"{kind}-{mode}".replace(" ", "-")
    history = searches.run(study, target__mode=mode, target__options__table=path, search__max_epochs=9)
    is_drawn(history)


def test_one_trial_of_one_epoch_is_drawn(searches):
    path = table(searches, "one.csv", "loss", lambda row, epoch: 0.5)
    keys = {"search__algorithm": "random", "search__trials": 1, "search__max_epochs": 2, "search__eta": 2}
    is_drawn(searches.run("one", target__options__table=path, **keys))


@pytest.mark.parametrize("values", [(LARGE, LARGE / 2), (-LARGE, LARGE), (0.0, 5e-324), (0.5, 0.5), (1e-300, 1e300)])
def test_a_comparison_is_drawn_whatever_its_values_and_names(tmp_path, values):
    low, high = values
    mean = Mean(high / 2, high / 4, low, high)
    epochs = Mean(5.0, 1.0, 4.0, 6.0)
    means = [mean, None, epochs, None, None, None, None, mean, epochs]
    one = Summary("$t_{$", "$a^{b$ %s", "hyperband", NAME, "min", 3, 0, *means, None, None, 0.0)
    with style.style():
        style.save(figure3.draw([one]), tmp_path / "figure3.png")


def test_scores_of_huge_values_are_undefined_rather_than_wrong():
    import math

    assert math.isnan(r2([LARGE, 0.0, 1.0], [0.0, LARGE, -LARGE]))
    assert spearman([LARGE, 0.0, -LARGE], [1.0, 0.5, 0.1]) == pytest.approx(1.0)
