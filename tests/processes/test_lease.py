from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from swift_hyperband.processes import holders, lease

context = multiprocessing.get_context("fork")


def never() -> bool:
    return False


def take(folder: Path, **times: float) -> lease.Lease:
    """Take the lease, whatever has been done already."""
    taken = lease.acquire(folder, never, **times)
    assert taken is not None
    return taken


def hold(folder: Path) -> None:
    """Take the lease and keep it until killed."""
    lease.acquire(folder, never)
    (folder / "held").touch()
    time.sleep(60)


def holder_of(folder: Path) -> multiprocessing.context.ForkProcess:
    process = context.Process(target=hold, args=(folder,))
    process.start()
    while not (folder / "held").exists():
        time.sleep(0.01)
    return process


def elsewhere(folder: Path) -> None:
    """Make the lease look as one of another machine, where a process of this number tells nothing."""
    content = json.loads((folder / "lease").read_text())
    (folder / "lease").write_text(json.dumps({**content, "machine": "another"}))


def test_a_lease_says_who_holds_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with take(tmp_path):
        content = json.loads((tmp_path / "lease").read_text())
        assert content["pid"] == os.getpid()
        assert content["host"] == os.uname().nodename
    assert list(tmp_path.iterdir()) == []


def test_a_second_taker_waits_until_the_first_gives_the_lease_back(tmp_path: Path) -> None:
    first = take(tmp_path)
    taken: list[lease.Lease] = []
    waiter = threading.Thread(target=lambda: taken.append(take(tmp_path)))
    waiter.start()
    waiter.join(0.3)
    assert taken == []
    first.check()
    first.release()
    waiter.join()
    taken[0].release()


def test_a_waiter_goes_when_the_holder_has_done_its_work(tmp_path: Path) -> None:
    with take(tmp_path):
        answers = iter([False, False, True])
        assert lease.acquire(tmp_path, lambda: next(answers)) is None


def test_the_lease_of_a_killed_process_of_this_machine_is_taken_over_at_once(tmp_path: Path) -> None:
    process = holder_of(tmp_path)
    os.kill(process.pid or 0, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid or 0, os.WEXITED | os.WNOWAIT)
    # the process is dead, but nobody has asked after it: a zombie, which still has its number
    taken = take(tmp_path, stale_after=1e9)
    taken.check()
    taken.release()
    process.join()


def test_a_process_that_got_the_number_of_a_dead_holder_does_not_keep_its_lease_alive(tmp_path: Path) -> None:
    process = holder_of(tmp_path)
    content = json.loads((tmp_path / "lease").read_text())
    (tmp_path / "lease").write_text(json.dumps({**content, "started": content["started"] - 1}))
    taken = take(tmp_path, stale_after=1e9)
    taken.release()
    process.kill()
    process.join()


def test_a_lease_of_another_machine_without_signs_of_life_is_taken_over_whatever_its_clock_says(tmp_path: Path) -> None:
    first = take(tmp_path, interval=1e9)
    elsewhere(tmp_path)
    for moment in (0, time.time() + 1e6):
        os.utime(tmp_path / "lease", (moment, moment))
        begun = time.monotonic()
        second = take(tmp_path, stale_after=0.3)
        assert time.monotonic() - begun >= 0.3
        second.release()
        (tmp_path / "lease").write_text('{"machine": "another"}')
    with pytest.raises(lease.LeaseLostError):
        first.check()


def test_signs_of_life_keep_a_lease_on_another_machine(tmp_path: Path) -> None:
    first = take(tmp_path, interval=0.02)
    elsewhere(tmp_path)
    begun = time.monotonic()
    # far longer than the time after which it would be taken over
    assert lease.acquire(tmp_path, lambda: time.monotonic() - begun > 3, stale_after=1.0) is None
    first.release()


def test_a_holder_that_was_taken_over_learns_it_and_leaves_the_new_lease_alone(tmp_path: Path) -> None:
    first = take(tmp_path)
    (tmp_path / "lease").unlink()
    second = take(tmp_path)
    with pytest.raises(lease.LeaseLostError):
        first.check()
    first.release()
    second.check()
    second.release()


def test_a_lease_that_came_in_place_of_the_stale_one_is_put_back(tmp_path: Path) -> None:
    with take(tmp_path) as fresh:
        lease._take_away(tmp_path / "lease", "the stale one")
        fresh.check()
        assert [path.name for path in tmp_path.iterdir()] == ["lease"]


def test_a_damaged_lease_is_taken_over_after_a_while(tmp_path: Path) -> None:
    (tmp_path / "lease").write_text("")
    taken = take(tmp_path, stale_after=0.1)
    taken.release()


