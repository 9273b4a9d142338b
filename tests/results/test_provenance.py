"""A search notes with what it ran, and does not go on with another model without a word."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli import main
from swift_hyperband.report.search.report import write_report
from swift_hyperband.results import provenance
from swift_hyperband.results.begin import reason_to_give_up
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import parse
from swift_hyperband.targets import code_files
from swift_hyperband.workflow.driver import run_search

MODEL = """
import helper
from nets import blocks


class Net:
    def setup(self, configuration, context):
        self.x, self.epoch = configuration["x"], 0

    def train_epoch(self, epoch):
        self.epoch = epoch

    def validate(self):
        return {"loss": helper.loss(self.x, self.epoch)}

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]
"""
FILES = {
    "net.py": MODEL,
    "helper.py": "def loss(x, epoch):\n    return x / epoch\n",
    "nets/__init__.py": "",
    "nets/blocks.py": "from .layers import Layer\n",
    "nets/layers.py": "class Layer: pass\n",
    "plot.py": "import helper\n",
    "program.py": "import helper\n",
    "run.sh": "#!/bin/sh\npython program.py\n",
    "settings.json": "{}",
}
CLASS = {"name": "net.py:Net"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(provenance.ALLOW, raising=False)
    for name in ("helper", "nets", "nets.blocks", "nets.layers", "target_net"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name, text in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    Path("run.sh").chmod(0o755)
    return tmp_path


def study(**keys):
    content = {
        "name": "mine",
        "target": {**CLASS, "metric": "loss", "mode": "min"},
        "space": {"x": {"type": "float", "low": 0.1, "high": 1.0}},
        "search": {"algorithm": "hyperband", "max_epochs": 4, "eta": 2},
    }
    return parse({**content, **keys}, "study.yaml")


FOLDER = StudyFolder(Path("results/mine"))


def search(epochs=None):
    """Run the search, as far as to a round's end if wanted."""

    class EnoughError(Exception):
        pass

    def stop(record):
        if epochs is not None and record.schedule.end >= epochs:
            raise EnoughError

    try:
        run_search(study(), FOLDER, 1, stop)
    except EnoughError:
        return
    finally:
        # as a new process would
        for name in list(sys.modules):
            if name in ("helper", "target_net") or name.startswith("nets"):
                del sys.modules[name]
        (FOLDER.path / "lease").unlink(missing_ok=True)


def files(**target):
    return sorted(code_files.digests({"name": None, "command": None, "first_command": None, **target}))


# --- which files -------------------------------------------------------------------------------------------------


def test_a_target_is_its_file_and_what_it_imports_beside_it():
    assert files(**CLASS) == ["helper.py", "net.py", "nets/__init__.py", "nets/blocks.py", "nets/layers.py"]


def test_a_module_of_a_package_is_all_of_the_package():
    Path("nets/unused.py").write_text("")
    assert files(name="nets.blocks:Net") == [
        "nets/__init__.py",
        "nets/blocks.py",
        "nets/layers.py",
        "nets/unused.py",
    ]
    assert files(name="net:Net") == files(**CLASS)


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("./run.sh", ["run.sh"]),
        ([sys.executable, "program.py", "--lr", "{lr}"], ["helper.py", "program.py"]),
        ("python -m program --config=settings.json", ["helper.py", "program.py", "settings.json"]),
        ("python -m json.tool", []),
        (["python", "-c", "print(1)" * 1000], []),
        ("no-such-program at all", []),
    ],
)
def test_a_command_is_the_scripts_and_files_among_its_words(command, found):
    assert files(command=command) == found


def test_a_first_command_counts_too_and_a_built_in_target_by_the_version_alone():
    assert files(command="./run.sh", first_command="python program.py") == ["helper.py", "program.py", "run.sh"]
    assert files(name="digits-cnn") == []


def test_a_file_that_is_no_python_or_imports_in_a_circle_does_no_harm():
    Path("helper.py").write_text("import net, nonsense.of.no.package\nfrom . import *\nfrom .... import x\n")
    Path("nets/layers.py").write_text("def broken(:\n")
    assert "nets/layers.py" in files(**CLASS)


# --- what is noted -----------------------------------------------------------------------------------------------


def test_each_start_notes_host_versions_and_digests_and_the_result_nothing_of_it():
    search(epochs=1)
    search()
    first, second = provenance.read(FOLDER)
    assert first["host"] == os.uname().nodename
    assert first["versions"]["python"] == sys.version.split()[0]
    assert {"swift-hyperband", "numpy", "torch"} <= set(first["versions"])
    assert first["code"] == second["code"]
    assert set(first["code"]) == set(files(**CLASS))
    assert first["changed"] == second["changed"] == []
    assert provenance.lines(FOLDER)[0].endswith(f", on {os.uname().nodename}")
    best = FOLDER.best.read_text()
    assert os.uname().nodename not in best
    # to look at a finished search is no start of it
    search()
    assert len(provenance.read(FOLDER)) == 2
    assert FOLDER.best.read_text() == best


def test_the_commit_is_noted_where_there_is_one():
    def git(*words):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *identity, *words], check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    found = provenance.start(study().definition()["target"])["git"]
    assert len(found["commit"]) == 40
    assert not found["changed"]
    Path("net.py").write_text(MODEL + "# edited\n")
    assert provenance.start(study().definition()["target"])["git"] == {**found, "changed": True}


def test_other_versions_and_another_host_are_told_in_a_line_and_refused_by_nobody(capfd):
    search(epochs=1)
    content = json.loads(FOLDER.provenance.read_text())
    content["starts"][0] |= {"host": "node7", "versions": {**content["starts"][0]["versions"], "torch": "1.0"}}
    FOLDER.provenance.write_text(json.dumps(content))
    search()
    (told,) = [line for line in capfd.readouterr().err.splitlines() if "since the last start" in line]
    assert "torch 1.0 -> " in told
    assert f"host node7 -> {os.uname().nodename}" in told


