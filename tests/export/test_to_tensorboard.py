"""TensorBoard's own reader finds the curves and the hyperparameters."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swift_hyperband.cli import main
from swift_hyperband.export.trials import GOES_ON, LOST, Search
from swift_hyperband.results import standing
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder

accumulator: Any = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


@pytest.mark.parametrize("name", ["finished", "running"])
def test_each_trial_has_its_curve_and_its_configuration(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    from tensorboard.plugins.hparams import api_pb2, metadata

    history: History = request.getfixturevalue(name)
    for _ in range(2):
        # the second export replaces the first
        assert main(["export", str(history.folder.path), "--to", "tensorboard", "--out", str(tmp_path)]) == 0
    search = Search.of(history)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(trial.trial for trial in search.begun)
    for trial in search.begun:
        assert len(list((tmp_path / trial.trial).iterdir())) == 1
        events = accumulator.EventAccumulator(str(tmp_path / trial.trial))
        events.Reload()
        content = events.PluginTagToContent("hparams")
        started = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG])
        found = {key: getattr(value, str(value.WhichOneof("kind"))) for key, value in started.hparams.items()}
        assert found == trial.configuration
        assert (metadata.SESSION_END_INFO_TAG in content) == (trial.fate not in GOES_ON)
        if trial.fate not in GOES_ON:
            ended = metadata.parse_session_end_info_plugin_data(content[metadata.SESSION_END_INFO_TAG])
            assert (ended.status == api_pb2.STATUS_FAILURE) == (trial.fate in LOST)
        if not trial.rows:
            continue
        for metric in search.metrics:
            points = events.Scalars(metric)
            assert [point.step for point in points] == list(range(1, len(trial.rows) + 1))
            # TensorBoard has single precision
            measured = np.array([row[metric] for row in trial.rows], np.float32)
            np.testing.assert_array_equal(np.array([point.value for point in points], np.float32), measured)
            assert [point.wall_time for point in points] == list(trial.ends)


def test_a_second_export_of_fewer_trials_leaves_none_of_the_first(
    finished: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, search = tmp_path / "with a space", Search.of(finished)
    arguments = ["export", str(finished.folder.path), "--to", "tensorboard", "--out", str(place)]
    assert main(arguments) == 0
    mine, kept = place / "of_mine", place / search.trials[-1].trial / "note"
    mine.mkdir()
    kept.write_text("mine")
    assert main([*arguments, "--best", "2"]) == 0
    # as a shell takes it
    assert shlex.split(capsys.readouterr().out)[-3:] == ["tensorboard", "--logdir", str(place)]
    best = {trial.trial for trial in search.best(2).trials}
    assert {path.name for path in place.iterdir()} == {*best, mine.name, kept.parent.name}
    assert list(kept.parent.iterdir()) == [kept]


def test_a_search_tells_of_its_epochs_while_it_trains(
    finished: History, search: Callable[..., StudyFolder], inside: Path
) -> None:
    folder = search(inside, "told", more="live: [tensorboard]\n")
    history = History(folder)
    # it does not define the study
    assert history.study.live == ["tensorboard"]
    assert "live" not in history.study.definition()
    assert {name: trial.configuration for name, trial in history.trials.items()} == {
        name: trial.configuration for name, trial in finished.trials.items()
    }
    assert standing.best(history) == standing.best(finished)
    for trial in history.trials.values():
        events = accumulator.EventAccumulator(str(folder.path / "tensorboard" / trial.trial))
        events.Reload()
        if trial.curve:
            assert [point.step for point in events.Scalars("left")] == [row["epoch"] for row in trial.curve]
