"""Jobs that know when they must end: what is trained is saved, and the next job goes on from there."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from swift_hyperband.training import batch, state
from swift_hyperband.training.clock import RESERVE, Clock, OutOfTimeError


def test_a_job_starts_no_epoch_that_would_not_end_within_its_limit(study: Any) -> None:
    study.add("a", seconds=0.1)
    with pytest.raises(OutOfTimeError, match="0 of 1 trials through"):
        batch.train_batch(study.folder, study.settings, ["a"], 1000, time_limit=RESERVE + 1.5)
    behind = len(study.curve("a"))
    assert 1 <= behind < 100
    study.train(["a"], behind + 2)
    assert study.started("a") == list(range(1, behind + 3)), "no epoch is trained twice"


def test_a_limit_that_is_too_short_for_one_epoch_still_gains_one_a_job(study: Any) -> None:
    study.add("a")
    study.add("b")
    for epochs in (1, 2, 3):
        with pytest.raises(OutOfTimeError):
            batch.train_batch(study.folder, study.settings, ["a", "b"], 5, time_limit=0)
        assert len(study.curve("a")) == epochs
    assert not (study.trial("b") / "curve.jsonl").exists()


def test_trials_that_are_through_stay_and_the_next_job_trains_the_others(study: Any) -> None:
    for name in "abc":
        study.add(name, seconds=0.5)
    # 6 s of training do not fit into 5; on a slow machine one trial, 2 s, still does
    with pytest.raises(OutOfTimeError, match=r"[12] of 3 trials through"):
        batch.train_batch(study.folder, study.settings, ["a", "b", "c"], 4, time_limit=RESERVE + 5.0)
    assert len(study.curve("a")) == 4
    study.train(["a", "b", "c"], 4)
    assert [study.started(name) for name in "abc"] == [[1, 2, 3, 4]] * 3


def test_a_trial_does_not_begin_where_the_epochs_of_others_would_not_end_in_time(study: Any) -> None:
    for name in "ab":
        study.add(name, seconds=0.5)
    with pytest.raises(OutOfTimeError, match="1 of 2 trials through"):
        batch.train_batch(study.folder, study.settings, ["a", "b"], 1, time_limit=RESERVE + 1.0)
    assert not (study.trial("b") / "started.jsonl").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_on_sigusr1_every_trial_ends_after_its_epoch_in_flight(study: Any, workers: int) -> None:
    for name in "abcd":
        study.add(name, seconds=0.2)
    process = study.start(["a", "b", "c", "d"], 100, workers)
    study.wait_for_epoch("a", 2)
    for name in "abcd"[:workers]:
        study.wait_for_epoch(name, 1)
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGUSR1)
    _, err = process.communicate(timeout=30)
    assert "OutOfTimeError" in err
    for name in "abcd"[:workers]:
        started = study.started(name)
        assert len(study.curve(name)) == len(started) < 100, "the epoch in flight is trained to its end and saved"
    assert not (study.trial("d") / "started.jsonl").exists()


def test_a_clock_without_a_limit_always_allows() -> None:
    assert Clock.of(None).allows(1e9)
    assert Clock.of(100).allows(50)
    assert not Clock.of(100).allows(80)
    assert not Clock(None, hurry=True).allows(0)


# --- saving now and then -------------------------------------------------------------------------------------------


def epochs_in_state(study: Any, trial: str) -> int:
    found = state.load(study.trial(trial))
    return len(found.curve) if found is not None else 0


def test_states_are_saved_as_often_as_wanted_and_at_the_end(study: Any) -> None:
    study = study.with_(save_every=4)
    study.add("a", seconds=0.1)
    process = study.start(["a"], 30)
    study.wait_for_epoch("a", 7)
    # however far it comes meanwhile: the state of epoch 4, 8, ... is written before the next epoch begins
    begun, saved, later = len(study.started("a")), epochs_in_state(study, "a"), len(study.started("a"))
    assert saved in range((begun - 1) // 4 * 4, later + 1, 4)
    process.communicate(timeout=120)
    assert epochs_in_state(study, "a") == 30


def test_a_kill_costs_the_epochs_since_the_last_state_and_changes_nothing(study: Any) -> None:
    other = study.twin()
    study = study.with_(save_every=4)
    study.add("a", seconds=0.15)
    other.add("a")
    other.train(["a"], 30)
    process = study.start(["a"], 30)
    study.wait_for_epoch("a", 7)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    study.pace("a", 0.0)
    begun, saved = len(study.started("a")), epochs_in_state(study, "a")
    assert saved in (begun // 4 * 4, (begun - 1) // 4 * 4)
    study.train(["a"], 30)
    assert study.curve("a") == other.curve("a")
    twice = [epoch for epoch in range(1, 31) if study.started("a").count(epoch) > 1]
    assert twice == list(range(saved + 1, begun + 1))


def test_out_of_time_saves_what_was_trained_since_the_last_state(study: Any) -> None:
    study = study.with_(save_every=1000)
    study.add("a", seconds=0.1)
    with pytest.raises(OutOfTimeError):
        batch.train_batch(study.folder, study.settings, ["a"], 500, time_limit=RESERVE + 1.5)
    assert epochs_in_state(study, "a") == len(study.curve("a")) > 1


def test_a_clock_counts_the_epochs_that_fit_before_its_deadline() -> None:
    assert Clock().fits(1.0) is None, "without a limit any number"
    clock = Clock.of(RESERVE + 12.5)
    assert clock.fits(1.0) == 10, "each may take a fifth longer than the last one"
    assert clock.fits(None) == 1, "the first one shows how long an epoch takes"
    assert Clock.of(0.0).fits(1.0) <= 0
