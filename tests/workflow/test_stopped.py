"""A search that is asked to stop stops, and leaves nothing running; the same command, or `resume`, goes on."""

import fcntl
import os
import pty
import random
import re
import signal
import subprocess
import termios
import threading
import time

import psutil
from workflow_project import at_work, wait_for

SLOW = {"table": "table.csv", "seconds": 0.2}
STOPS = 6
"""A third of them hit the import of Snakemake or the building of the DAG, the rest a training."""


def test_sigterm_at_random_moments_ends_a_search_and_the_same_command_goes_on(project, finished, capsys):
    project.study(resources__workers=2, target__options=SLOW)
    moments = random.Random(1)
    took, training = [], 0
    for number in range(STOPS):
        before = project.epochs_started().total()
        process = project.start("swift-hyperband", "run", "--cores", "2", "best")
        if number % 3:
            # after some epochs of this start, however slow the machine is
            more = moments.randint(1, 6)
            while process.poll() is None and project.epochs_started().total() < before + more:
                time.sleep(0.02)
        else:
            time.sleep(moments.uniform(0.5, 2.0))
        if process.poll() is not None:
            break
        training += project.epochs_started().total() > before
        began = time.monotonic()
        process.terminate()
        code = process.wait(timeout=240)
        if code == 0 and (project.results / "best.yaml").exists():
            # the search came to its end in that moment
            break
        assert code in (143, -signal.SIGTERM), project.printed()
        took.append(time.monotonic() - began)
        assert at_work(project.path) == []
        if process.returncode == 143:
            said = project.printed()
            # nothing was started where it came while Snakemake was imported
            assert said.endswith(("stopped; the same command goes on\n", "stopped; nothing was started\n")), said
    assert training, "no SIGTERM hit a training"
    project.search()
    with capsys.disabled():
        print(f"\n{len(took)} times SIGTERM, the end came after {max(took):.1f} s at most")
    assert (project.best(), project.decisions()) == (finished.best(), finished.decisions())


def test_a_stopped_search_goes_on_by_resume(project, finished):
    project.study(resources__workers=2, target__options=SLOW)
    first = project.start("swift-hyperband", "run", "--cores", "2", "best")
    wait_for(project.trains, first)
    first.send_signal(signal.SIGINT)
    assert first.wait(timeout=240) == 130
    assert at_work(project.path) == []
    # what was started goes on, though the study file is about another search by now
    project.study(name="another")
    project.name = "table"
    printed = project.run("swift-hyperband", "resume", "results/table", "--cores", "2", "best")
    assert "best configuration: results/table/best.yaml" in printed
    assert (project.best(), project.decisions()) == (finished.best(), finished.decisions())
    project.study(target__options=SLOW)
    for where in ([], ["config/config.yaml"]):
        assert "best configuration" in project.run("swift-hyperband", "resume", *where, "-c", "1", "best")


def test_resume_starts_nothing_new(project):
    for where in ([], ["config/config.yaml"], ["results/table"]):
        printed = project.run("swift-hyperband", "resume", *where, check=False)
        assert printed == (
            "error: results/table: must hold a search that was started, found no results/table/study.json; "
            "start it with 'swift-hyperband run'\n"
        )
    assert not project.results.exists()


def test_a_second_head_is_told_who_the_first_is_and_since_when(project):
    project.study(target__options={"table": "table.csv", "seconds": 0.5})
    project.variables["SLURM_JOB_ID"] = "4711"
    first = project.start("swift-hyperband", "run", "--cores", "1", "best")
    try:
        wait_for((project.results / "lease").exists, first)
        started = first.pid
        printed = project.run("swift-hyperband", "resume", "best", check=False)
        who = f"process {started} on host {os.uname().nodename}"
        more = r"\(SLURM job 4711, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\)"
        assert re.search(f"one process at a time can run this search, and {who} {more} does; ", printed), printed
    finally:
        first.terminate()
        first.wait(timeout=240)


def test_killing_what_the_user_started_ends_snakemake_too(project):
    project.study(target__options={"table": "table.csv", "seconds": 0.5})
    first = project.start("swift-hyperband", "run", "--cores", "1", "best")
    wait_for((project.results / "lease").exists, first)
    (snakemake,) = psutil.Process(first.pid).children()
    first.kill()
    first.wait()
    snakemake.wait(timeout=240)
    # its jobs go on by themselves, as after a kill of plain snakemake
    for orphan in at_work(project.path):
        orphan.kill()


def test_a_search_that_a_script_starts_in_the_background_can_be_stopped(project):
    project.study(target__options={"table": "table.csv", "seconds": 0.5})
    command = " ".join(project.command("swift-hyperband", "run", "--cores", "1", "best"))
    # such a shell lets what it starts ignore Ctrl-C
    script = project.path / "script.sh"
    script.write_text(f"{command} &\necho $! > pid\nwait $!\nexit $?\n")
    shell = subprocess.Popen(["sh", script], cwd=project.path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for(project.trains, shell)
    os.kill(int((project.path / "pid").read_text()), signal.SIGTERM)
    assert shell.wait(timeout=240) == 143
    assert at_work(project.path) == []


def test_on_a_terminal_ctrl_z_pauses_all_of_it_and_ctrl_c_ends_it(project):
    project.study(target__options={"table": "table.csv", "seconds": 0.5})
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        project.command("swift-hyperband", "run", "--cores", "1", "--verbose", "best"),
        cwd=project.path,
        **dict.fromkeys(("stdin", "stdout", "stderr"), inside),
        start_new_session=True,
        preexec_fn=on_terminal,
    )
    os.close(inside)
    # what is written to a terminal that nobody reads waits
    seen = []
    reader = threading.Thread(target=read, args=(terminal, seen))
    reader.start()
    wait_for(project.trains, process)
    os.write(terminal, b"\x1a")
    wait_for(lambda: {found.status() for found in at_work(project.path)} == {psutil.STATUS_STOPPED}, process)
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: psutil.STATUS_STOPPED not in {found.status() for found in at_work(project.path)}, process)
    os.write(terminal, b"\x03")
    assert process.wait(timeout=240) == 130
    assert at_work(project.path) == []
    reader.join()
    os.close(terminal)
    assert b"\x1b[3" in b"".join(seen), "Snakemake writes in colours"
    assert b"".join(seen).endswith(b"stopped; the same command goes on\r\n")


def on_terminal():
    # where the tests are started in the background, Ctrl-C is to be ignored, and stays so
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read(terminal, seen):
    while True:
        try:
            seen.append(os.read(terminal, 1000))
        except OSError:
            # nobody is left on the other side
            return
