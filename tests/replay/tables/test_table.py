from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.replay.tables.table import CurveTable, cut

NAN, INF = math.nan, math.inf


def table(curves, recorded=None, mode="min", seconds=None, **hyperparameters):
    curves = np.array(curves, dtype=float)
    given = np.full(len(curves), curves.shape[1]) if recorded is None else np.array(recorded)
    curves, ends, notes = cut(curves, given)
    ids = [str(row) for row in range(1, len(curves) + 1)]
    return CurveTable("made-up", Metric("loss", mode), curves, ends, hyperparameters, seconds, ids, notes)


def test_losses_are_the_metric_where_it_is_minimised_and_its_negative_where_it_is_maximised():
    assert table([[3, 2, 1]]).losses(2) == [[3.0, 2.0]]
    assert table([[0.5, 0.75, 0.9]], mode="max").losses(3) == [[-0.5, -0.75, -0.9]]
    assert type(table([[3, 2, 1]]).losses(1)[0][0]) is float


def test_where_the_best_epoch_counts_losses_are_the_smallest_so_far_and_the_recorded_curves_stay():
    found = table([[3, 1, 2], [4, 5, 3.5], [0.5, NAN, NAN]])
    best = replace(found, metric=replace(found.metric, at="best"))
    assert best.losses(3) == [[3.0, 1.0, 1.0], [4.0, 4.0, 3.5], [0.5, INF]]
    assert (best.optimum(3), best.median(3)) == (1.0, 3.5)
    assert best.curves is found.curves


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_diverged_row_ends_with_an_infinite_loss_at_its_first_bad_value(mode, bad):
    found = table([[3, bad, bad], [3, 2, 1]], mode=mode)
    assert found.losses(3)[0] == [found.metric.loss(3.0), INF]
    assert found.losses(1)[0] == [found.metric.loss(3.0)]
    assert found.recorded.tolist() == [2, 3]
    assert found.notes == ("1 of 2 rows diverge: their first value that is not finite ends them",)


def test_a_row_that_diverges_at_its_first_epoch_still_counts():
    found = table([[NAN, NAN], [1, 1]])
    assert found.losses(2)[0] == [INF]
    assert found.complete(2).rows == 2


def test_a_gap_counts_as_diverged_where_it_begins_and_is_told():
    found = table([[3, NAN, 1], [3, 2, 1]])
    assert found.losses(3) == [[3.0, INF], [3.0, 2.0, 1.0]]
    assert math.isnan(found.curves[0, 2])
    assert any("1 of 2 rows have a gap" in note for note in found.notes)


def test_a_row_that_ends_early_is_no_failure_and_is_left_out_with_a_note():
    found = table(
        [[3, 2, NAN], [3, NAN, NAN], [3, 2, 1]], [2, 2, 3], seconds=np.array([1.0, 2.0, 3.0]), lr=[0.1, 0.2, 0.3]
    )
    assert found.losses(3) == [[3.0, 2.0], [3.0, INF], [3.0, 2.0, 1.0]]
    complete = found.complete(3)
    assert complete.ids == ["2", "3"]
    assert complete.hyperparameters == {"lr": [0.2, 0.3]}
    assert complete.seconds.tolist() == [2.0, 3.0]
    assert complete.notes[-1].startswith(
        "1 of 3 curves end before epoch 3, as those of trials do that a search stopped"
    )
    assert found.complete(2).rows == 3


def test_nothing_is_noted_where_all_rows_are_complete():
    assert table([[3, 2], [2, 1]]).complete(2).notes == ()


def test_a_replay_beyond_the_table_is_refused_in_one_line_that_tells_what_to_do():
    for call in ("losses", "complete", "optimum", "median"):
        for epochs in (0, 4):
            with pytest.raises(UserError) as raised:
                getattr(table([[3, 2, 1]]), call)(epochs)
            message = f"between 1 and 3, where the table ends, found {epochs}; ask for at most 3 epochs (--max-epochs)"
            assert message in str(raised.value)


def test_a_table_of_which_no_row_reaches_the_end_is_refused():
    with pytest.raises(UserError, match="recorded to epoch 3, found 2 that all end before; ask for at most 2 epochs"):
        table([[3, 2, NAN], [3, NAN, NAN]], [2, 1]).complete(3)


def test_the_first_row_of_each_configuration_is_kept():
    found = table([[3], [2], [1], [0]], lr=[0.1, 0.1, 0.1, 0.2], size=[None, None, 4, 4])
    assert found.repeats.tolist() == [False, True, False, False]
    distinct = found.distinct()
    assert distinct.curves.tolist() == [[3], [1], [0]]
    assert distinct.notes == ("1 of 4 rows repeat an earlier configuration and are left out",)
    assert distinct.distinct() is distinct


def test_without_hyperparameters_every_row_is_a_configuration():
    assert table([[3], [3]]).distinct().rows == 2


def test_optimum_and_median_are_never_nan_and_count_diverged_rows_as_worst():
    found = table([[3, 2], [3, NAN], [3, 1], [3, 4], [9, NAN]], [2, 2, 2, 2, 1])
    assert (found.optimum(2), found.median(2)) == (1.0, 3.0), "2, inf, 1 and 4; the last row ends early"
    assert (found.optimum(1), found.median(1)) == (3.0, 3.0)
    diverged = table([[1, NAN], [NAN, NAN]])
    assert (diverged.optimum(2), diverged.median(2)) == (INF, INF)
    assert table([[0.5], [0.25]], mode="max").optimum(1) == -0.5


def test_the_worst_row_can_be_left_out_but_never_the_only_one():
    found = table([[1, 2], [1, 9], [1, NAN]]).without_worst()
    assert found.ids == ["1", "3"]
    assert "row 2, with the largest last loss (9), is left out" in found.notes[-1]
    assert table([[1, 2]]).without_worst().rows == 1
    assert table([[NAN], [NAN]]).without_worst().rows == 2
