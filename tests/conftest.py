"""What all tests share: the loopback annealer, and a processor left as it was found."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def sapi() -> ModuleType:
    """Return the module with the loopback server."""
    spec = importlib.util.spec_from_file_location("loopback_sapi", Path(__file__).with_name("annealing") / "sapi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def processor() -> Iterator[None]:
    """Let a test that trains within this process leave denormal numbers on again, for those that follow."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
