"""Processes of a search by workers, as forks of this process, which has imported all; and what a search decided."""

import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from swift_hyperband import cli

# what the commands import, so that the forks need not
from swift_hyperband.cli import job_search, work  # noqa: F401
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import load
from swift_hyperband.targets import recorded  # noqa: F401
from swift_hyperband.workflow import driver

DECISIONS = ("threshold", "predictor", "decision", "promotion", "thaw")


def decided(results):
    """Return the content of all decisions of a search, without what differs from run to run, and its best trial."""
    found = {
        str(path.relative_to(results)): {
            key: value for key, value in json.loads(path.read_text()).items() if key not in ("inputs", "time")
        }
        for name in DECISIONS
        for path in results.glob(f"bracket=*/round=*/{name}.json")
    }
    # a process that has imported torch writes states by torch
    return found | {"best": (results / "best.yaml").read_text().replace("state.pt", "state.json")}


def by_rounds(project, **keys):
    """Run the study in one process, and put the results away; return what was decided."""
    project.study(**keys)
    process = multiprocessing.get_context("fork").Process(target=_run, args=(project.path,))
    process.start()
    process.join()
    found = decided(project.results)
    project.results.rename(project.path / "by-rounds")
    return found


def _run(path):
    os.chdir(path)
    study = load(Path("config/config.yaml"))
    driver.run_search(study, StudyFolder.of(study.name), 1)


class Actor:
    """A command in a process group of its own; what it prints is appended to printed.txt."""

    def __init__(self, project, *words):
        self.words = words
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._be(project)
        # by both, so that it leads its group from the first moment on
        with suppress(OSError):
            os.setpgid(self.pid, self.pid)
        self._code = None

    def _be(self, project):
        code = 99
        try:
            os.setpgid(0, 0)
            os.chdir(project.path)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            printed = os.open("printed.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.dup2(printed, 1)
            os.dup2(printed, 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            try:
                code = cli.main(list(self.words))
            except SystemExit as end:
                code = end.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def code(self):
        """Return the exit code, negative where a signal ended it; None while it runs."""
        if self._code is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, seconds=240):
        """Wait for its end; return the exit code."""
        end = time.monotonic() + seconds
        while self.code() is None:
            assert time.monotonic() < end, f"{self.words} does not end"
            time.sleep(0.005)
        return self.code()

    def kill(self, group=True):
        """End it at once; its trainings, too, or they go on as orphans."""
        if self.code() is None:
            (os.killpg if group else os.kill)(self.pid, signal.SIGKILL)
            self.wait()


def until(condition, seconds=240):
    """Wait until something holds. The limit is for a machine that hangs."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited for in vain"
        time.sleep(0.005)
