"""The page in a real browser, without network: it opens, draws, sorts, filters, and answers to the mouse."""

import pytest

from swift_hyperband.report.page import document
from swift_hyperband.report.search import page
from swift_hyperband.report.trials import rows
from swift_hyperband.results.jobs import Job, JobOutcome
from swift_hyperband.results.standing import best

PLOTS = ["brackets", "epochs", "curves", "parallel", "importance", "slices", "predictions", "jobs"]


@pytest.fixture(scope="module")
def file(swift, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    times = {"submitted": 5.0, "started": 10.0, "ended": 60.0, "outcome": JobOutcome.THROUGH}
    job = Job(3, 0, "full", "1", host="node", slurm="7", gpus=0, cpus=1, **times)
    page.write(swift, [job], folder)
    return folder / "index.html"


@pytest.fixture(scope="module")
def opened(browser, file):
    """Open the page, without a network; return it with what it complained of and asked for."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, offline=True)
    shown, said, asked = context.new_page(), [], []
    shown.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(file.as_uri())
    shown.wait_for_function("document.body.dataset.state !== undefined", timeout=100_000)
    yield shown, said, asked
    context.close()


@pytest.fixture
def shown(opened):
    """The page as it is after opening."""
    found = opened[0]
    found.fill("#filter", "")
    return found


def cells(shown, column):
    return shown.eval_on_selector_all(f"#table tbody td:nth-child({column})", "cells => cells.map(c => c.textContent)")


def test_it_opens_and_draws_all_figures_without_an_error_or_a_request(opened, file):
    shown, said, asked = opened
    assert said == []
    assert shown.evaluate("document.body.dataset.state") == "drawn"
    assert asked == [file.as_uri()]
    for name in PLOTS:
        assert shown.locator(f"#plot-{name} .main-svg").count() > 0, name
    assert shown.locator("#trouble").is_hidden()


def test_it_begins_with_the_winner_and_the_best_ten(shown, swift):
    assert shown.locator("b").first.text_content().startswith(f"Swift-Hyperband found loss {best(swift).value:.4g}")
    assert cells(shown, 2) == [row.trial for row in rows(swift)[:10]]


def test_a_click_sorts_and_another_one_turns_the_order(shown, swift):
    head = shown.locator("#table th", has_text="loss")
    values = sorted(row.value for row in rows(swift) if row.value is not None)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert [float(cell) for cell in cells(shown, 5)] == pytest.approx(values[:10], rel=1e-3)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert [float(cell) for cell in cells(shown, 5)] == pytest.approx(values[:-11:-1], rel=1e-3)
    shown.locator("#table th button").first.click()
    assert cells(shown, 1) == [str(rank) for rank in range(1, 11)]


def test_words_filter_and_all_can_be_shown(shown, swift):
    shown.click("#all")
    assert len(cells(shown, 1)) == len(swift.trials)
    wanted = [row for row in rows(swift) if row.status.value == "stopped by prediction" and row.bracket == 1]
    shown.fill("#filter", "PREDICTION stopped")
    assert set(cells(shown, 3)) == {"stopped by prediction"}
    assert len(wanted) <= len(cells(shown, 1)) < len(swift.trials)
    shown.fill("#filter", rows(swift)[3].trial)
    assert cells(shown, 1) == ["4"]
    assert shown.locator("#count").text_content() == f"1 of 1 trials (of {len(swift.trials)})"
    shown.fill("#filter", "no such words")
    assert cells(shown, 1) == []
    shown.fill("#filter", "")
    shown.click("#all")
    assert len(cells(shown, 1)) == 10


def test_a_number_is_found_as_the_table_shows_it(shown):
    values = cells(shown, 5)
    assert len(values) == 10
    for value in values:
        shown.fill("#filter", value)
        assert value in cells(shown, 5)


def test_of_very_many_trials_the_table_shows_so_many_as_a_browser_can(browser, hyperband, tmp_path, monkeypatch):
    monkeypatch.setattr(document, "MOST_ROWS", 12)
    page.write(hyperband, [], tmp_path)
    context = browser.new_context(offline=True)
    shown = context.new_page()
    shown.goto((tmp_path / "index.html").as_uri())
    shown.wait_for_selector("th button")
    assert shown.locator("#all").text_content() == "show 12"
    shown.click("#all")
    assert len(cells(shown, 1)) == 12
    assert shown.locator("#count").text_content() == f"12 of {len(hyperband.trials)} trials"
    assert shown.locator("#all").text_content() == "show 10"
    context.close()


def test_the_mouse_on_a_curve_shows_its_trial_epoch_value_and_configuration(shown, swift):
    winner = best(swift)
    plot = shown.locator("#plot-curves")
    plot.scroll_into_view_if_needed()
    # where the best curve ends, in pixels of the window
    x, y = shown.evaluate(
        """() => {
          const plot = document.getElementById("plot-curves"), {xaxis, yaxis} = plot._fullLayout;
          const curve = plot.data.find((trace) => trace.name === "best"), box = plot.getBoundingClientRect();
          const [value] = plot.calcdata[plot.data.indexOf(curve)].slice(-1);
          return [box.x + xaxis._offset + xaxis.c2p(value.x), box.y + yaxis._offset + yaxis.c2p(value.y)];
        }"""
    )
    shown.mouse.move(x - 3, y)
    shown.mouse.move(x, y)
    told = shown.locator("#plot-curves .hoverlayer .hovertext")
    told.first.wait_for()
    text = " ".join(told.first.text_content().split())
    assert f"epoch {winner.epoch}: loss" in text
    assert f"trial {winner.trial}" in text
    assert f"row = {winner.configuration['row']}" in text


def test_it_is_legible_in_the_dark_and_on_a_narrow_screen(browser, file):
    context = browser.new_context(viewport={"width": 400, "height": 800}, color_scheme="dark", offline=True)
    shown = context.new_page()
    shown.goto(file.as_uri())
    shown.wait_for_function("document.body.dataset.state !== undefined", timeout=100_000)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 400
    paper, ink = shown.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert brightness(paper) < 0.2 < 0.8 < brightness(ink)
    follows = """ink => {
      const title = document.querySelector("#plot-curves .xtitle");
      return title !== null && getComputedStyle(title).fill === ink;
    }"""
    shown.wait_for_function(follows, arg=ink)
    shown.emulate_media(color_scheme="light")
    shown.wait_for_function(follows, arg="rgb(34, 34, 34)")
    context.close()


def brightness(colour):
    red, green, blue = (int(part.strip("rgba() ")) for part in colour.split(",")[:3])
    return (red + green + blue) / 765


def test_nothing_of_a_study_runs_in_it(browser, searches, tmp_path):
    metric = "</script><img src=x onerror=window.harmed=1>"
    searches.table("harm.csv", metrics=(metric,))
    choices = ["<img src=x onerror=window.harmed=2>", "<a href='javascript:window.harmed=3'>here</a>"]
    space = {
        "row": {"type": "int", "low": 0, "high": 299},
        "kind": {"type": "categorical", "choices": choices},
        "nesterov": {"type": "categorical", "choices": [True, False]},
    }
    options = {"table": str(searches.path / "harm.csv")}
    history = searches.run("harm-2", space=space, target__metric=metric, target__options=options)
    page.write(history, [], tmp_path)
    context = browser.new_context(offline=True)
    shown, said = context.new_page(), []
    shown.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    shown.goto((tmp_path / "index.html").as_uri())
    shown.wait_for_function("document.body.dataset.state !== undefined", timeout=100_000)
    assert shown.evaluate("document.body.dataset.state") == "drawn"
    assert shown.evaluate("window.harmed") is None
    assert shown.locator("img").count() == 0
    assert shown.locator("svg a").count() == 0
    assert said == []
    assert metric in shown.locator("#table thead").text_content()
    # choices are as in the study file
    column = shown.locator("#table th").all_text_contents().index("nesterov") + 1
    assert set(cells(shown, column)) == {"true", "false"}
    for name in ("slices", "parallel"):
        told = shown.evaluate(f"JSON.stringify(document.getElementById('plot-{name}').data)")
        assert '"true"' in told, name
        assert "True" not in told, name
    context.close()
