"""A folder with searches over recorded curves, one of which goes on with the trials of another."""

import importlib.util
import sys
from pathlib import Path

import pytest

# tests are no package, so what they share is loaded by its path; dataclasses look their module up
if "workflow_project" not in sys.modules:
    spec = importlib.util.spec_from_file_location("workflow_project", Path(__file__).parents[1] / "workflow/project.py")
    sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[spec.name])


@pytest.fixture
def project(tmp_path):
    """A fresh project folder, with 120 noisy power-law curves in table.csv."""
    return sys.modules["workflow_project"].Project.create(tmp_path)
