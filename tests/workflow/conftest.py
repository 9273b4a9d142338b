"""A folder in which a study over recorded curves can be run as a user runs it: real Snakemake, real jobs, no torch."""

import importlib.util
import sys
from pathlib import Path

import pytest

# tests are no package, so what they share is loaded by its path; dataclasses look their module up
spec = importlib.util.spec_from_file_location("workflow_project", Path(__file__).with_name("project.py"))
workflow_project = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(workflow_project)


@pytest.fixture
def project(tmp_path):
    """A fresh project folder, with 120 noisy power-law curves in table.csv."""
    return workflow_project.Project.create(tmp_path)
