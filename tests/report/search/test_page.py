"""The page of a search: one sentence, the winner, the numbers, each figure below its caption."""

import re

import pytest

from swift_hyperband.report.numbers import Spending
from swift_hyperband.report.search import page
from swift_hyperband.report.search.report import write_report
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.standing import best


@pytest.fixture(scope="module")
def written(swift, tmp_path_factory):
    folder = StudyFolder(tmp_path_factory.mktemp("page"))
    write_report(swift, folder)
    return folder.report


def test_the_page_opens_with_what_was_found_and_what_it_took(swift, written):
    text = (written / "index.html").read_text()
    found = best(swift)
    first = re.search("<b>(.*?)</b>", text)[1]
    assert first.startswith(f"Swift-Hyperband found loss {found.value:.4g}, training {swift.epochs} epochs: ")
    for name, value in swift.trials[found.trial].configuration.items():
        assert re.search(rf"<th>{name}</th><td>{value}", text)
    assert re.search(r"<th>kill risk, predicted</th><td>\d+\.\d %: the chance that a stopped trial was", text)
    assert f"<th>trials</th><td>{len(swift.trials)}</td>" in text


def test_each_figure_stands_below_its_caption(written):
    sections = re.findall('<section id="(.*?)">(.*?)</section>', (written / "index.html").read_text(), re.DOTALL)
    assert [name for name, _ in sections] == [
        *("trials", "brackets", "epochs", "curves", "parallel", "importance", "slices", "predictions", "jobs"),
        "provenance",
    ]
    captions = {name: re.search('<p class="caption">(.*?)</p>', text) for name, text in sections}
    assert captions["brackets"][1].startswith("How far each trial trained.")
    drawn = [name for name, text in sections if f'<div class="plot" id="plot-{name}"' in text]
    # the search ran in one process, without jobs
    assert drawn == ["brackets", "epochs", "curves", "parallel", "importance", "slices", "predictions"]
    assert all(captions[name] for name in drawn)
    assert "No training job was recorded" in dict(sections)["jobs"]


def test_snakemakes_first_page_says_the_same(written):
    """docutils and Jinja render it; names with braces and tags must come through as they are."""
    from docutils.core import publish_parts
    from jinja2 import Environment, StrictUndefined

    text = (written / "summary.rst").read_text()
    shown = publish_parts(Environment(undefined=StrictUndefined).from_string(text).render(), writer="html")
    first = re.search("<b>.*?</b>", (written / "index.html").read_text())[0]
    assert first in shown["html_body"]
    assert "closely is " in shown["html_body"]
    assert "/report/index.html" in shown["html_body"]


@pytest.mark.parametrize(
    ("spent", "lost", "told"),
    [
        (50, 0, "training {epochs} epochs: 50% fewer than the 100 of Hyperband."),
        (100, 0, "training {epochs} epochs, as many as Hyperband."),
        (103, 0, "training {epochs} epochs: 3% more than the 100 of Hyperband."),
        # failures save nothing
        (60, 20, "25% fewer than the 80 of Hyperband with the same failed trials. These left 20 epochs untrained."),
        (80, 20, ", as many as Hyperband with the same failed trials. These left 20 epochs untrained."),
        (88, 20, "10% more than the 80 of Hyperband with the same failed trials. These left 20 epochs untrained."),
    ],
)
def test_the_sentence_is_true_also_where_nothing_was_saved(swift, spent, lost, told):
    told = told.format(epochs=swift.epochs)
    assert page.sentence(swift, Spending(full=spent, lost=lost, hyperband=100), best(swift)).endswith(told)


def test_an_unfinished_search_says_so(unfinished):
    text = page.summary(unfinished, [])
    assert " so far, training " in text
    assert re.search(r"The search is not finished: \d+ of \d+ rounds are over\.", text)


def test_names_of_users_are_shown_as_they_are(searches, tmp_path):
    metric = "<b>{{ loss }}&"
    searches.table("odd.csv", metrics=(metric,))
    history = searches.run(
        "odd",
        search__algorithm="hyperband",
        target__metric=metric,
        target__options__table=str(searches.path / "odd.csv"),
    )
    page.write(history, [], tmp_path)
    assert f"found &lt;b&gt;{{{{ loss }}}}&amp; {best(history).value:.4g}" in (tmp_path / "index.html").read_text()
    assert "{" not in (tmp_path / "summary.rst").read_text()
