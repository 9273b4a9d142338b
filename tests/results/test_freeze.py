"""The folder of a study: what is said where nothing is left, and where it cannot be written or read."""

import errno
import json
import os
import sys

import pytest

from swift_hyperband import cli
from swift_hyperband.base.errors import UserError, about_disk
from swift_hyperband.results import provenance
from swift_hyperband.results.best import Best
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.trials import nothing_left
from swift_hyperband.study.model import parse
from swift_hyperband.training.sealed import sealed_json
from swift_hyperband.training.trial import write_rows

STUDY = """\
name: {name}
target: {{name: curve-table, metric: loss, mode: min, options: {{table: table.csv}}}}
space: {{row: {{type: int, low: 0, high: 3}}}}
search: {{algorithm: random, trials: 2, max_epochs: 2, eta: 2, seed: 1}}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a study file of a search of two trials."""
    monkeypatch.chdir(tmp_path)
    # a search that is refused leaves nothing behind in this process, one that runs holds its lease
    monkeypatch.setattr("swift_hyperband.workflow.driver.become_head", become_head)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(STUDY.format(name="small"))
    rows = [f"{row},{epoch},{1 / (row + epoch)}" for row in range(4) for epoch in (1, 2)]
    (tmp_path / "table.csv").write_text("\n".join(["row,epoch,loss", *rows]) + "\n")
    return tmp_path


def become_head(folder):
    from swift_hyperband.processes import head

    head.lead(folder).release()


def trial(folder, name, *losses, failed=None):
    place = folder.trial(name)
    place.mkdir(parents=True)
    write_rows(place, [{"epoch": epoch, "loss": loss} for epoch, loss in enumerate(losses, 1)])
    if failed is not None:
        record = {"starts": 3, "epoch": len(losses), "error": failed, "traceback": "", "failed": True}
        (place / "failures.json").write_text(json.dumps(record))


# --- nothing is left ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "line"),
    [
        (
            {"a": "diverged", "b": "diverged"},
            "every trial diverged; narrow the search space (a smaller learning rate?)",
        ),
        ({"a": "failed", "b": "failed"}, "every trial failed; {cure}; the first error, from {a}: no luck at all"),
        (
            {"a": "diverged", "b": "failed", "c": "failed"},
            "every trial failed or diverged (2 failed, 1 diverged); {cure}; the first error, from {b}: no luck at all",
        ),
        ({"a": "ok", "b": "diverged"}, "every trial diverged or was out before (1 diverged, 1 out before); narrow"),
        ({"a": "ok", "b": "failed"}, "every trial failed or was out before (1 failed, 1 out before); {cure}; the"),
    ],
)
def test_where_nothing_is_left_the_line_tells_what_became_of_the_trials(tmp_path, ends, line):
    folder = StudyFolder(tmp_path / "small")
    for name, end in ends.items():
        trial(folder, name, *{"diverged": (0.5, None), "failed": (), "ok": (0.5,)}[end], failed=_error(end))
    places = {name: folder.trial(name) / "failures.json" for name in ends}
    told = nothing_left(folder, "loss")
    cure = f"mend it, delete {folder.path}/trials/*/failures.json, and start again, which tries them again"
    assert told.startswith(f"{folder.path}: {line.format(cure=cure, **places)}")
    assert all((str(path) in told) <= path.exists() for path in places.values())


def _error(end):
    return "no luck\nat all" if end == "failed" else None


# --- odd places --------------------------------------------------------------------------------------------------


def search(capsys):
    code = cli.main(["search"])
    return code, capsys.readouterr().err.strip().splitlines()


@pytest.mark.parametrize("odd", ["results a file", "study a file", "study a dangling link", "results a dangling link"])
def test_where_no_folder_can_be_made_one_line_says_so(project, capsys, odd):
    place = project / ("results" if odd.startswith("results") else "results/small")
    place.parent.mkdir(exist_ok=True)
    if odd.endswith("file"):
        place.write_text("")
    else:
        place.symlink_to("nowhere")
    code, (line,) = search(capsys)
    assert code == 2
    assert line.startswith("error: results")
    assert "must be a folder or not be there" in line or "must lie in a folder" in line
    for command in (["status"], ["plan"]):
        cli.main(command)
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (errno.EACCES, 2, "must be readable and writable for you, found: Permission denied"),
        (errno.EROFS, 1, "the disk must take what is written, found: Read-only file system"),
        (errno.EDQUOT, 1, "the disk must take what is written, found: Disk quota exceeded"),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_one_line(project, capsys, monkeypatch, number, code, told):
    # as root no permission binds, and no file system is mounted here
    real = os.open

    def refuse(path, flags, *rest, **more):
        if "small" in os.fspath(path) and flags & os.O_CREAT:
            raise OSError(number, os.strerror(number), os.fspath(path))
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    found, (line,) = search(capsys)
    assert found == code
    assert line.startswith("error: results/small/")
    assert told in line


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_results_folder_without_permissions_is_one_line(project, capsys):
    (project / "results").mkdir(mode=0o500)
    code, (line,) = search(capsys)
    assert (code, "Permission denied" in line) == (2, True)


def test_a_name_longer_than_a_file_may_have_is_refused_at_load(project, capsys):
    (project / "config/config.yaml").write_text(STUDY.format(name="a" * 201))
    code, (line,) = search(capsys)
    assert code == 2
    assert "name must have at most 200 characters, as it names the folder of the results, found 201" in line
    content = {
        "name": "a" * 200,
        "target": {"name": "curve-table", "metric": "loss", "mode": "min"},
        "space": {"row": {"type": "int", "low": 0, "high": 3}},
        "search": {"max_epochs": 9},
    }
    assert parse(content, "study.yaml").name == "a" * 200


