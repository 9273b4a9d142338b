"""Figure 3: what it shows of a comparison."""

import math

import matplotlib
import numpy as np
import pytest

from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.summaries import Summary
from swift_hyperband.report import style
from swift_hyperband.report.compare import figure3

SEARCHES = {"Random": "random", "Hyperband": "hyperband", "Quantum-Swift-Hyperband (published)": "swift-hyperband"}


def one(table, search, best, epochs, mode="min", hyperband=1.0):
    zero = Mean(0, 0, 0, 0)
    return Summary(
        table=table,
        search=search,
        algorithm=SEARCHES[search],
        metric="loss" if mode == "min" else "accuracy",
        mode=mode,
        runs=100,
        failed=0,
        best=best,
        regret=zero,
        epochs=epochs,
        fits=zero,
        cpu_s=zero,
        makespan=zero,
        utilisation=zero,
        hyperband_best=Mean(hyperband, 0.1, 0.8, 1.2),
        hyperband_epochs=Mean(3213, 0, 3213, 3213),
        saved=zero,
        difference=zero,
        same=1.0,
    )


def found(tables=("MLPF", "CIFAR-10", "PTB", "SVHN stand-in"), worst=1.4):
    return [
        one(
            table,
            search,
            Mean(1.1, 0.05, 0.9, worst if search == "Random" else 1.3),
            Mean(2900 + 100 * place, 40, 2500, 3213),
            "max" if table == "CIFAR-10" else "min",
        )
        for table in tables
        for place, search in enumerate(SEARCHES)
    ]


@pytest.fixture
def draw(tmp_path):
    """Draws, and writes the picture: warnings of the layout are errors."""

    def drawn(summaries):
        with style.style():
            picture = figure3.draw(summaries)
            style.save(picture, tmp_path / "figure3.png")
        return picture

    return drawn


def panels(picture, name):
    return [ax for ax in picture.axes if ax.get_xlabel().startswith(name)]


def test_each_data_set_has_a_panel_for_the_metric_and_one_for_the_epochs(draw):
    picture = draw(found())
    assert [ax.get_title() for ax in picture.axes if ax.get_title()] == ["MLPF", "CIFAR-10", "PTB", "SVHN stand-in"]
    assert len(panels(picture, "epochs")) == 4


def test_it_says_on_each_axis_where_better_is(draw):
    picture = draw(found())
    assert {ax.get_xlabel() for ax in picture.axes} == {"loss  ← better", "accuracy  better →", "epochs  ← better"}


def test_names_of_the_searches_stand_once_a_row_in_the_order_of_the_file(draw):
    names = [[label.get_text() for label in ax.get_yticklabels()] for ax in draw(found()).axes]
    assert names[0] == names[4] == list(SEARCHES)
    assert not any("".join(row) for row in names[1:4] + names[5:])


def test_mean_best_worst_and_interval_stand_where_they_are(draw):
    ax = draw(found()).axes[0]
    marks = {(line.get_marker(), round(float(x), 6)) for line in ax.lines for x in line.get_xdata()}
    assert {("o", 1.1), ("|", 0.9), ("|", 1.3), ("|", 1.4)} <= marks
    bars = {tuple(np.round(line.get_xdata(), 6)) for line in ax.lines if line.get_linewidth() == 4.5}
    assert bars == {(1.05, 1.15)}


def test_hyperbands_mean_is_a_line_through_all_rows(draw):
    ax = draw(found()).axes[0]
    assert any(list(line.get_xdata()) == [1.0, 1.0] and line.get_linestyle() == "--" for line in ax.lines)


def test_a_huge_worst_run_does_not_squeeze_the_others_and_is_marked_as_beyond(draw):
    ax = draw(found(worst=900.0)).axes[0]
    assert ax.get_xlim()[1] < 10
    assert [line.get_marker() for line in ax.lines].count(">") == 1


def test_no_text_overlaps_another(draw):
    picture = draw(found())
    renderer = matplotlib.backends.backend_agg.FigureCanvasAgg(picture).get_renderer()
    texts = []
    for ax in picture.axes:
        low, high = ax.get_xlim()
        ticks = [label for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high]
        texts += [text for text in [*ax.get_yticklabels(), *ticks, ax.title, ax.xaxis.label] if text.get_text()]
    texts += [text for legend in picture.legends for text in legend.get_texts()]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    edge = picture.bbox
    for number, (name, box) in enumerate(boxes):
        assert box.x0 >= -1, name
        assert box.x1 <= edge.x1 + 1, name
        for other, its in boxes[:number]:
            assert not box.overlaps(its), (name, other)


def test_more_data_sets_than_fit_side_by_side_come_below(draw):
    picture = draw(found(tables=[f"table {number}" for number in range(6)]))
    assert len(panels(picture, "epochs")) == 6
    assert picture.get_figheight() > draw(found()).get_figheight()


def test_a_search_that_never_found_a_winner_is_left_out_of_the_metric_but_not_of_the_epochs(draw):
    summaries = [
        one("MLPF", "Hyperband", Mean(1, 0.1, 0.9, 1.2), Mean(3213, 0, 3213, 3213)),
        one("MLPF", "Random", None, Mean(3200, math.nan, 3200, 3200)),
    ]
    metric, epochs = draw(summaries).axes
    means = [sum(line.get_marker() == "o" for line in ax.lines) for ax in (metric, epochs)]
    assert means == [1, 2]


def test_a_data_set_without_any_winner_says_so(draw):
    summaries = [one("MLPF", "Hyperband", None, Mean(3213, 0, 3213, 3213))]
    assert any("no trial reached" in text.get_text() for text in draw(summaries).axes[0].texts)
