"""The notebook runs from its first cell to its last, in a folder with its model, and shows what it speaks of."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
RUN = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read("notebook.ipynb", as_version=4)
try:
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
finally:
    nbformat.write(notebook, "executed.ipynb")
"""


def test_it_is_stored_without_outputs():
    cells = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4).cells
    assert [cell.source for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    for name in ("notebook.ipynb", "torch_model.py"):
        shutil.copy(EXAMPLES / name, folder)
    # in a process of its own: the client's event loop is none of the tests'
    done = subprocess.run([sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-5000:]
    return folder


def outputs(folder):
    """Return what the cells showed, by kind."""
    found = {}
    for cell in nbformat.read(folder / "executed.ipynb", as_version=4).cells:
        for output in cell.get("outputs", ()):
            shown = {"stream": output.get("text", "")} if output.output_type == "stream" else output.get("data", {})
            for kind, text in shown.items():
                found.setdefault(kind, []).append(text)
    return found


def test_it_shows_plan_rounds_tables_and_pictures(executed):
    shown = outputs(executed)
    assert "bracket 3, round 0: 27 trials to epoch 1" in "".join(shown["stream"])
    tables = "".join(shown["text/html"])
    for text in ("notebook: 49 configurations", "not promoted", "<caption>best</caption>", "the best 10"):
        assert text in tables
    assert len(shown["image/png"]) == 4, "curves, configurations, the report's picture, the fitted model"
    printed = "".join(shown["text/plain"])
    assert "Error" not in "".join(shown["stream"]) + printed


def test_it_leaves_two_finished_searches(executed):
    for name in ("notebook", "own-loop"):
        assert (executed / "results" / name / "best.yaml").exists()
        assert not [*(executed / "results" / name).glob("**/lease")]