def test_of_many_takers_of_a_stale_lease_one_at_a_time_holds_it(tmp_path: Path) -> None:
    process = holder_of(tmp_path)
    process.kill()
    process.join()

    def work() -> None:
        for _ in range(5):
            with take(tmp_path) as held:
                descriptor = os.open(tmp_path / "inside", os.O_CREAT | os.O_EXCL)
                os.close(descriptor)
                (tmp_path / "inside").unlink()
                held.check()

    workers = [context.Process(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4


def test_two_processes_of_one_slurm_job_on_two_nodes_do_not_take_each_others_leases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders, "ASK_AFTER", 0.0)
    monkeypatch.setattr(holders, "ASK_EVERY", 0.0)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    take(tmp_path)
    elsewhere(tmp_path)
    end = time.monotonic() + 1.0

    def is_over() -> bool:
        # a sign of life from the other node
        os.utime(tmp_path / "lease")
        return time.monotonic() > end

    assert lease.acquire(tmp_path, unless=is_over, interval=0.1) is None


@pytest.mark.parametrize(("mine", "over", "waits"), [("8", True, False), ("7", False, False), ("8", False, True)])
def test_a_holder_whose_slurm_job_has_ended_or_runs_anew_here_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mine: str, over: bool, waits: bool
) -> None:
    monkeypatch.setattr(holders, "ASK_AFTER", 0.0)
    monkeypatch.setattr(holders, "ASK_EVERY", 0.0)
    asked: list[str] = []
    monkeypatch.setattr(holders.queue, "is_over", lambda job: asked.append(job) or over)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    take(tmp_path)
    elsewhere(tmp_path)
    monkeypatch.setenv("SLURM_JOB_ID", mine)
    end = time.monotonic() + (1.0 if waits else 60.0)
    taken = lease.acquire(tmp_path, unless=lambda: time.monotonic() > end, interval=0.1)
    assert (taken is None) == waits
    assert set(asked) == ({"7"} if mine == "8" else set())
    if taken is not None:
        taken.release()


@pytest.mark.parametrize("content", ["", "[]", "null", '{"pid": null}', '{"pid": "x", "started": []}', "[" * 50_000])
def test_a_damaged_lease_counts_as_one_of_another_machine(tmp_path: Path, content: str) -> None:
    if content.startswith("{"):
        content = json.dumps({"machine": holders.machine(), **json.loads(content)})
    (tmp_path / lease.NAME).write_text(content)
    take(tmp_path, stale_after=0.2).release()
    assert not (tmp_path / lease.NAME).exists()


def test_the_lease_says_in_which_slurm_job_a_head_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    with lease.acquire(tmp_path, lambda: False, watcher=17):
        since = json.loads((tmp_path / "lease").read_text())["since"]
        assert lease.holder(tmp_path) == f"process 17 on host {os.uname().nodename} (SLURM job 4711, since {since})"
        assert lease.is_held_by(tmp_path, 17)
        assert not lease.is_held_by(tmp_path, 18)


def test_who_watches_knows_whether_a_holder_of_this_machine_lives_and_clears_up_after_a_dead_one(
    tmp_path: Path,
) -> None:
    watch = lease.Watch()
    assert not watch.is_held(tmp_path)
    assert watch.is_free(tmp_path)
    holder = holder_of(tmp_path)
    assert watch.is_held(tmp_path)
    assert not watch.is_free(tmp_path)
    holder.kill()
    holder.join()
    assert not watch.is_held(tmp_path)
    assert (tmp_path / "lease").exists()
    assert watch.is_free(tmp_path)
    assert not (tmp_path / "lease").exists()


def test_who_watches_takes_a_holder_of_another_machine_for_dead_after_a_minute_of_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, now = lease.Watch(), [0.0]
    monkeypatch.setattr(holders.time, "monotonic", lambda: now[0])

    def free_at(seconds: float) -> bool:
        now[0] = seconds
        return watch.is_free(tmp_path)

    with take(tmp_path):
        elsewhere(tmp_path)
        assert [free_at(seconds) for seconds in (0, 30, 59)] == [False] * 3
        # a sign of life
        os.utime(tmp_path / "lease", (1, 1))
        assert [free_at(seconds) for seconds in (61, 100, 120, 122)] == [False, False, False, True]


def test_a_lease_is_tried_without_waiting(tmp_path: Path) -> None:
    holder = holder_of(tmp_path)
    with pytest.raises(lease.TakenError):
        lease.try_acquire(tmp_path, never)
    assert lease.try_acquire(tmp_path, lambda: True) is None
    holder.kill()
    holder.join()
    taken = lease.try_acquire(tmp_path, never)
    assert taken is not None
    taken.release()


def test_a_lease_that_has_replaced_a_dead_one_is_not_even_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with take(tmp_path) as held:
        # a holder that checks in between would take it for lost
        monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("moved"))
        lease._take_away(tmp_path / "lease", "that of a process that is dead")
        held.check()
