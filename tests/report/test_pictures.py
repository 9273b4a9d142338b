"""What the pictures say, of every kind of search; how they look was looked at."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.text import Text

from swift_hyperband.report import style
from swift_hyperband.report.numbers import spending
from swift_hyperband.report.search import brackets, epochs, learning_curves, predictions
from swift_hyperband.report.search.page import summary
from swift_hyperband.report.search.report import write_report
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.standing import best

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


def test_pictures_show_who_trained_on_after_all_brackets_and_won(thawed):
    chosen = thawed.thawed.chosen
    winner = best(thawed)
    assert winner.trial in chosen
    shown = text(drawn(brackets, thawed))
    assert "thawed after all brackets" in shown
    assert f"best: loss {style.number(winner.value)}" in shown
    spent = sum(9 - thawed.thawed.left[trial].epochs for trial in chosen)
    assert f"{spent} more" in text(drawn(epochs, thawed))
    assert sum(found.spent for found in spending(thawed).values()) == thawed.epochs
    told = f"the best went from {style.number(thawed.thawed.best)} to {style.number(winner.value)}"
    assert told in summary(thawed, [])


def test_a_search_that_stopped_nobody_says_so(all_failed):
    assert "nobody was stopped by prediction" in text(drawn(brackets, all_failed))
    assert "Nothing was predicted" in text(drawn(predictions, all_failed))
    assert "No trial reported a finite loss" in text(drawn(learning_curves, all_failed))


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
