"""A folder in which a study over recorded curves can be run as a user runs it: real Snakemake, real jobs, no torch."""

import fcntl
import importlib.util
import os
import shutil
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


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished search of the default study with its report; tests may read it, and change copies only.

    One search serves all tests of this folder, whichever worker of pytest runs them.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            # one that failed half-way is made again, so that each worker shows the failure
            shutil.rmtree(shared, ignore_errors=True)
            shared.mkdir()
            workflow_project.Project.create(shared).run("swift-hyperband", "run", "--cores", "2")
            (shared / "done").touch()
    return workflow_project.Project(shared)


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished search."""
    shutil.copytree(finished.path, tmp_path / "copy", symlinks=True)
    return workflow_project.Project(tmp_path / "copy")
