"""A process that has imported Snakemake, and forks a command for each line that it reads.

The import is most of a short command's time. Whoever starts this gets, for each line with a command, two lines: the
command's process and its exit code.
"""

import json
import os
import runpy
import signal
import sys
from pathlib import Path

import snakemake.cli  # noqa: F401


def wait_for(pid):
    """Return the exit code of a process as subprocess does: negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def become(given):
    """Make this process the command's: its group, folder, environment, output and arguments."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(given["folder"])
    os.environ.clear()
    os.environ.update(given["environment"])
    for number, file, how in ((0, os.devnull, os.O_RDONLY), (1, given["printed"], os.O_WRONLY | os.O_APPEND)):
        opened = os.open(file, how)
        os.dup2(opened, number)
        os.close(opened)
    os.dup2(1, 2)
    sys.argv = given["command"]
    # as for a script
    sys.path[0] = str(Path(sys.argv[0]).parent)


for line in sys.stdin:
    given = json.loads(line)
    pid = os.fork()
    if pid == 0:
        become(given)
        break
    print(pid, flush=True)
    print(wait_for(pid), flush=True)
else:
    sys.exit()

# at the top, so that the process ends as the command's own would
runpy.run_path(sys.argv[0], run_name="__main__")
