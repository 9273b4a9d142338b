"""TensorBoard is told of each epoch once, whatever is killed; and nothing that goes wrong there reaches a training."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.study.model import load
from swift_hyperband.training import live
from swift_hyperband.training.trial import read_rows

if TYPE_CHECKING:
    from conftest import Study

accumulator: Any = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


@pytest.fixture
def study(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a study whose epochs are told to TensorBoard."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    return study.with_(live=["tensorboard"])


def told(study: Study, trial: str = "a") -> list[tuple[int, float]]:
    """Return the points of a trial as TensorBoard finds them, of all files."""
    events = accumulator.EventAccumulator(str(study.folder / "tensorboard" / trial), purge_orphaned_data=False)
    events.Reload()
    return [(point.step, point.value) for point in events.Scalars("accuracy")]


def measured(study: Study, trial: str = "a") -> list[tuple[int, float]]:
    rows = read_rows(study.trial(trial))
    return [(int(row["epoch"] or 0), pytest.approx(row["accuracy"], rel=1e-6)) for row in rows]


def files(study: Study) -> list[Path]:
    return sorted((study.folder / "tensorboard/a").iterdir())


def test_each_epoch_is_told_once_over_segments_and_kills(study: Study) -> None:
    from tensorboard.plugins.hparams import metadata

    study.add("a", seconds=0.05)
    study.train_here("a", 2)
    assert told(study) == measured(study)
    process = study.start(["a"], 40)
    study.wait_for_epoch("a", 6)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    # whether it was killed before or after it told of an epoch
    assert [step for step, _ in told(study)] == list(range(1, len(told(study)) + 1))
    study.train_here("a", 10)
    assert told(study) == measured(study)
    assert len(told(study)) == 10
    assert len(files(study)) == 3
    # the configuration is in the first file alone
    for number, path in enumerate(files(study)):
        events = accumulator.EventAccumulator(str(path))
        events.Reload()
        assert ("hparams" in events._plugin_to_tag_to_content) == (number == 0)
        if number == 0:
            content = events.PluginTagToContent("hparams")[metadata.SESSION_START_INFO_TAG]
            hparams = metadata.parse_session_start_info_plugin_data(content).hparams
            assert {name: value.number_value for name, value in hparams.items()} == {"seconds": 0.05}


def test_an_epoch_that_a_kill_has_torn_is_told_again(study: Study) -> None:
    study.add("a")
    study.train_here("a", 3)
    (path,) = files(study)
    path.write_bytes(path.read_bytes()[:-10])
    assert [step for step, _ in told(study)] == [1, 2]
    study.train_here("a", 5)
    assert told(study) == measured(study)
    assert len(told(study)) == 5


def test_epochs_that_are_trained_again_are_not_told_again(study: Study) -> None:
    place = study.add("a")
    study.train_here("a", 4)
    (place / "state.json").unlink()
    study.train_here("a", 6)
    assert told(study) == measured(study)
    # a trial that begins anew is told anew
    shutil.rmtree(place)
    study.add("a", slow=1)
    study.train_here("a", 2)
    assert told(study) == measured(study)
    assert len(told(study)) == 2


def test_a_search_that_was_started_without_it_tells_all_epochs(study: Study) -> None:
    study.add("a")
    study.with_(live=[]).train_here("a", 3)
    assert not (study.folder / "tensorboard").exists()
    study.train_here("a", 4)
    assert told(study) == measured(study)


def test_a_writer_that_fails_costs_a_warning(study: Study, capfd: pytest.CaptureFixture[str]) -> None:
    study.add("a")
    (study.folder / "tensorboard").write_text("a file in the place of the folder")
    assert len(study.train_here("a", 4).values) == 4
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "TensorBoard" in line]
    assert "trial a: TensorBoard is told no more, found " in line
    assert line.endswith("the training goes on")


def test_a_library_that_is_not_there_costs_one_warning(
    study: Study, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "_missing", [])
    monkeypatch.setitem(sys.modules, "swift_hyperband.training.event_files", None)
    for trial in "ab":
        study.add(trial)
        assert len(study.train_here(trial, 2).values) == 2
    assert capfd.readouterr().err.count("live: TensorBoard is not told of epochs") == 1
    assert json.dumps(study.settings.live) == '["tensorboard"]'


def test_a_study_that_asks_for_what_is_not_installed_is_refused_before_anything_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: a\ntarget: {name: digits-cnn, metric: accuracy, mode: max}\nlive: [tensorboard]\n"
        "space: {dropout: {type: float, low: 0.0, high: 0.8}}\nsearch: {max_epochs: 9}\n"
    )
    assert load(path).settings()["live"] == ["tensorboard"]
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    line = re.escape(f"{path}: live needs packages that are not installed, found no module 'tensorboard'; install them")
    with pytest.raises(UserError, match=line):
        load(path)
    # who only looks at a search needs none
    assert load(path, data=False).live == ["tensorboard"]
    path.write_text(path.read_text().replace("[tensorboard]", "[wandb]"))
    with pytest.raises(UserError, match=r"live\[0\] must be tensorboard, found 'wandb'"):
        load(path)
