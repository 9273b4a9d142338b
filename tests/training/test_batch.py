from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swift_hyperband.training import batch

if TYPE_CHECKING:
    from conftest import Study


HERE = Path(__file__).parent


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


# --- what is trained ---------------------------------------------------------------------------------------------


def test_all_trials_come_to_the_epoch_with_their_curves(study: Study) -> None:
    folders = [study.add(name) for name in "abc"]
    found = study.train(["c", "a", "b"], epochs=3, workers=2)
    assert list(found) == ["c", "a", "b"]
    for name, folder in zip("abc", folders, strict=True):
        rows = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
        assert found[name] == ["ok", [row["accuracy"] for row in rows]]
        assert [row["epoch"] for row in rows] == study.started(name) == [1, 2, 3]
        assert set(rows[0]) == {"epoch", "drawn", "accuracy", "seconds"}
        assert not (folder / "lease").exists()
    assert len({found[name][1][0] for name in "abc"}) == 3, "trials draw different random numbers"


def test_the_same_seed_gives_the_same_curves_whatever_the_number_of_workers(study: Study) -> None:
    other = study.twin()
    for name in "abc":
        study.add(name)
        other.add(name)
    assert study.train(["a", "b", "c"], 3, workers=1) == other.train(["c", "b", "a"], 3, workers=3)


def test_what_is_there_already_needs_no_import_no_process_and_no_state(study: Study, monkeypatch: Any) -> None:
    folder = study.add("a")
    study.train(["a"], 3)
    (folder / "state.json").unlink()
    before = sorted(folder.iterdir())
    # a target that does not exist: any attempt to import it would raise
    settings = study.with_(target="no_such_package:Nothing").settings
    found = batch.train_batch(study.folder, settings, ["a"], 2)
    assert found["a"].status == "ok"
    assert len(found["a"].values) == 3
    assert sorted(folder.iterdir()) == before


def test_trials_are_trained_in_the_order_given(study: Study) -> None:
    for name in "ab":
        study.add(name)
    found = batch.train_batch(study.folder, study.settings, ["b", "a"], 2)
    assert list(found) == ["b", "a"]
    assert all(len(trained.values) == 2 for trained in found.values())
    starts = {name: (study.trial(name) / "started.jsonl").read_text().splitlines() for name in "ab"}
    assert json.loads(starts["b"][-1])["time"] <= json.loads(starts["a"][0])["time"]


def test_a_target_is_told_to_which_epoch_its_study_trains_at_most(study: Study) -> None:
    study = study.of("Scheduled", max_epochs=27)
    study.add("a")
    study.train(["a"], 1)
    study.train(["a"], 3)
    assert [(row["until"], row["max_epochs"]) for row in study.curve("a")] == [(1, 27), (3, 27), (3, 27)]


# --- kills and resumption ----------------------------------------------------------------------------------------


def test_training_in_pieces_equals_training_in_one_go(study: Study) -> None:
    other = study.twin()
    study.add("a")
    other.add("a")
    for epochs in (1, 4, 6):
        study.train(["a"], epochs)
    other.train(["a"], 6)
    assert study.curve("a") == other.curve("a")
    assert study.started("a") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("moment", [0.0, 0.07, 0.16])
def test_a_kill_costs_the_epoch_in_flight_at_most(study: Study, moment: float) -> None:
    other = study.twin()
    folder = study.add("a", seconds=0.15)
    other.add("a")
    other.train(["a"], 30)
    process = study.start(["a"], 30)
    study.wait_for_epoch("a", 3)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(study.curve("a")) < 30
    study.pace("a", 0.0)
    study.train(["a"], 30)
    assert study.curve("a") == other.curve("a")
    again = [epoch for epoch in range(1, 31) if study.started("a").count(epoch) > 1]
    assert len(study.started("a")) - 30 == len(again) <= 1
    assert not (folder / "failures.json").exists()


def test_an_orphan_of_a_killed_batch_and_its_successor_train_every_epoch_once(study: Study) -> None:
    study.add("a", seconds=0.05)
    process = study.start(["a"], 8)
    study.wait_for_epoch("a", 2)
    os.kill(process.pid, signal.SIGKILL)
    found = study.train(["a"], 10)
    process.communicate()
    assert len(found["a"][1]) == 10
    assert study.started("a") == list(range(1, 11))


