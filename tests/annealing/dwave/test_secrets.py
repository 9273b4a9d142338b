"""The token goes to the annealer and nowhere else: no file, no output, no error, no repr."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swift_hyperband.annealing.dwave.conversation import PAUSES, sample
from swift_hyperband.annealing.dwave.errors import Access, AnnealerError
from swift_hyperband.annealing.dwave.store import Kept
from swift_hyperband.annealing.settings import SamplerSettings

SAMPLE = """
import sys, dimod, pathlib
from swift_hyperband.annealing.dwave import conversation
from swift_hyperband.annealing.settings import SamplerSettings
bqm = dimod.BinaryQuadraticModel({0: 1.0, 1: -1.0, 2: 0.5}, {(0, 1): 1.0, (1, 2): -1.0, (0, 2): 0.5}, "BINARY")
conversation.PAUSES = (0.1,)
for name in ("qpu", "hybrid"):
    print(conversation.sample(SamplerSettings(name=name, timeout=20.0), bqm, "fit 1", pathlib.Path("kept")).info)
"""


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Sample in a process with its home in `folder`, the client's log at its most talkative and its cache on."""
    home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    talkative = {"DWAVE_LOG_LEVEL": "trace", "DWAVE_CACHE_ENABLED": "1"}
    return subprocess.run(
        [sys.executable, "-c", SAMPLE],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **home, **talkative, **environment},
        capture_output=True,
        check=False,
    )


def test_no_file_and_no_output_holds_the_token(server: Any, sapi: Any, tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert server.submitted == 2
    written = everything(tmp_path)
    # the search looks where the client writes: its cache of solvers is there
    assert sapi.QPU.encode() in written
    for seen in (written, done.stdout, done.stderr):
        assert sapi.TOKEN.encode() not in seen


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
    faults: dict[str, Any], server: Any, sapi: Any, fail: Callable[..., None], tmp_path: Path
) -> None:
    fail(**faults)
    done = run(tmp_path)
    assert done.returncode != 0
    # an uncaught error is shown with its whole traceback
    assert b"AnnealerError" in done.stderr
    for seen in (everything(tmp_path), done.stdout, done.stderr):
        assert sapi.TOKEN.encode() not in seen


def test_a_token_that_no_header_can_hold_is_not_quoted(tmp_path: Path, server: Any) -> None:
    done = run(tmp_path, DWAVE_API_TOKEN="half-a-secret \tother-half")
    assert b"must be one word" in done.stderr
    assert b"other-half" not in done.stderr + done.stdout


def test_a_configuration_file_that_cannot_be_read_is_not_quoted(tmp_path: Path, server: Any) -> None:
    (tmp_path / "dwave.conf").write_text("[defaults]\ntoken a-secret-without-equals-sign\n")
    done = run(tmp_path, DWAVE_CONFIG_FILE=str(tmp_path / "dwave.conf"), DWAVE_API_TOKEN="")
    assert b"configuration must be readable" in done.stderr
    assert b"a-secret" not in done.stderr + done.stdout


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
