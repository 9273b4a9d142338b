"""Jobs in SLURM that an earlier start left behind are found, and settled before anything starts."""

import os
import signal
from pathlib import Path

import pytest
from slurm_stand_in import job, on_terminal, run, start

from swift_hyperband.processes import lease
from swift_hyperband.workflow import leftovers


@pytest.mark.parametrize("options", [["--leftover", "wait"], []])
def test_leftover_jobs_are_waited_for_also_where_nobody_can_be_asked(queue, options):
    Path("queue").write_text(job(17) + "\n" + job(18, state="PENDING") + "\n")
    said = []
    with start(*options) as waiting:
        for line in waiting.stderr:
            if line.startswith("swift-hyperband:"):
                said.append(line.removeprefix("swift-hyperband: ").strip())
            if line.endswith("Ctrl-C ends the waiting\n"):
                Path("queue.next").write_text("" if "1 job (" in line else job(18, state="COMPLETING") + "\n")
    assert waiting.returncode == 0
    assert said == [
        "2 jobs (1 running, 1 pending) of an earlier start are in SLURM: 17, 18",
        "waits for these: 2 jobs (1 running, 1 pending); Ctrl-C ends the waiting",
        "waits for these: 1 job (1 completing); Ctrl-C ends the waiting",
    ]
    assert not Path("cancelled").exists()
    assert not Path("results/table/lease").exists()


def test_leftover_workers_are_not_waited_for_as_they_stay_until_the_search_is_over(queue):
    workers = [job(number, comment=f"rule_worker_wildcards_table_{number}") for number in (1, 2)]
    Path("queue").write_text("\n".join([*workers, job(17)]) + "\n")
    Path("queue.next").write_text("\n".join(workers) + "\n")
    done = run("--leftover", "wait")
    assert done.returncode == 0, done.stderr
    assert "2 jobs (2 running) of these go on as workers of this search\n" in done.stderr
    assert not Path("cancelled").exists()


def test_leftover_jobs_are_cancelled_on_demand_and_gone_before_anything_starts(queue):
    Path("queue").write_text(job(17) + "\n" + job(18, folder="/somewhere/else") + "\n")
    done = run("--leftover", "cancel")
    assert done.returncode == 0, done.stderr
    assert Path("cancelled").read_text() == "17\n"
    assert "waits until these are gone: 1 job (1 running)" in done.stderr


@pytest.mark.parametrize(("answer", "code", "cancelled"), [("c", 0, True), ("quit", 1, False)])
def test_on_a_terminal_the_user_is_asked_what_to_do_with_leftover_jobs(queue, answer, code, cancelled):
    Path("queue").write_text(job(17) + "\n")
    found, seen = on_terminal(answer)
    assert found == code, seen
    assert "1 job (1 running) of an earlier start are in SLURM: 17" in seen
    assert Path("cancelled").exists() == cancelled
    assert ("nothing was started" in seen) == (not cancelled)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_waiting_for_leftover_jobs_can_be_stopped(queue, number, code):
    Path("queue").write_text(job(17) + "\n")
    with start("--leftover", "wait") as waiting:
        while "Ctrl-C" not in waiting.stderr.readline():
            assert waiting.poll() is None
        waiting.send_signal(number)
        assert "swift-hyperband: stopped; nothing was started\n" in waiting.communicate(timeout=30)[1]
    assert waiting.returncode == code
    assert not Path("results/table/lease").exists()


def test_jobs_of_a_living_head_are_not_left_over(queue):
    Path("queue").write_text(job(17) + "\n")
    Path("results/table").mkdir(parents=True)
    with lease.acquire(Path("results/table"), lambda: False):
        done = run("--leftover", "cancel")
    assert done.returncode == 2
    assert f"one process at a time can run this search, and process {os.getpid()} on host" in done.stderr
    assert not Path("cancelled").exists()


def test_where_slurm_does_not_answer_that_is_said_and_nothing_starts(queue):
    Path("broken").touch()
    done = run()
    assert done.returncode == 2
    problem = "slurm_load_jobs error: Unable to contact slurm controller"
    assert done.stderr.count(f"swift-hyperband: squeue does not answer ({problem}); it is asked again\n") == 2
    assert done.stderr.endswith(f"error: squeue: must answer, found: {problem}; try again when SLURM does\n")


def test_while_jobs_are_waited_for_slurm_may_be_away_for_a_while(queue):
    Path("queue").write_text(job(17) + "\n")
    with start("--leftover", "wait") as waiting:
        for line in waiting.stderr:
            if "waits for these" in line:
                Path("broken").touch()
            if "does not know for what: squeue: must answer" in line:
                Path("queue.next").write_text("")
                Path("broken").unlink()
    assert waiting.returncode == 0


def test_after_a_stop_it_is_said_which_jobs_go_on_in_slurm_and_they_are_cancelled_on_demand(queue, capsys):
    Path("queue").write_text(job(17) + "\n" + job(18, state="COMPLETING") + "\n")
    leftovers.clean_up("table", cancel=False)
    assert "1 job (1 running) in SLURM go on; 'swift-hyperband resume' waits for them" in capsys.readouterr().err
    assert not Path("cancelled").exists()
    leftovers.clean_up("table", cancel=True)
    assert Path("cancelled").read_text() == "17\n"
    capsys.readouterr()
    leftovers.clean_up("table", cancel=True)
    assert capsys.readouterr().err == ""
    Path("broken").touch()
    leftovers.clean_up("table", cancel=True)
    assert "it is not known what remains in SLURM's queue" in capsys.readouterr().err
