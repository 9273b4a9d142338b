"""What was trained ahead of a search: it is counted apart, and no result shows it."""

import json
import math

import pytest

from swift_hyperband.processes import lease
from swift_hyperband.results.ahead import Ahead, asked
from swift_hyperband.results.history import RoundHistory
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.trials import delete_states
from swift_hyperband.search.schedule import Round
from swift_hyperband.training.trial import Trained


def test_each_trial_counts_as_far_as_its_last_round_has_asked_for_it():
    first = RoundHistory(Round(1, 0, 3, 0, 3, 2, reference=1, decision_epoch=2), ("a", "b", "c"))
    second = RoundHistory(Round(1, 1, 2, 3, 9, 1, reference=2), ("b", "a"))
    assert asked([first]) == {"a": 3, "b": 2, "c": 2}
    assert asked([first, second]) == {"a": 9, "b": 9, "c": 2}


def test_epochs_that_began_ahead_are_used_once_they_are_asked_for_and_in_vain_before():
    assert Ahead.of(asked=3, trained=5, begun_ahead={3, 4, 5}) == Ahead(used=1, in_vain=2)
    assert Ahead.of(asked=9, trained=5, begun_ahead={3, 4, 5}) == Ahead(used=3, in_vain=0)
    # the epoch in flight is nobody's yet
    assert Ahead.of(asked=3, trained=3, begun_ahead={4}) == Ahead(used=0, in_vain=0)
    assert Ahead.sum([Ahead(1, 2), Ahead(3, 4)]) == Ahead(4, 6)


def test_a_trial_that_diverges_ahead_has_not_diverged_before():
    found = Trained("diverged", [0.3, 0.2, math.nan])
    assert found.cut(2) == Trained("ok", [0.3, 0.2])
    assert found.cut(3) is found
    assert Trained("failed", [0.3, 0.2]).cut(1).status == "failed"


@pytest.mark.parametrize("is_trained", [True, False])
def test_a_state_is_never_deleted_while_its_trial_is_trained(tmp_path, is_trained):
    folder = StudyFolder(tmp_path)
    place = folder.trial("a")
    place.mkdir(parents=True)
    (place / "state.json").write_text(json.dumps({}))
    # of a process that was killed while it saved
    (place / ".state.json.node.17.tmp").write_text("{")
    held = lease.acquire(place, unless=lambda: False)
    if not is_trained:
        held.release()
    delete_states(folder, ["a"])
    assert len([path for path in place.iterdir() if "state" in path.name]) == 2 * is_trained
    if is_trained:
        held.release()
