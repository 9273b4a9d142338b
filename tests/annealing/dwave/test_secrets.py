"""The token goes to the annealer and nowhere else: no file, no output, no error, no repr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from swift_hyperband.annealing.dwave.access import Access
from swift_hyperband.annealing.dwave.conversation import PAUSES, sample
from swift_hyperband.annealing.dwave.store import Kept
from swift_hyperband.annealing.errors import AnnealerError
from swift_hyperband.annealing.settings import SamplerSettings

SAMPLER = """
import json, os, pathlib, sys, traceback
import dimod, dwave.cloud, dwave.system
from swift_hyperband.annealing.dwave import conversation
from swift_hyperband.annealing.settings import SamplerSettings

conversation.PAUSES = (0.1,)
bqm = dimod.BinaryQuadraticModel({0: 1.0, 1: -1.0, 2: 0.5}, {(0, 1): 1.0, (1, 2): -1.0, (0, 2): 0.5}, "BINARY")

def sample(folder, output, environment):
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(os.path.join(output, name), os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    try:
        for name in ("qpu", "hybrid"):
            print(conversation.sample(SamplerSettings(name), bqm, "fit 1", pathlib.Path("kept")).info)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

for line in sys.stdin:
    process = os.fork()
    if not process:
        code = sample(**json.loads(line))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


class Done(NamedTuple):
    """What a process left: its exit code, its output, and the contents of all files in its home."""

    code: int
    printed: bytes
    written: bytes


Run = Callable[..., Done]
"""Samples in a process of its own with other variables, and returns what it left."""


@pytest.fixture(scope="module")
def sampler() -> Iterator[subprocess.Popen[str]]:
    """Return a process with D-Wave's client, whose log is at its most talkative; each case is a fork of it."""
    talkative = {"DWAVE_LOG_LEVEL": "trace", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SAMPLER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env={**os.environ, **talkative}, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def run(sampler: subprocess.Popen[str], server: Any, tmp_path: Path) -> Run:
    """Return a function that samples in a process with its home in a folder and the client's cache on."""
    assert sampler.stdin is not None
    assert sampler.stdout is not None
    stdin, stdout = sampler.stdin, sampler.stdout
    home, output = tmp_path / "home", tmp_path / "output"
    home.mkdir()
    output.mkdir()

    def sample(**variables: str) -> Done:
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
        environment = {**os.environ, **dict.fromkeys(names, str(home)), "DWAVE_CACHE_ENABLED": "1", **variables}
        case = {"folder": str(home), "output": str(output), "environment": environment}
        print(json.dumps(case), file=stdin, flush=True)
        code = int(stdout.readline())
        printed = b"".join((output / name).read_bytes() for name in ("stdout", "stderr"))
        return Done(code, printed, b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file()))

    return sample


def test_no_file_and_no_output_holds_the_token(run: Run, server: Any, sapi: Any) -> None:
    done = run()
    assert done.code == 0, done.printed.decode()
    assert server.submitted == 2
    # the search looks where the client writes: its cache of solvers is there
    assert sapi.QPU.encode() in done.written
    assert sapi.TOKEN.encode() not in done.written + done.printed


@pytest.mark.parametrize(
    "faults",
    [
        {"status": {"submit": 403}, "text": "bad header X-Auth-Token: {token}"},
        {"status": {"solvers": 500}, "text": "bad header X-Auth-Token: {token}"},
        {"status": {"upload": 403}, "text": "bad header X-Auth-Token: {token}"},
        {"outcome": "FAILED", "message": "a-token-that-nobody-may-see is out of quota"},
        {"html": True},
    ],
    ids=str,
)
def test_no_error_holds_the_token_even_if_the_server_repeats_it(
    faults: dict[str, Any], run: Run, sapi: Any, fail: Callable[..., None]
) -> None:
    fail(**faults)
    done = run()
    assert done.code == 1
    # the whole traceback
    assert b"AnnealerError" in done.printed
    assert sapi.TOKEN.encode() not in done.written + done.printed


def test_a_token_that_no_header_can_hold_is_not_quoted(run: Run) -> None:
    done = run(DWAVE_API_TOKEN="half-a-secret \tother-half")
    assert b"must be one word" in done.printed
    assert b"other-half" not in done.printed


def test_a_configuration_file_that_cannot_be_read_is_not_quoted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dwave.conf").write_text("[defaults]\ntoken a-secret-without-equals-sign\n")
    done = run(DWAVE_CONFIG_FILE=str(tmp_path / "dwave.conf"), DWAVE_API_TOKEN="")
    assert b"configuration must be readable" in done.printed
    assert b"a-secret" not in done.printed


def test_a_password_in_the_endpoint_is_not_shown(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWAVE_API_ENDPOINT", "http://user:a-password@127.0.0.1:9/sapi")
    monkeypatch.setattr("swift_hyperband.annealing.dwave.conversation.PAUSES", PAUSES[:0])
    import dimod

    with pytest.raises(AnnealerError, match=r"the annealer at 127\.0\.0\.1:9 ") as error:
        sample(SamplerSettings(name="qpu", timeout=5.0), dimod.BinaryQuadraticModel({0: 1.0}, {}, "BINARY"), "fit 1")
    assert "a-password" not in str(error.value)


def test_no_repr_holds_the_token(server: Any, sapi: Any, tmp_path: Path) -> None:
    access = Access.configured()
    assert sapi.TOKEN in access.secrets
    assert sapi.TOKEN not in repr(access)
    assert sapi.TOKEN not in repr(vars(Kept(tmp_path)))
    assert access.clean(f"token={sapi.TOKEN}\nand more") == "token=*** and more"
