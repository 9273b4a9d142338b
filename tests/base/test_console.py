"""The package's log on the terminal: which lines at which level, where they go, and whose lines are left alone."""

import logging
import os
import pty
import subprocess
import sys

import pytest

from swift_hyperband.base import console

logger = logging.getLogger("swift_hyperband.somewhere")


def say_everything():
    for level in ("debug", "info", "warning", "error"):
        getattr(logger, level)(f"{level} ± of {os.sep}")


@pytest.mark.parametrize(
    ("options", "levels"),
    [
        ({}, ["info", "warning", "error"]),
        ({"verbose": True}, ["debug", "info", "warning", "error"]),
        ({"quiet": True}, ["warning", "error"]),
    ],
)
def test_as_much_is_said_as_was_asked_for_and_each_line_once(capsys, options, levels):
    console.set_up(**options)
    # a job of the workflow, or a second command in a process
    console.set_up(**options)
    say_everything()
    said = capsys.readouterr()
    assert said.err == "".join(f"swift-hyperband: {level} ± of /\n" for level in levels)
    assert said.out == ""


def test_lines_of_others_are_neither_changed_nor_doubled(capsys):
    console.set_up(verbose=True)
    root = logging.getLogger()
    handler = logging.StreamHandler()
    root.addHandler(handler)
    try:
        logging.getLogger("snakemake.logging").warning("theirs")
        logging.getLogger("dwave.cloud").debug("hidden")
        logger.warning("ours")
    finally:
        root.removeHandler(handler)
    lines = capsys.readouterr().err.splitlines()
    assert lines.count("theirs") == 1
    assert [line for line in lines if "ours" in line] == ["swift-hyperband: ours"]
    assert not any("hidden" in line for line in lines)


def test_a_line_that_cannot_be_written_ends_nothing(monkeypatch):
    with console.user_at(os.open("/dev/full", os.O_WRONLY)):
        logger.warning("nobody can read this")


DIVERTED = """
import subprocess, sys
from pathlib import Path
from swift_hyperband.base.console import LOGGER, diverted, set_up
set_up()
LOGGER.info("before")
with diverted(Path("log.txt")):
    print("printed")
    print("warned", file=sys.stderr)
    subprocess.run(["echo", "by a child"])
    LOGGER.info("meanwhile")
print("after")
"""


def test_what_is_printed_meanwhile_goes_to_the_log_and_what_is_said_to_the_user(tmp_path):
    (tmp_path / "log.txt").write_text("earlier\n")
    done = subprocess.run([sys.executable, "-c", DIVERTED], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("after\n", "swift-hyperband: before\nswift-hyperband: meanwhile\n")
    assert sorted((tmp_path / "log.txt").read_text().splitlines()) == ["by a child", "earlier", "printed", "warned"]


INTERRUPTED = """
import sys, threading, time
from pathlib import Path
from swift_hyperband.base.console import LOGGER, diverted, set_up
set_up()
def goes_on():
    time.sleep(0.3)
    print("Error in rule train_full", file=sys.stderr, flush=True)
with diverted(Path("log.txt")):
    threading.Thread(target=goes_on).start()
    LOGGER.info("for the user")
    raise KeyboardInterrupt
"""


def test_what_snakemakes_threads_print_after_an_interrupt_goes_to_its_log(tmp_path):
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "swift-hyperband: for the user\n")
    assert "Error in rule train_full" in (tmp_path / "log.txt").read_text()


ON_TERMINAL = """
from swift_hyperband.base import console
console.set_up()
console.show_line("1 of 9 \\u00e9")
console.show_line("2 of 9")
console.LOGGER.info("done")
console.show_line("3 of 9")
console.clear_line()
"""


def test_on_a_terminal_a_line_takes_the_place_of_the_one_before():
    terminal, inside = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", ON_TERMINAL], stderr=inside):
        pass
    os.close(inside)
    clear = "\r\x1b[K"
    shown = os.read(terminal, 1000).decode()
    os.close(terminal)
    assert shown == f"{clear}1 of 9 ?{clear}2 of 9{clear}swift-hyperband: done\r\n{clear}3 of 9{clear}"