@pytest.mark.parametrize("text", ["{[", "", "[]", '{"starts": 3}', '{"starts": [{"time": 1}]}', '{"starts": [null]}'])
def test_a_damaged_note_asks_nothing(text):
    search(epochs=1)
    FOLDER.provenance.write_text(text)
    Path("helper.py").write_text("def loss(x, epoch):\n    return x\n")
    search()
    assert len(provenance.read(FOLDER)) == 1


# --- changed code ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edited", ["net.py", "helper.py", "nets/layers.py"])
def test_a_search_whose_code_changed_is_refused_with_the_files_and_the_way_on(edited):
    search(epochs=1)
    Path(edited).write_text(FILES[edited] + "# edited\n")
    with pytest.raises(UserError) as caught:
        search()
    assert str(caught.value).startswith(
        f"results/mine: the model's code changed since trials were trained: {edited} was edited; "
    )
    assert "--allow-changed-code" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    # undone, it goes on
    Path(edited).write_text(FILES[edited])
    search()
    assert FOLDER.best.exists()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_in_a_terminal_it_is_asked(monkeypatch):
    search(epochs=1)
    Path("helper.py").write_text("def loss(x, epoch):\n    return 2 * x / epoch\n")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    for answer in ("n\n", "\n", ""):
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        with pytest.raises(UserError):
            search()
    assert "helper.py was edited.\nGo on, with trials of both in one search? [y/N] " in screen.getvalue()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    monkeypatch.setenv(provenance.ALLOW, "")
    search()
    assert FOLDER.best.exists()


def test_what_is_no_part_of_the_model_may_change():
    search(epochs=1)
    Path("plot.py").write_text("import matplotlib\n")
    search()
    assert FOLDER.best.exists()


def test_changed_code_is_allowed_once_and_then_told_for_ever(monkeypatch, capsys):
    search(epochs=1)
    Path("helper.py").write_text("def loss(x, epoch):\n    return 2 * x / epoch\n")
    Path("more.py").write_text("")
    Path("net.py").write_text("import more\n" + MODEL)
    monkeypatch.setenv(provenance.ALLOW, "1")
    search(epochs=2)
    monkeypatch.delenv(provenance.ALLOW)
    search()
    write_report(History(FOLDER), FOLDER)
    assert [len(entry["changed"]) for entry in provenance.read(FOLDER)] == [0, 3, 0]
    assert main(["status", "results/mine"]) == 0
    assert "helper.py was edited" in " ".join(capsys.readouterr().out.split())
    page = (FOLDER.report / "index.html").read_text()
    assert "helper.py was edited" in page
    assert f"python {sys.version.split()[0]}" in page
    assert provenance.lines(FOLDER)[1].endswith(": helper.py was edited, net.py was edited, more.py is new")


def test_before_anything_is_trained_and_after_all_is_the_code_may_change():
    FOLDER.path.mkdir(parents=True)
    provenance.note(FOLDER, study().definition()["target"])
    Path("helper.py").write_text("def loss(x, epoch):\n    return 2 * x / epoch\n")
    search()
    assert len(provenance.read(FOLDER)) == 2
    Path("helper.py").write_text("def loss(x, epoch):\n    return 3 * x / epoch\n")
    search()
    assert len(provenance.read(FOLDER)) == 2


def test_a_finished_search_loses_nothing_where_a_trial_of_it_would_be_trained_with_other_code(monkeypatch):
    search()
    best = FOLDER.best.read_bytes()
    write_report(History(FOLDER), FOLDER)
    (state,) = FOLDER.path.glob("trials/*/state.*")
    lost = next(path for path in sorted(FOLDER.path.glob("trials/*/curve.jsonl")) if path.parent != state.parent)
    lost.unlink()
    helper = Path("helper.py").read_text()
    Path("helper.py").write_text("def loss(x, epoch):\n    return 2 * x / epoch\n")
    line = (
        f"results/mine: trial {lost.parent.name} must be trained again, as its files are damaged or lost, and the "
        "model's code changed since trials were trained: helper.py was edited; one search must have one model"
    )
    with pytest.raises(UserError, match=f"^{line}"):
        search()
    assert FOLDER.best.read_bytes() == best
    assert FOLDER.curves.exists()
    Path("helper.py").write_text(helper)
    search()
    assert FOLDER.best.read_bytes() == best
    assert lost.exists()


def test_code_that_only_lies_in_another_folder_did_not_change():
    before = {"/home/a/net.py": "1", "helper.py": "2"}
    assert provenance.changes(before, {"/home/b/net.py": "1", "helper.py": "2"}) == []
    found = provenance.changes(before, {"/home/b/net.py": "3", "helper.py": "2"})
    assert found == ["/home/b/net.py is new", "/home/a/net.py is gone"]


def test_a_job_of_a_search_does_not_train_with_code_that_was_edited_meanwhile(monkeypatch):
    search(epochs=1)
    Path("helper.py").write_text("def loss(x, epoch):\n    return 2 * x / epoch\n")
    target = study().definition()["target"]
    with pytest.raises(UserError, match=r"the model's code changed while its search runs: helper\.py was edited"):
        provenance.check_job(FOLDER, target)
    # so Snakemake need not try again
    assert "helper.py was edited" in reason_to_give_up(FOLDER, target, 5)
    monkeypatch.setenv(provenance.ALLOW, "1")
    provenance.check_job(FOLDER, target)
    assert reason_to_give_up(FOLDER, target, 5) is None