def test_two_batches_on_the_same_trials_train_every_epoch_once(study: Study) -> None:
    for name in "ab":
        study.add(name, seconds=0.02)
    first, second = study.start(["a", "b"], 6), study.start(["b", "a"], 8)
    for process in (first, second):
        _out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    for name in "ab":
        assert study.started(name) == list(range(1, 9))
        assert [row["epoch"] for row in study.curve(name)] == list(range(1, 9))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_batch_takes_its_processes_along_and_gives_their_leases_back(study: Study, number: int) -> None:
    folder = study.add("a", seconds=0.05)
    process = study.start(["a"], 1000)
    study.wait_for_epoch("a", 2)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode not in (0, None)
    assert not is_alive(study.process("a"))
    assert not (folder / "lease").exists()
    assert not (folder / "failures.json").exists()


def test_a_trial_whose_lease_was_taken_over_writes_no_more_and_goes_on_after_the_other(study: Study) -> None:
    folder = study.add("a", seconds=1.5)
    process = study.start(["a"], 3)
    study.wait_for_epoch("a", 2)
    study.pace("a", 0.0)
    # another process of this machine, alive: this test
    stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    content = json.loads((folder / "lease").read_text())
    taken = folder / "taken"
    taken.write_text(json.dumps({**content, "pid": os.getpid(), "started": int(stat[19]), "token": "other"}))
    taken.replace(folder / "lease")
    published = (folder / "curve.jsonl").read_text()
    while is_alive(study.process("a")):
        time.sleep(0.02)
    assert (folder / "curve.jsonl").read_text() == published
    (folder / "lease").unlink()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert study.started("a") == [1, 2, 2, 3]
    assert not (folder / "failures.json").exists()


def test_a_curve_that_lags_behind_the_state_is_published_without_training(study: Study) -> None:
    folder = study.add("a")
    study.train(["a"], 3)
    whole = (folder / "curve.jsonl").read_text()
    (folder / "curve.jsonl").write_text("".join(whole.splitlines(keepends=True)[:2]))
    study.train(["a"], 3)
    assert (folder / "curve.jsonl").read_text() == whole
    assert study.started("a") == [1, 2, 3]


@pytest.mark.parametrize("damage", [None, "", '{"curve": [', "[]"])
def test_without_a_sound_state_training_starts_anew_and_published_epochs_stay(study: Study, damage: str | None) -> None:
    folder = study.add("a")
    study.train(["a"], 3)
    published = (folder / "curve.jsonl").read_text()
    if damage is None:
        (folder / "state.json").unlink()
    else:
        (folder / "state.json").write_text(damage)
    study.train(["a"], 5)
    assert (folder / "curve.jsonl").read_text().startswith(published)
    assert [row["epoch"] for row in study.curve("a")] == [1, 2, 3, 4, 5]
    assert study.started("a") == [1, 2, 3, 1, 2, 3, 4, 5]


def test_half_written_states_and_curves_of_killed_processes_are_removed(study: Study) -> None:
    folder = study.add("a")
    for name in ("state.pt", "curve.jsonl"):
        (folder / f".{name}.node.1.tmp").write_text("half")
    study.train(["a"], 1)
    assert not list(folder.glob(".*.tmp"))


# --- crashes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("raise", "sample_targets.py:{line} in _misbehave: ValueError: no luck"),
        ("segfault", "sample_targets.py:{line} in _misbehave: its process was ended by SIGSEGV"),
        ("abort", "sample_targets.py:{line} in _misbehave: its process was ended by SIGABRT"),
        ("exit", "sample_targets.py:{line} in _misbehave: SystemExit: 0"),
        ("_exit", "its process ended with code 0"),
    ],
)
def test_a_trial_that_always_crashes_fails_after_its_retries_and_the_others_train(
    study: Study, how: str, error: str
) -> None:
    study = study.of("Misbehaving")
    study.add("a", at=2, how=how)
    study.add("b")
    found = study.train(["a", "b"], 3)
    assert found["a"][0] == "failed"
    assert len(found["a"][1]) == 1
    assert found["b"][0] == "ok"
    assert len(study.curve("b")) == 3
    record = study.failures("a")
    assert (record["starts"], record["epoch"]) == (3, 1)
    lines = (HERE / "sample_targets.py").read_text().splitlines()
    line = 2 + next(number for number, text in enumerate(lines) if f'how == "{how}"' in text)
    assert record["error"].removeprefix(f"{HERE.relative_to(Path.cwd())}/") == error.format(line=line)
    assert study.started("a") == [1, 2, 2, 2]
    study.train(["a"], 3)
    assert study.started("a") == [1, 2, 2, 2], "a failed trial is never started again"


def test_a_trial_that_crashes_now_and_then_but_gains_epochs_does_not_fail(study: Study) -> None:
    study = study.of("Misbehaving")
    other = study.twin()
    folder = study.add("a", at=2, how="segfault", times=2)
    other.add("a")
    assert study.train(["a"], 4) == other.train(["a"], 4)
    assert study.started("a") == [1, 2, 2, 2, 3, 4]
    assert study.curve("a") == other.curve("a")
    assert not (folder / "failures.json").exists()


