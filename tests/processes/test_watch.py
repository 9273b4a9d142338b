"""Work in a watched process ends as it says, as it is told, or by force."""

import re
import signal
import subprocess
import sys

import psutil

WORK = """
import os, signal, sys
from swift_hyperband.processes import watch

def work():
    assert watch.watcher() == os.getppid()
    if sys.argv[1] == "raise":
        raise KeyError("a mistake of ours")
    if sys.argv[1] == "signal":
        os.kill(os.getpid(), signal.SIGABRT)
    return int(sys.argv[1])

ended = watch.watched(work, 1.0, lambda: None)
assert watch.watcher() is None
print(ended.code, ended.signal, ended.stopped_by)
"""


def work(tmp_path, how):
    (tmp_path / "work.py").write_text(WORK)
    return subprocess.run([sys.executable, "work.py", how], cwd=tmp_path, capture_output=True, text=True)


def test_how_the_work_ended_is_known_by_its_code_or_its_signal(tmp_path):
    for how, printed in (("0", "0 None None\n"), ("3", "3 None None\n"), ("signal", "134 6 None\n")):
        assert work(tmp_path, how).stdout == printed
    failed = work(tmp_path, "raise")
    assert failed.stdout == "1 None None\n"
    assert "KeyError: 'a mistake of ours'" in failed.stderr


DEAF = """
import signal, subprocess, sys, time
from swift_hyperband.processes import watch

def work():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    subprocess.Popen(["sleep", "1234.5"])
    print("started", flush=True)
    time.sleep(1000)
    return 0

watch.AGAIN = 0.2
ended = watch.watched(work, 0.2, lambda: None)
print(ended.code, ended.stopped_by)
"""


def test_what_hears_no_signal_is_ended_by_force_with_all_it_started(tmp_path):
    (tmp_path / "deaf.py").write_text(DEAF)
    process = subprocess.Popen(
        [sys.executable, "deaf.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "started\n"
    process.terminate()
    printed, told = process.communicate(timeout=30)
    assert printed == f"{128 + signal.SIGKILL} {int(signal.SIGTERM)}\n"
    assert [re.search(r"SIG\w+", line)[0] for line in told.splitlines()] == ["SIGINT", "SIGTERM", "SIGKILL"]
    assert [found.pid for found in psutil.process_iter() if is_in(found, tmp_path)] == []


def is_in(process, folder):
    try:
        return process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
