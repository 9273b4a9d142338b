"""The picture of the epochs shows those spent and those saved."""

from matplotlib.text import Text

from swift_hyperband.report import numbers, style
from swift_hyperband.report.search import epochs


def drawn(history):
    with style.style():
        picture = epochs.draw(history)
        picture.draw_without_rendering()
    return picture


def text(picture):
    """Return all that is written in a picture."""
    return "\n".join(found.get_text() for found in picture.findobj(Text))


def test_epochs_show_the_numbers_of_the_summary(swift):
    shown = text(drawn(swift))
    total = sum(numbers.spending(swift).values(), numbers.Spending())
    for spent in (total, *numbers.spending(swift).values()):
        assert f"{spent.spent} of {spent.hyperband}" in shown
    assert f"{total.saved / total.hyperband:.0%} saved" in shown