def test_crashes_are_counted_over_jobs(study: Study) -> None:
    study = study.of("Misbehaving")
    folder = study.add("a", at=1, how="raise")
    (folder / "failures.json").write_text(
        json.dumps({"starts": 2, "epoch": 0, "error": "", "traceback": "", "failed": False})
    )
    assert study.train(["a"], 1)["a"][0] == "failed"
    assert study.started("a") == [1]
    assert "no luck" in study.failures("a")["traceback"]


def test_a_diverged_trial_stops_at_its_first_value_that_is_not_finite(study: Study) -> None:
    study = study.of("Diverging")
    study.add("a")
    assert study.train(["a"], 30)["a"][0] == "diverged"
    rows = study.curve("a")
    assert [row["accuracy"] is None for row in rows] == [False] * (len(rows) - 1) + [True]
    assert rows[0]["loss"] is None, "other metrics may be infinite"
    before = study.started("a")
    assert study.train(["a"], 60)["a"][0] == "diverged"
    assert study.started("a") == before
    assert len(before) == len(rows)


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("Misnamed", "target Misnamed: validate() must return the metric 'accuracy', found 'acc', 'loss'"),
        ("Wordy", "target Wordy: the metric 'accuracy' must be a number, found str"),
        ("Forgetful", "target Forgetful: must have a state to resume from"),
        ("Hoarding", "target Hoarding: self.models holds objects with a state, which is not found there"),
        ("Unwritable", "target Unwritable: its state must be of JSON's types"),
    ],
)
def test_a_target_that_breaks_the_contract_is_told_how(study: Study, target: str, error: str) -> None:
    study = study.of(target, retries=0)
    study.add("a")
    assert study.train(["a"], 2)["a"][0] == "failed"
    record = study.failures("a")
    assert record["error"].startswith(error)
    assert "\n" not in record["error"]


# --- what is nobody's fault --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("full disk", "/scratch/cache.bin: the disk must take what is written, found: No space left on device"),
        ("hidden full disk", "trials/b: the disk must take what is written, found: Disk quota exceeded"),
    ],
)
def test_full_disks_end_the_job_in_one_line_count_for_nothing_and_a_later_run_goes_on(
    study: Study, how: str, error: str
) -> None:
    study = study.of("Misbehaving")
    study.add("a")
    bad = study.add("b", at=2, how=how, times=1)
    message = study.refused(["a", "b"], 3)
    assert error in message
    assert len(message.splitlines()) == 1
    assert len(study.curve("a")) == 3, "what was trained stays"
    assert not (bad / "failures.json").exists()
    assert not (bad / "lease").exists()
    assert study.train(["a", "b"], 3)["b"][0] == "ok"
    assert study.started("b") == [1, 2, 2, 3]
    assert study.started("a") == [1, 2, 3]


def test_a_trial_that_is_killed_for_its_memory_again_and_again_fails_alone(study: Study) -> None:
    study = study.of("Misbehaving")
    study.add("a")
    bad = study.add("b", at=2, how="killed")
    found = study.train(["a", "b"], 3)
    assert found["a"][0] == "ok"
    assert found["b"][0] == "failed"
    assert "out of memory" in json.loads((bad / "failures.json").read_text())["error"]


def test_a_trial_killed_for_its_memory_ends_its_job_in_a_queue_so_that_the_next_has_more(study: Study) -> None:
    study = study.of("Misbehaving")
    study.limit = 1000
    bad = study.add("b", at=2, how="killed")
    for _ in range(2):
        assert "the job ends, for the next one has more memory" in study.refused(["b"], 3)
    assert study.train(["b"], 3)["b"][0] == "failed", "with three times the memory, too: the search goes on without it"
    assert study.started("b") == [1, 2, 2, 2]
    assert (bad / "failures.json").exists()


def test_a_target_that_cannot_be_imported_is_an_error_of_the_job(study: Study, tmp_path: Path) -> None:
    folder = study.add("a")
    (tmp_path / "mine.py").write_text("import os\nimport no_such_package\n")
    message = study.with_(target=f"{tmp_path}/mine.py:Mine").refused(["a"], 1)
    assert f"ModuleNotFoundError: No module named 'no_such_package' ({tmp_path}/mine.py:2)" in message
    assert len(message.splitlines()) == 1
    assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_a_trial_without_a_configuration_is_an_error_of_the_job(study: Study) -> None:
    folder = study.add("a")
    (folder / "config.json").unlink()
    assert "config.json: this file is missing" in study.refused(["a"], 1)
    assert not (folder / "failures.json").exists()
