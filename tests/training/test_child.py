from __future__ import annotations

import json
import os
import signal
import threading
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swift_hyperband.processes import lease
from swift_hyperband.training import child
from swift_hyperband.training.clock import Clock

if TYPE_CHECKING:
    from conftest import Study


def outcome(study: Study, trial: str, epochs: int, target: str = "Counter") -> child.Outcome:
    """Train a trial in a child that does not wait for another process."""
    settings = study.of(target).settings
    work = child.Work(settings, child.import_target(settings), Clock())
    running: list[child.Child] = []
    child.start(running, study.trial(trial), epochs, work, waits=False)
    while not (ended := child.wait(running)):
        pass
    return child.judge(ended[0], work, submitted_again=False)


def test_a_child_trains_a_trial_and_one_that_finds_nothing_left_to_train_ends_well(study: Study) -> None:
    study.add("a")
    assert [outcome(study, "a", 2), outcome(study, "a", 2)] == ["trained", "trained"]
    assert study.started("a") == [1, 2]


def test_a_warning_that_comes_before_a_training_has_begun_ends_it_well(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.add("a")
    train = child._train

    def warned(*arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        train(*arguments)

    monkeypatch.setattr(child, "_train", warned)
    assert outcome(study, "a", 2) == "out of time"
    assert not (study.trial("a") / "failures.json").exists()


def test_a_stop_that_comes_while_a_training_is_started_ends_that_too(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a signal may arrive at any thread, such as that of a heartbeat
    over = threading.Event()
    beside = threading.Thread(target=over.wait)
    beside.start()
    begin = ForkProcess.start

    def stopped(process: ForkProcess) -> None:
        begin(process)
        os.kill(os.getpid(), signal.SIGTERM)

    study.add("a")
    settings = study.of("Counter").settings
    work = child.Work(settings, child.import_target(settings), Clock())
    running: list[child.Child] = []
    monkeypatch.setattr(ForkProcess, "start", stopped)
    with child.signals(work.clock, running), pytest.raises(SystemExit):
        child.start(running, study.trial("a"), 10**6, work, waits=False)
    child.end(running)
    over.set()
    beside.join()
    assert [one.process.exitcode for one in running] == [-signal.SIGTERM]


def test_a_child_that_does_not_wait_leaves_a_trial_that_another_process_trains(study: Study) -> None:
    folder = study.add("a")
    held = lease.acquire(folder, unless=lambda: False)
    assert held is not None
    with held:
        assert outcome(study, "a", 2) == "taken"
    assert not (folder / "started.jsonl").exists()
    assert outcome(study, "a", 2) == "trained"


def test_a_child_takes_over_from_a_dead_process_without_waiting(study: Study) -> None:
    study.add("a", seconds=0.05)
    process = study.start(["a"], 1000)
    study.wait_for_epoch("a", 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert outcome(study, "a", 4) == "trained"
    assert len(study.curve("a")) == 4


def test_a_crash_is_counted_and_reported(study: Study) -> None:
    folder = study.add("a", at=1, how="segfault")
    assert outcome(study, "a", 2, "Misbehaving") == "crashed"
    assert json.loads((folder / "failures.json").read_text())["starts"] == 1
    assert not Path(folder / "lease").exists()
