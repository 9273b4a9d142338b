"""The picture of a simulated cluster: what it shows of the workers."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.simulation import Stretch
from swift_hyperband.replay.simulator import simulate
from swift_hyperband.report import gantt, style
from swift_hyperband.search import Training


class Side:
    """Trials that train side by side, each to an epoch of its own."""

    best = None

    def __init__(self, ends):
        self.left = [Training(f"{number:03d}", end) for number, end in enumerate(ends)]
        self.running = 0

    def ask(self, at_most=None):
        found, self.left = self.left[:at_most], self.left[at_most:]
        self.running += len(found)
        return found

    def tell(self, trial, curve):
        self.running -= 1

    @property
    def finished(self):
        return not (self.left or self.running)


ENDS = [1, 9, 3, 27, 3, 9, 1, 27, 81]
NOISY = {"seconds_per_epoch": 60, "start_seconds": 60, "queue_seconds": 30, "failures_per_hour": 3}


def rung(trial, epochs):
    return f"to epoch {epochs}"


@pytest.fixture
def draw(tmp_path):
    """Draws, and writes the picture: warnings of the layout are errors."""

    def drawn(ends=ENDS, group_of=rung, **settings):
        simulation = simulate(Side(ends), lambda trial: [0.5] * 81, ClusterSettings(**settings))
        with style.style():
            picture = gantt.draw(simulation, "A search", group_of)
            style.save(picture, tmp_path / "gantt.png")
        return simulation, picture

    return drawn


def names(picture):
    return [text.get_text() for legend in picture.legends for text in legend.get_texts()]


def test_the_title_tells_workers_makespan_utilisation_and_idle_share(draw):
    _, picture = draw([9, 9, 3], workers=2, seconds_per_epoch=60)
    assert picture.get_suptitle() == "A search\n2 workers, makespan 12 minutes, utilisation 88%, idle 12%"


def test_every_training_is_a_bar_in_its_worker_s_row_in_its_group_s_colour(draw):
    simulation, picture = draw(workers=3)
    drawn = {}
    for bars in picture.axes[0].collections:
        for path in bars.get_paths():
            (left, bottom), (right, top) = path.vertices.min(0), path.vertices.max(0)
            drawn[round((bottom + top) / 2), left, right] = to_hex(bars.get_facecolor()[0]).upper()
    hue = dict(zip([1, 3, 9, 27, 81], style.HUES, strict=False))
    assert drawn == {(job.worker + 1, job.submitted, job.ended): hue[job.asked] for job in simulation.jobs}


@pytest.mark.parametrize("workers", [1, 4, 64, 65, 200])
def test_the_legend_names_groups_by_their_numbers_and_then_what_trains_nothing(draw, workers):
    _, picture = draw(ENDS * 20, workers=workers, **NOISY)
    groups = [f"to epoch {end}" for end in (1, 3, 9, 27, 81)]
    assert names(picture) == [*groups, "starts", "lost: the worker failed", "waits in the queue"]


def test_the_legend_names_nothing_that_did_not_happen(draw):
    assert names(draw([9, 3], workers=2)[1]) == ["to epoch 3", "to epoch 9"]
    assert names(draw([9, 3], group_of=None, workers=2)[1]) == []
    assert names(draw([9, 3], group_of=None, workers=2, start_seconds=1)[1]) == ["trains", "starts"]


def test_every_failure_is_marked_also_where_what_was_lost_is_too_short_to_be_seen(draw):
    simulation, picture = draw(workers=3, **NOISY)
    (marks,) = picture.axes[0].lines
    assert len(marks.get_xdata()) == sum(len(job.failures) for job in simulation.jobs) > 0


def test_many_workers_are_shown_as_shares_that_add_up_to_what_was_busy(draw):
    simulation, picture = draw(ENDS * 20, workers=100, **NOISY)
    top = picture.axes[0].patches[-1].get_data()
    widths = np.diff(top.edges) / (top.edges[-1] - top.edges[0])
    assert (top.values * widths).sum() == pytest.approx(1 - simulation.idle)
    assert top.values.max() <= 1 + 1e-9
    training = picture.axes[0].patches[4].get_data()
    assert (training.values * widths).sum() == pytest.approx(simulation.utilisation)


def test_shares_are_means_over_the_time_between_edges():
    stretches = [Stretch("training", 0, 1.5), Stretch("training", 1, 3)]
    assert gantt._busy(stretches, np.array([0.0, 1.0, 2.0, 4.0])) == pytest.approx([1, 1.5, 0.5])


def test_more_groups_than_hues_still_differ_from_each_other_and_from_what_is_lost(draw):
    _, picture = draw(range(1, 13), workers=4)
    (legend,) = picture.legends
    colours = {to_hex(patch.get_facecolor()) for patch in legend.get_patches()}
    assert len(colours) == 12
    assert style.RED.lower() not in colours


def test_a_search_that_took_no_time_has_a_picture_that_says_so(draw):
    _, picture = draw([], workers=2)
    assert [text.get_text() for text in picture.axes[0].texts] == ["no time was spent"]