def test_a_path_that_is_too_long_is_told_without_all_of_it():
    line = about_disk(OSError(errno.ENAMETOOLONG, "File name too long", "x" * 5000))
    assert "must be shorter" in line
    assert len(line) < 500


def test_a_damaged_best_yaml_is_one_line(tmp_path):
    folder = StudyFolder(tmp_path)
    for content, told in (("", "it must be an object, found null"), ("value: [", "must be YAML, found something else")):
        folder.best.write_text(content)
        with pytest.raises(UserError, match=told):
            Best.read(folder.best)


# --- from the command line, with a real search -------------------------------------------------------------------


def test_a_finished_search_in_one_process_is_mended_too(project, capsys, monkeypatch):
    # tests before may have imported it, and the state would be one of torch
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert cli.main(["search"]) == 0
    folder = StudyFolder(project / "results/small")
    best, curves = folder.best.read_bytes(), {path: path.read_text() for path in folder.path.rglob("curve.jsonl")}
    state = next(folder.path.glob("trials/*/state.json"))
    kept = json.loads(state.read_text())["parts"]
    state.write_bytes(state.read_bytes()[:-9] + b"x" + state.read_bytes()[-8:])
    folder.best.write_text("")
    folder.curves.unlink()
    capsys.readouterr()
    assert cli.main(["status", "results/small"]) == 2
    assert "best.yaml: it must be an object, found null; delete the file" in capsys.readouterr().err
    assert cli.main(["search"]) == 0
    assert "its bytes are not those that were saved, and it is the result" in capsys.readouterr().err
    assert folder.best.read_bytes() == best
    assert json.loads(state.read_text())["parts"] == kept
    assert {path: path.read_text() for path in curves} == curves
    assert folder.curves.exists()
    assert cli.main(["status", "results/small"]) == 0


def test_a_sound_state_that_is_not_the_results_own_is_made_again_and_no_other_trial_is(project, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert cli.main(["search"]) == 0
    folder = StudyFolder(project / "results/small")
    best, state = folder.best.read_bytes(), next(folder.path.glob("trials/*/state.json"))
    content = json.loads(state.read_text())
    del content["sha256"]
    earlier = content | {"curve": content["curve"][:1], "parts": {"target": {"epoch": 1}}}
    for other, line in (
        (content | {"trial": "b"}, "it is the state of trial b, and it is the result"),
        (earlier, "it is of epoch 1, and the trial is trained to epoch 2, and it is the result"),
    ):
        state.write_text(sealed_json(other))
        capsys.readouterr()
        assert cli.main(["search"]) == 0
        assert f"{state.relative_to(project)}: {line}" in capsys.readouterr().err
        assert {key: json.loads(state.read_text())[key] for key in content} == content
        assert folder.best.read_bytes() == best
    # a curve that lost its end, or has another trial's numbers, is that of the state again
    curve = state.with_name("curve.jsonl")
    rows = curve.read_text()
    for wrong in (rows.splitlines(keepends=True)[0], rows.replace('"loss": ', '"loss": 1'), rows + rows[:-1]):
        curve.write_text(wrong)
        assert cli.main(["search"]) == 0
        said = capsys.readouterr().err
        assert f"trials that are trained again: {state.parent.name}\n" in said
        assert curve.read_text() == rows
        assert folder.best.read_bytes() == best
    longer = json.loads(rows.splitlines()[-1]) | {"epoch": 3}
    curve.write_text(rows + json.dumps(longer) + "\n")
    assert cli.main(["search"]) == 0
    assert f"{curve.relative_to(project)}: holds epochs beyond the last one of the search" in capsys.readouterr().err
    assert curve.read_text() == rows


def test_a_search_whose_trials_all_failed_goes_on_once_they_are_mended_and_their_failures_deleted(project, capsys):
    model = project / "late.py"
    model.write_text(LATE)
    keys = STUDY.format(name="small").replace("name: curve-table", 'name: "late.py:Late"')
    keys = keys.replace("options: {table: table.csv}", "threads: 1")
    (project / "config/config.yaml").write_text(keys + "retries: 0\n")
    assert cli.main(["search"]) == 2
    assert "results/small: every trial failed; mend it, delete results/small/trials/*/failures.json" in _said(capsys)
    model.write_text(LATE.replace("epoch == 2", "epoch == 333"))
    # as a new process would not have it (the compiled file is older, if the length differs)
    del sys.modules["target_late"]
    for path in project.glob("results/small/trials/*/failures.json"):
        path.unlink()
    assert cli.main(["search"]) == 2
    assert "late.py was edited" in _said(capsys)
    assert cli.main(["search", "--allow-changed-code"]) == 0
    assert Best.read(project / "results/small/best.yaml").epochs == 2
    del os.environ[provenance.ALLOW]


def _said(capsys):
    return capsys.readouterr().err


LATE = """\
class Late:
    def setup(self, configuration, context):
        self.row, self.epoch = configuration["row"], 0

    def train_epoch(self, epoch):
        if epoch == 2:
            raise RuntimeError("no luck")
        self.epoch = epoch

    def validate(self):
        return {"loss": 1 / (self.row + self.epoch)}

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]
"""
