"""A loopback annealer, and an environment in which no user's own token, configuration or cache is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home in which clique embeddings are cached for the session."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the user's D-Wave configuration, and cache no solver: another server may get the same port."""
    for name in ("DWAVE_API_TOKEN", "DWAVE_API_ENDPOINT", "DWAVE_API_SOLVER", "DWAVE_CONFIG_FILE", "DWAVE_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("DWAVE_CACHE_ENABLED", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="session")
def loopback(sapi: ModuleType) -> Iterator[Any]:
    with sapi.Loopback(size=3) as server:
        yield server


@pytest.fixture
def server(loopback: Any, sapi: ModuleType, alone: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a small loopback annealer that has no problems yet, with the environment that points to it."""
    loopback.reset()
    monkeypatch.setenv("DWAVE_API_ENDPOINT", loopback.endpoint)
    monkeypatch.setenv("DWAVE_API_TOKEN", sapi.TOKEN)
    return loopback


@pytest.fixture
def fail(server: Any, sapi: ModuleType) -> Callable[..., None]:
    """Return a function that sets what the server does wrong."""

    def set_faults(**faults: Any) -> None:
        server.faults = sapi.Faults(**faults)

    return set_faults


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once after a temporary error."""
    from swift_hyperband.annealing.dwave import conversation

    monkeypatch.setattr(conversation, "PAUSES", (0.05, 0.05, 0.05))
