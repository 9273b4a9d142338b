"""What the figures of the page hold, of every kind of search; how they look was looked at."""

import json
import math
import random
from itertools import pairwise

import pytest

from swift_hyperband.report import importance
from swift_hyperband.report.page import brackets, curves, epochs, jobs, look, parallel, predictions, slices
from swift_hyperband.report.page import importance as importances
from swift_hyperband.report.style import ValueRange
from swift_hyperband.report.trials import LOST
from swift_hyperband.results.jobs import Job, JobOutcome
from swift_hyperband.results.standing import best


@pytest.fixture(scope="session")
def conditional(searches):
    """A finished search with a conditional and categorical hyperparameters, named as to do harm."""
    space = {
        "row": {"type": "int", "low": 0, "high": 299},
        "optimizer": {"type": "categorical", "choices": ["<script>alert(1)</script>", "%{x} & co"]},
        "momentum": {"type": "float", "low": 1e-3, "high": 0.99, "log": True, "when": {"optimizer": ["%{x} & co"]}},
    }
    return searches.run("conditional", space=space, search__max_epochs=27)


@pytest.fixture(scope="session")
def asha(searches):
    """A finished search without rounds."""
    return searches.run("asha", search__algorithm="asha")


def sections(history):
    material = look.Material(history)
    names = list(material.space)
    return [
        brackets.section(material),
        epochs.section(material),
        curves.section(material),
        parallel.section(material, names),
        importances.section(importance.of_search(history)),
        slices.section(material, names),
        predictions.section(material),
        jobs.section(material, [], ()),
    ]


def traces(section):
    return [] if section.figure is None else json.loads(section.figure.to_json())["data"]


def test_every_search_has_all_figures_or_a_reason(history):
    for section in sections(history):
        assert section.figure is not None or section.notes, section.name
        # a browser's JSON knows no nan
        assert "NaN" not in (section.figure.to_json() if section.figure is not None else "")


def test_a_learning_curve_is_drawn_for_each_trial_that_trained(history):
    section = curves.section(look.Material(history))
    drawn = [trace["hovertemplate"] for trace in traces(section)]
    trained = [trial for trial in history.trials.values() if trial.curve]
    if section.figure is None:
        assert "No trial reported a finite loss." in section.notes
        return
    assert len(drawn) == len(trained)
    for trial in trained:
        assert any(
            f"trial {trial.trial}</b>" in text and f"row = {trial.configuration['row']}" in text for text in drawn
        )


def test_a_diverged_curve_ends_with_a_cross_at_its_last_value(conditional):
    found = [trace for trace in traces(curves.section(look.Material(conditional))) if trace["name"] == "diverged"]
    assert found
    for trace in found:
        assert trace["marker"]["symbol"][-1] == "x"
        assert trace["y"][-1] is not None or set(trace["y"]) == {None}


def test_curves_beyond_the_range_are_counted(searches):
    lines = ["row,epoch,loss"]
    lines += [
        f"{row},{epoch},{1e6 if row % 7 == 0 and epoch == 1 else 1 / (row % 9 + epoch)}"
        for row in range(300)
        for epoch in range(1, 10)
    ]
    (searches.path / "far.csv").write_text("\n".join(lines) + "\n")
    history = searches.run("far", target__options__table=str(searches.path / "far.csv"))
    far = sum(trial.configuration["row"] % 7 == 0 for trial in history.trials.values())
    notes = curves.section(look.Material(history)).notes
    assert notes == [f"{far} curves reach above this range; a double click shows all."]


def test_the_best_curve_stands_out(swift, unfinished):
    for history, name in ((swift, "best"), (unfinished, "best so far")):
        (found,) = [trace for trace in traces(curves.section(look.Material(history))) if trace["name"] == name]
        assert best(history).trial in found["hovertemplate"]
        assert found["y"][-1] == pytest.approx(best(history).value)


def test_brackets_have_the_epochs_that_were_trained_and_mark_who_won(swift):
    found = traces(brackets.section(look.Material(swift)))
    bars = {trace["name"]: trace for trace in found if trace["type"] == "bar"}
    trained = sum(
        math.expm1(base + length) - math.expm1(base)
        for name, trace in bars.items()
        if name != "stopped by prediction"
        for base, length in zip(trace["base"], trace["x"], strict=True)
    )
    assert trained == pytest.approx(swift.epochs)
    (star,) = [trace for trace in found if trace["name"] == "best of the search"]
    assert best(swift).trial in star["text"][0]


def test_a_search_without_rounds_has_its_rungs_in_the_place_of_brackets(asha):
    found = {section.name: section for section in sections(asha)}
    assert found["brackets"].title == "Rungs"
    bars = traces(found["brackets"])
    assert bars[0]["y"] == [f"epoch {rung.epoch}" for rung in asha.rungs.rungs]
    reached = {trace["name"]: trace["x"] for trace in bars}
    assert reached["reached it and trained on"] == [len(rung.promoted) for rung in asha.rungs.rungs]
    assert traces(found["epochs"])[0]["name"] == "ASHA"
    assert found["curves"].figure is not None


def test_a_search_that_stopped_by_prediction_shows_predicted_against_reached(swift):
    section = predictions.section(look.Material(swift))
    titles = [note.text for note in section.figure.layout.annotations]
    assert titles[0].startswith("linear regression: R² ")
    assert all("trial " in text for trace in traces(section) for text in trace.get("text", []))


