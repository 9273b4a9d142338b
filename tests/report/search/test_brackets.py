"""The picture of the brackets shows the trials of each round, their epochs and the winners."""

from swift_hyperband.report import numbers, style
from swift_hyperband.report.search import brackets
from swift_hyperband.results import standing


def drawn(history):
    with style.style():
        picture = brackets.draw(history)
        picture.draw_without_rendering()
    return picture


def test_brackets_show_trials_of_each_round_costs_and_winners(swift):
    picture = drawn(swift)
    winners, spent = standing.winners(swift), numbers.spending(swift)
    for ax, (bracket, rounds) in zip(picture.axes, swift.schedule.brackets.items(), strict=True):
        left, right = ax.get_title("left"), ax.get_title("right")
        assert left.startswith(f"bracket {bracket}: {spent[bracket].spent} epochs")
        is_best = winners[bracket] == standing.best(swift)
        assert right == f"{'best' if is_best else 'winner'}: loss {winners[bracket].value:.4g}"
        counts = [len(swift.rounds[round_.key].competitors) for round_ in rounds]
        assert [int(found.get_text().split()[0]) for found in ax.texts] == counts


def test_each_trial_of_a_bracket_has_a_line_of_the_epochs_it_trained(swift):
    picture = drawn(swift)
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
