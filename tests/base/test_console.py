"""What the user is told reaches the user, wherever what Snakemake prints goes."""

import os
import pty
import subprocess
import sys

DIVERTED = """
import subprocess, sys
from pathlib import Path
from swift_hyperband.base.console import diverted, say
say("before")
with diverted(Path("log.txt")):
    print("printed")
    print("warned", file=sys.stderr)
    subprocess.run(["echo", "by a child"])
    say("meanwhile")
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
from swift_hyperband.base.console import diverted, say
def goes_on():
    time.sleep(0.3)
    print("Error in rule train_full", file=sys.stderr, flush=True)
with diverted(Path("log.txt")):
    threading.Thread(target=goes_on).start()
    say("for the user")
    raise KeyboardInterrupt
"""


def test_what_snakemakes_threads_print_after_an_interrupt_goes_to_its_log(tmp_path):
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "swift-hyperband: for the user\n")
    assert "Error in rule train_full" in (tmp_path / "log.txt").read_text()


ON_TERMINAL = """
from swift_hyperband.base import console
console.show_line("1 of 9 \\u00e9")
console.show_line("2 of 9")
console.say("done")
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
