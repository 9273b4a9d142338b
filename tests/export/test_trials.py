"""What all exports are made of."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path

import pytest

from swift_hyperband.base.wording import without_password
from swift_hyperband.cli import main
from swift_hyperband.export.trials import Search, _times
from swift_hyperband.results.history import History
from swift_hyperband.results.standing import Fate
from swift_hyperband.training.trial import read_rows


@pytest.mark.parametrize("name", ["finished", "running", "without_rounds"])
def test_trials_have_their_curves_and_times(name: str, request: pytest.FixtureRequest) -> None:
    history: History = request.getfixturevalue(name)
    search = Search.of(history)
    assert search.metrics == ["score", "drawn", "left"]
    assert {trial.trial for trial in search.trials} == set(history.trials)
    assert [trial.began for trial in search.trials if trial.rows] == sorted(
        trial.began for trial in search.trials if trial.rows
    )
    for trial in search.trials:
        rows = read_rows(history.folder.trial(trial.trial))
        assert [row["left"] for row in trial.rows] == [row["left"] for row in rows]
        assert all(begin <= end for begin, end in zip(trial.begins, trial.ends, strict=True))
        if trial.fate in (Fate.FAILED, Fate.DIVERGED) or not rows:
            assert (trial.epoch, trial.value) == (None, None)
        else:
            assert (trial.epoch, trial.value) == (len(rows), rows[-1]["score"])
    assert {trial.fate for trial in search.trials} >= {Fate.FAILED, Fate.DIVERGED, Fate.NOT_PROMOTED}


@pytest.mark.parametrize(
    ("target", "module"), [("mlflow", "mlflow"), ("wandb-offline", "wandb"), ("tensorboard", "tensorboard")]
)
@pytest.mark.filterwarnings("ignore")
def test_a_trial_that_has_not_begun_is_no_run_yet(
    target: str, module: str, waiting: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(module)
    assert [trial.fate for trial in Search.of(waiting).trials].count(Fate.WAITING) == 1
    out = tmp_path / "out"
    assert main(["export", str(waiting.folder.path), "--to", target, "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith("16 ")
    if target == "tensorboard":
        assert len(list(out.iterdir())) == 16


def test_epochs_that_a_program_begins_at_once_follow_each_other() -> None:
    begins, ends = _times({1: 100.0, 2: 100.0, 4: 200.0}, [2.0, 3.0, 1.0, math.nan])
    assert begins[:2] == [100.0, 102.0]
    assert ends[:2] == [102.0, 105.0]
    assert math.isnan(begins[2])
    assert math.isnan(ends[2])
    assert begins[3] == ends[3] == 200.0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:s3cret@host:5432/studies", "postgresql://me:***@host:5432/studies"),
        ("postgresql+psycopg://me:a/b:c@host/db", "postgresql+psycopg://me:***@host/db"),
        ("mysql://host/db?user=me&password=s3cret&ssl=1", "mysql://host/db?user=me&password=***&ssl=1"),
        ("http://server:5000", "http://server:5000"),
        ("sqlite:///results/a/export/optuna.db", "sqlite:///results/a/export/optuna.db"),
    ],
)
def test_a_password_is_never_shown(text: str, shown: str) -> None:
    assert without_password(f"load_study(storage={text!r})") == f"load_study(storage={shown!r})"


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize("target", ["optuna", "mlflow"])
@pytest.mark.filterwarnings("ignore")
def test_the_file_that_was_named_is_written_or_none(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(target)
    pytest.importorskip("sqlalchemy")
    arguments = ["export", "finished.yaml", "--best", "1", "--to", target, "--out"]
    assert main([*arguments, str(tmp_path / "a?b.db")]) == 2
    line = f"error: --out: must be a file without ? in its path, as it becomes a URL, found {tmp_path}/a?b.db\n"
    assert capsys.readouterr().err == line
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "a b;c%20#%s.db"
    assert main([*arguments, str(file)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    if target == "mlflow":
        # as a shell takes it
        hint = shlex.split(capsys.readouterr().out.splitlines()[-1])
        assert hint[-4:] == ["mlflow", "ui", "--backend-store-uri", f"sqlite:///{file}"]


@pytest.mark.usefixtures("finished")
@pytest.mark.filterwarnings("ignore")
def test_a_file_that_mlflow_cannot_write_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    assert main(["export", "finished.yaml", "--to", "mlflow", "--out", str(tmp_path)]) == 2
    line = f"error: {tmp_path}: must be a file that can be written, found: Is a directory; give another one by --out\n"
    assert capsys.readouterr().err == line


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize("target", ["optuna", "mlflow"])
@pytest.mark.filterwarnings("ignore")
def test_a_database_that_cannot_be_opened_is_told_without_its_password(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(target)
    assert main(["export", "finished.yaml", "--to", target, "--out", "nosuch://me:s3cret@host/db"]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: --out: must be a sto")
    assert "s3cret" not in printed.out + printed.err


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize(
    ("target", "module", "extra"),
    [
        ("optuna", "optuna", "optuna"),
        ("mlflow", "mlflow", "mlflow"),
        ("tensorboard", "tensorboard", "tensorboard"),
        ("wandb-offline", "wandb", "wandb"),
    ],
)
def test_a_library_that_is_not_there_is_named_with_its_extra(
    target: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["export", "finished.yaml", "--to", target]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"error: export --to {target} needs packages that are not installed, found no module")
    assert error.endswith(f"pip install 'swift-hyperband[{extra}]'\n")


@pytest.mark.usefixtures("finished")
def test_a_place_that_is_a_file_or_no_search_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "finished.yaml", "--to", "csv", "--out", "bowl.py"]) == 2
    assert "bowl.py" in (error := capsys.readouterr().err)
    assert error.count("\n") == 1
    assert main(["export", "nothing", "--to", "csv"]) == 2
    assert "must be a study file or the folder of a started search" in capsys.readouterr().err
    assert not Path("nothing").exists()
