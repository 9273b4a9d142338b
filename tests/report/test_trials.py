"""The table of trials: the best first, and all that is known of each."""

import math

import pytest

from swift_hyperband.report.trials import LOST, flat, rows
from swift_hyperband.results.standing import best, fates


def test_every_trial_of_every_search_has_a_row_in_order(history):
    found = rows(history)
    assert {row.trial for row in found} == set(history.trials)
    assert [row.rank for row in found] == list(range(1, len(found) + 1))
    status = fates(history)
    metric = history.study.metric
    for row in found:
        trial = history.trials[row.trial]
        assert row.status == status[row.trial]
        assert (row.bracket, row.epochs) == (trial.bracket, len(trial.curve))
        assert row.configuration == trial.configuration
        last = trial.values(metric.name)[-1:]
        assert row.value == (last[0] if last and math.isfinite(last[0]) else None)


def test_the_best_leads_then_those_that_trained_further_then_the_better_ones(history):
    found = rows(history)
    winner = best(history)
    if winner is not None:
        assert found[0].trial == winner.trial
        assert found[0].value == winner.value
        found = found[1:]
    whole = [row for row in found if row.status not in LOST]
    assert found[: len(whole)] == whole, "lost trials come last"
    losses = [(-row.epochs, math.inf if row.value is None else row.value) for row in whole]
    assert losses == sorted(losses)


def test_programs_get_a_key_for_each_hyperparameter(swift):
    found = rows(swift)
    lines = flat(found, ["row", "missing"])
    assert list(lines[0]) == [
        *("rank", "trial", "status", "bracket", "epochs", "value", "seconds", "config_row", "config_missing")
    ]
    assert lines[0]["config_row"] == found[0].configuration["row"]
    assert lines[0]["config_missing"] is None


def test_seconds_are_those_of_all_epochs(swift):
    row = rows(swift)[0]
    told = [line["seconds"] for line in swift.trials[row.trial].curve if "seconds" in line]
    assert row.seconds == (pytest.approx(math.fsum(told)) if told else None)
