"""A study over recorded curves, run by workers."""

import importlib.util
import sys
from pathlib import Path

import pytest

# tests are no package, so what they share is loaded by its path; dataclasses look their module up
for name, file in {"workflow_project": "workflow/project.py", "worker_actors": "workers/actors.py"}.items():
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / file)
        sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[spec.name])


@pytest.fixture
def project(tmp_path):
    """A fresh project folder, with 120 noisy power-law curves in table.csv and a study that workers run."""
    found = sys.modules["workflow_project"].Project.create(tmp_path)
    found.study(execution="workers")
    return found
