"""Commands run by forks of a process that has imported what takes most of a short command's time.

As a program, with the names of modules to import, this is that process. It reads a line for each command, and prints
two: the process of the command and its exit code.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path

COMMANDS = ("snakemake.cli", "swift_hyperband.report.search.report")
"""Modules that take most of the time of commands: Snakemake, and matplotlib for the report."""
SWIFT_HYPERBAND = str(Path(sys.executable).with_name("swift-hyperband"))


def run(command, folder, variables, printed, errors=None, modules=COMMANDS, timeout=900):
    """Run a program in Python to its end, deaf to what is typed; return its exit code.

    Parameters
    ----------
    command : list of str
        The path of the program, or "-m" and a module, and the arguments.
    folder : Path
        Where it runs.
    variables : dict
        All of its environment.
    printed, errors : Path
        Files for what it prints; without `errors` both streams go to `printed`.
    modules : tuple of str
        What its process has imported.
    timeout : float
        Seconds after which it is killed, and None returned.
    """
    server = _server(modules)
    given = {
        "command": command,
        "folder": str(folder),
        "environment": variables,
        "printed": str(printed),
        "errors": str(errors or printed),
    }
    print(json.dumps(given), file=server.stdin, flush=True)
    pid = int(server.stdout.readline())
    if not select.select([server.stdout], [], [], timeout)[0]:
        os.killpg(pid, signal.SIGKILL)
        server.stdout.readline()
        return None
    return int(server.stdout.readline())


def here(*command, modules=COMMANDS):
    """Run a program in the working directory with this process's environment; return it as subprocess does."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("out", "err")]
        code = run(command, Path.cwd(), dict(os.environ), *files, modules=modules, timeout=100)
        assert code is not None, f"not through: {command}"
        return subprocess.CompletedProcess(command, code, *(path.read_text() for path in files))


@cache
def _server(modules):
    """Return the process that forks commands; it ends with this one."""
    program = [sys.executable, __file__, *modules]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    # closes its input, at which it ends, and waits for it
    atexit.register(process.communicate)
    return process


def _wait_for(pid):
    """Return the exit code of a process as subprocess does: negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _become(given):
    """Make this process the command's: its group, folder, environment, output and arguments."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(given["folder"])
    os.environ.clear()
    os.environ.update(given["environment"])
    write = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, file, how in (
        (0, os.devnull, os.O_RDONLY),
        (1, given["printed"], write | os.O_TRUNC),
        (2, given["errors"], write),
    ):
        opened = os.open(file, how, 0o666)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = given["command"]
    # as for a script, or a module
    sys.path[0] = str(Path.cwd()) if sys.argv[0] == "-m" else str(Path(sys.argv[0]).parent)


if __name__ == "__main__":
    for module in sys.argv[1:]:
        importlib.import_module(module)
    # else each fork would look through all of this, and so copy it
    gc.freeze()
    for line in sys.stdin:
        given = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(given)
            break
        print(pid, flush=True)
        print(_wait_for(pid), flush=True)
    else:
        sys.exit()
    # at the top, so that the process ends as the command's own would
    try:
        if sys.argv[0] == "-m":
            del sys.argv[0]
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            raise
        code = end.code or 0
    else:
        code = 0
    # as the interpreter ends, but for freeing all modules one by one, which takes longer than most commands
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
