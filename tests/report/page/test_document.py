"""The page as a file: whole, alone, small, and harmless whatever is in a study."""

import base64
import gzip
import json
import re

import pytest

from swift_hyperband.report.page import document
from swift_hyperband.report.search import page
from swift_hyperband.results.history import History


def data(text):
    """Return what the page's code gets."""
    packed = re.search('<script type="text/plain" id="data">(.*?)</script>', text)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


@pytest.fixture(scope="module")
def written(swift, tmp_path_factory):
    folder = tmp_path_factory.mktemp("document")
    page.write(swift, [], folder)
    return (folder / "index.html").read_text()


def test_the_table_has_every_trial_and_shows_the_best_ten_without_javascript(swift, written):
    table = data(written)["table"]
    assert table["columns"] == ["", "trial", "status", "epochs", "loss", "bracket", "seconds", "row"]
    assert {row[1] for row in table["rows"]} == set(swift.trials)
    body = re.search("<tbody>(.*?)</tbody>", written, re.DOTALL)[1]
    shown = re.findall("<tr>(.*?)</tr>", body, re.DOTALL)
    assert len(shown) == document.FIRST
    assert [f"<td>{row[1]}</td>" in line for row, line in zip(table["rows"], shown, strict=False)] == [True] * 10


def test_the_page_asks_for_nothing_elsewhere(written):
    own = re.sub('<script type="text/plain".*?</script>', "", written, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=\"(?!#|data:,)[^\"]*", own)
    assert "url(" not in own
    assert "@import" not in own
    assert "default-src 'none'" in own


def test_plotly_is_in_it_once_and_packed(written):
    assert written.count('id="plotly"') == 1
    assert len(written) < 2.5e6


def test_the_same_search_gives_the_same_page(swift, tmp_path, written):
    page.write(History(swift.folder), [], tmp_path)
    assert (tmp_path / "index.html").read_text() == written


def test_nothing_of_a_study_becomes_code(searches, tmp_path):
    metric = "</script><img src=x onerror=alert(1)>"
    searches.table("harm.csv", metrics=(metric,))
    space = {
        "row": {"type": "int", "low": 0, "high": 299},
        "kind": {"type": "categorical", "choices": ["<img src=x onerror=alert(2)>", "</td><script>alert(3)</script>"]},
    }
    options = {"table": str(searches.path / "harm.csv")}
    history = searches.run("harm", space=space, target__metric=metric, target__options=options)
    page.write(history, [], tmp_path)
    text = (tmp_path / "index.html").read_text()
    assert "<img" not in text
    assert "<script>alert" not in text
    assert "<th>&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;</th>" in text
    assert text.count("<script") == 3


def test_an_unfinished_search_has_a_page_that_says_so(unfinished, tmp_path):
    page.write(unfinished, [], tmp_path)
    assert "The search is not finished" in (tmp_path / "index.html").read_text()


def test_packed_text_comes_back_and_is_the_same_each_time():
    assert gzip.decompress(base64.b64decode(document.packed("añ"))).decode() == "añ"
    assert document.packed("x" * 1000) == document.packed("x" * 1000)