def test_parallel_lines_have_inactive_hyperparameters_below_their_axis(conditional):
    section = parallel.section(look.Material(conditional), ["optimizer", "momentum"])
    (found,) = traces(section)
    _, momentum, trained, _ = found["dimensions"]
    rows = [row for row in look.Material(conditional).rows if row.value is not None and row.status not in LOST]
    below = sum(value < 0 for value in momentum["values"])
    assert 0 < below == sum("momentum" not in row.configuration for row in rows) < len(rows)
    assert "inactive" in momentum["ticktext"]
    # the best is first in the table, and drawn above the others
    assert max(found["line"]["color"]) == found["line"]["color"][0] == 1.0
    assert max(trained["values"]) == pytest.approx(math.log(27))


def test_slices_show_active_values_only_and_lost_trials_at_the_edge(conditional):
    material = look.Material(conditional)
    section = slices.section(material, ["momentum"])
    points, lost = traces(section)
    rows = {row.trial: row for row in material.rows}
    active = [row for row in rows.values() if "momentum" in row.configuration and row.value is not None]
    assert len(points["x"]) == len([row for row in active if row.status not in LOST])
    assert len(lost["x"]) == sum("momentum" in row.configuration for row in rows.values() if row.status in LOST) > 0
    assert set(lost["y"]) == {material.values.high}


def test_names_of_users_do_no_harm_in_a_figure(conditional):
    for section in sections(conditional):
        # plotly's own JSON hides what stands in it
        told = "" if section.figure is None else json.dumps(json.loads(section.figure.to_json()))
        # ticks of parallel coordinates are plain text; that they do no harm either is seen in the browser
        is_plain = section.name == "parallel"
        assert ("<script>" in told) == is_plain, section.name
        assert ("%{x} & co" in told) == is_plain, section.name
    assert look.text("<b>{{ loss }}&") == "&lt;b&gt;&#123;&#123; loss }}&amp;"


def test_names_of_axes_side_by_side_are_shortened_the_more_the_more_there_are(conditional):
    material = look.Material(conditional)
    for names, most in ((list(material.space), 20), (["optimizer"] * 12, 9)):
        (trace,) = traces(parallel.section(material, names))
        drawn = [text for one in trace["dimensions"] for text in (one["label"], *one["ticktext"])]
        assert max(map(len, drawn)) == most


def test_importance_is_shown_with_its_error_and_its_warnings(swift):
    found = importance.of_search(swift)
    section = importances.section(found)
    (bar,) = traces(section)
    assert bar["error_x"]["array"] == [weight.error for weight in found.weights][::-1]
    assert section.notes == list(found.warnings)
    assert f"{found.trials} trials at epoch {found.epoch}" in section.text


def job(number, began, ended, outcome=JobOutcome.THROUGH, submitted=None):
    times = {"submitted": submitted, "started": began, "ended": ended}
    place = {"bracket": number % 3, "round": 0, "part": "full", "batch": str(number), "host": "<node>"}
    return Job(**place, slurm=str(number), gpus=0, cpus=1, **times, outcome=outcome)


def test_jobs_show_their_wait_and_their_end(swift):
    ran = [job(1, 100.0, 200.0, submitted=40.0), job(2, 150.0, 300.0, JobOutcome.FAILED)]
    found = {trace["name"]: trace for trace in traces(jobs.section(look.Material(swift), ran, ()))}
    assert found["waits in the queue"]["x"] == [pytest.approx(1.0)]
    assert found["bracket 1"]["base"] == [pytest.approx(1.0)]
    assert "&lt;node&gt;" in found["failed, stopped or lost"]["text"][0]


def test_of_very_many_jobs_the_longest_are_drawn(swift):
    draw = random.Random(0)
    ran = [job(number, float(number), number + draw.uniform(1, 9)) for number in range(3000)]
    section = jobs.section(look.Material(swift), ran, ())
    assert sum(len(trace["x"]) for trace in traces(section)) == jobs.MOST
    assert section.notes == ["The longest 2,000 of 3,000 trainings are drawn."]


def test_a_sample_has_the_first_ones_and_is_even():
    assert look.thin(range(10), 20) == list(range(10))
    found = look.thin(range(1000), 20, 10)
    assert found[:10] == list(range(10))
    assert len(found) == len(set(found)) == 20
    assert max(b - a for a, b in pairwise(found)) == 99
    assert look.thinned(20, 1000)[0].startswith("20 of 1,000 trials are drawn: an even sample.")
    assert look.thinned(20, 20) == []


def test_a_long_curve_keeps_its_end_and_those_of_rounds():
    values = [1 / epoch for epoch in range(1, 10_001)]
    kept, of_kept = curves._points(values, {3, 77, 10_000})
    assert len(kept) < 150
    assert {1, 3, 77, 10_000} <= set(kept)
    assert of_kept == [values[epoch - 1] for epoch in kept]


@pytest.mark.parametrize(
    ("low", "high", "log"), [(0, 0.8, False), (1e-6, 1e-1, True), (8, 256, True), (3, 3, False), (-5, 5, False)]
)
def test_axes_have_a_few_ticks_within_the_range(low, high, log):
    found = parallel._ticks(low, high, log)
    assert found[0] == low
    assert found[-1] == high
    assert len(found) <= 9
    assert found == sorted(set(found))


def test_the_axis_of_the_metric_shows_the_range(swift):
    assert look.value_axis(None, "loss") == {"title": {"text": "loss"}}
    assert look.value_axis(ValueRange(1.0, 100.0, log=True), "loss")["range"] == [0.0, 2.0]
    assert look.value_axis(ValueRange(1.0, 100.0, log=False), "loss")["range"] == [1.0, 100.0]
