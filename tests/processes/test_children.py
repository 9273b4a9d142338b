"""A killed parent takes its children along: processes of ours by a pipe, other programs by the kernel."""

import ctypes
import multiprocessing
import signal
import subprocess
import sys
import time

import psutil
import pytest

from swift_hyperband.processes.children import end_program_with_parent

FORKED = """
import os, time
from swift_hyperband.processes.children import end_with
sentinel, held = os.pipe()
if os.fork() == 0:
    os.close(held)
    end_with(sentinel)
    print(os.getpid(), flush=True)
time.sleep(1000)
"""

SPAWNED = """
import multiprocessing, os, time
from swift_hyperband.processes.children import end_with

def work():
    end_with(multiprocessing.parent_process().sentinel)
    print(os.getpid(), flush=True)
    time.sleep(1000)

if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=work).start()
    time.sleep(1000)
"""

PROGRAM = """
import subprocess, time
from swift_hyperband.processes.children import end_program_with_parent
print(subprocess.Popen(["sleep", "1000"], preexec_fn=end_program_with_parent).pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("code", [FORKED, SPAWNED, PROGRAM], ids=["forked", "spawned", "program"])
def test_a_child_ends_when_its_parent_is_killed(tmp_path, code):
    (tmp_path / "parent.py").write_text(code)
    parent = subprocess.Popen([sys.executable, "parent.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 60
    # where nobody reaps orphans, a dead one stays as a zombie
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the child outlives its parent"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
def test_the_kernel_is_asked_to_end_a_program_with_its_parent():
    def asked():
        end_program_with_parent()
        found, get_death_signal = ctypes.c_int(), 2
        ctypes.CDLL(None).prctl(get_death_signal, ctypes.byref(found))
        sys.exit(found.value)

    process = multiprocessing.get_context("fork").Process(target=asked)
    process.start()
    process.join()
    assert process.exitcode == signal.SIGTERM


def test_a_child_of_a_living_parent_goes_on(tmp_path):
    (tmp_path / "parent.py").write_text(FORKED)
    parent = subprocess.Popen([sys.executable, "parent.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    time.sleep(0.3)
    assert child.is_running()
    assert child.status() != psutil.STATUS_ZOMBIE
    parent.kill()
    parent.wait()
    parent.stdout.close()
