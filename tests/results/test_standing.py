import pytest

from swift_hyperband.results.decided import Decided
from swift_hyperband.results.history import RoundHistory
from swift_hyperband.results.standing import Fate, fate
from swift_hyperband.search.decisions import Decision, Verdict
from swift_hyperband.search.schedule import Round

DECIDING = Round(0, 0, trials=3, start=0, end=9, promoted=1, reference=1, decision_epoch=3, predictor=(0, 0))
VERDICTS = {"b": Verdict(0.5, 0.4, True), "c": Verdict(0.9, 0.8, False)}
DECIDED = Decided(Decision(0.6, 0.0, VERDICTS), None, ())


@pytest.mark.parametrize(
    ("decided", "promoted", "is_last", "expected"),
    [
        (None, None, False, ["running", "running", "running"]),
        (DECIDED, None, False, ["running", "running", "stopped by prediction"]),
        (DECIDED, ("b",), False, ["not promoted", "promoted", "stopped by prediction"]),
        (DECIDED, ("b",), True, ["finished", "finished", "stopped by prediction"]),
    ],
)
def test_the_fate_of_a_trial_follows_from_the_last_round_that_it_entered(decided, promoted, is_last, expected):
    found = RoundHistory(DECIDING, ("a", "b", "c"), decided, promoted)
    assert [fate(found, trial, "ok", is_last=is_last) for trial in "abc"] == expected


def test_a_trial_that_failed_or_diverged_has_that_fate_wherever_it_was():
    found = RoundHistory(DECIDING, ("a", "b", "c"), DECIDED, ("b",))
    assert fate(found, "b", "failed", is_last=False) is Fate.FAILED
    assert fate(found, "c", "diverged", is_last=True) is Fate.DIVERGED
