"""Optuna itself opens what was exported: states, values, distributions, plots."""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swift_hyperband.cli import main
from swift_hyperband.export.trials import Search
from swift_hyperband.results.history import History
from swift_hyperband.results.standing import Fate

if TYPE_CHECKING:
    import optuna as library

optuna: Any = pytest.importorskip("optuna")
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
STATES = {
    Fate.FINISHED: "COMPLETE",
    Fate.STOPPED: "PRUNED",
    Fate.NOT_PROMOTED: "PRUNED",
    Fate.FAILED: "FAIL",
    Fate.DIVERGED: "FAIL",
    Fate.RUNNING: "RUNNING",
    Fate.PROMOTED: "RUNNING",
    Fate.WAITING: "WAITING",
}


def exported(history: History, out: Path) -> library.Study:
    assert main(["export", str(history.folder.path), "--to", "optuna", "--out", str(out)]) == 0
    return opened(history, out)


def opened(history: History, out: Path) -> library.Study:
    journal = out.suffix == ".log"
    backend = optuna.storages.journal.JournalFileBackend
    storage = optuna.storages.JournalStorage(backend(str(out))) if journal else f"sqlite:///{out}"
    return optuna.load_study(study_name=history.study.name, storage=storage)


@pytest.mark.parametrize("name", ["finished", "running", "without_rounds"])
def test_optuna_finds_each_trial_as_it_was(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    history: History = request.getfixturevalue(name)
    study = exported(history, tmp_path / "study.log")
    assert study.direction.name == "MAXIMIZE"
    assert study.metric_names == ["score"]
    search = Search.of(history)
    assert len(study.trials) == len(search.trials) == 17
    by_id = {trial.user_attrs["trial"]: trial for trial in study.trials}
    for trial in search.trials:
        found = by_id[trial.trial]
        assert found.state.name == STATES[trial.fate]
        assert found.params == trial.configuration
        assert ("momentum" in found.params) == (found.params["optimizer"] == "sgd"), "an inactive one is absent"
        expected = {epoch: row["score"] for epoch, row in enumerate(trial.rows, 1)}
        assert found.intermediate_values == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
        for key in ("bracket", "slot"):
            assert found.user_attrs[key] == getattr(trial, key)
        assert found.user_attrs["epochs"] == len(trial.rows)
        counts = found.state.name in ("COMPLETE", "PRUNED")
        assert found.value == (trial.value if counts else None)
        if trial.rows:
            assert found.datetime_start == datetime.fromtimestamp(trial.began)
        if trial.rows and found.datetime_complete is not None:
            assert found.datetime_complete == datetime.fromtimestamp(trial.ended)
    states = Counter(trial.state.name for trial in study.trials)
    assert states["PRUNED"]
    assert states["FAIL"]
    assert bool(states["RUNNING"]) == (name == "running")
    assert any(math.isnan(value) for trial in study.trials for value in trial.intermediate_values.values())
    assert bool(states["COMPLETE"]) == (name != "running")
    if name == "running":
        return
    best = max(search.trials, key=lambda trial: trial.value if trial.fate is Fate.FINISHED else -math.inf)
    assert study.best_trial.user_attrs["trial"] == best.trial


def test_distributions_are_those_of_the_space(finished: History, tmp_path: Path) -> None:
    study = exported(finished, tmp_path / "study.log")
    named = optuna.distributions
    expected = {
        "lr": named.FloatDistribution(1e-4, 1e-1, log=True),
        "decay": named.FloatDistribution(0.0, 1.0),
        "depth": named.IntDistribution(2, 8),
        "batch": named.CategoricalDistribution((32, 64, 128)),
        "optimizer": named.CategoricalDistribution(("sgd", "adam")),
        "momentum": named.FloatDistribution(0.0, 0.99),
    }
    found = {name: kind for trial in study.trials for name, kind in trial.distributions.items()}
    assert found == expected


def test_a_database_is_the_default_and_is_written_anew_for_what_is_new(
    running: History, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main(["export", "running.yaml", "--to", "optuna"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "17 trials of results/running written to results/running/export/optuna.db"
    assert said[1] == (
        "open it: optuna.load_study(study_name='running', storage='sqlite:///results/running/export/optuna.db')"
    )
    study = opened(running, inside / "results/running/export/optuna.db")
    assert len(study.trials) == 17


def test_a_trial_that_has_not_begun_waits(waiting: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "study.log"
    study = exported(waiting, place)
    (found,) = [trial for trial in study.trials if trial.state.name == "WAITING"]
    (expected,) = [trial for trial in Search.of(waiting).trials if trial.fate is Fate.WAITING]
    assert (found.user_attrs["trial"], found.params) == (expected.trial, expected.configuration)
    assert (found.values, found.datetime_start, found.datetime_complete) == (None, None, None)
    # Optuna trains it, if it goes on: then it is no export's any more
    study.optimize(lambda trial: float(trial.suggest_float("lr", 1e-4, 1e-1, log=True)), n_trials=1)
    assert opened(waiting, place).trials[found.number].value == expected.configuration["lr"]
    assert main(["export", str(waiting.folder.path), "--to", "optuna", "--out", str(place)]) == 2
    assert "with trials that are no export of ours; give another --out" in capsys.readouterr().err


def test_a_study_of_somebody_else_is_left_alone(
    finished: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "study.log"
    study = exported(finished, place)
    study.enqueue_trial({"depth": 3})
    arguments = ["export", str(finished.folder.path), "--to", "optuna", "--out"]
    assert main([*arguments, str(place)]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"error: {place}: has a study 'finished' already, with trials that are no export of ours; give another --out\n"
    )
    assert len(opened(finished, place).trials) == 18
    assert main([*arguments, "nosuch://place"]) == 2
    assert "error: --out: must be a storage that Optuna opens, found " in capsys.readouterr().err


def test_optuna_goes_on_with_the_study(finished: History, tmp_path: Path) -> None:
    study = exported(finished, tmp_path / "study.log")

    def objective(trial: Any) -> float:
        lr = float(trial.suggest_float("lr", 1e-4, 1e-1, log=True))
        optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam"])
        momentum = trial.suggest_float("momentum", 0.0, 0.99) if optimizer == "sgd" else 0.0
        return -abs(math.log10(lr) + 2) - float(momentum)

    study.optimize(objective, n_trials=2)
    assert [trial.state.name for trial in study.trials[17:]] == ["COMPLETE", "COMPLETE"]


@pytest.mark.filterwarnings("ignore:Some regimes for parameter")
def test_the_plots_of_optuna_show_the_search(finished: History, tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    study = exported(finished, tmp_path / "study.log")
    plots = optuna.visualization
    complete = sum(trial.state.name == "COMPLETE" for trial in study.trials)
    history = plots.plot_optimization_history(study)
    assert len(history.data[0].x) == complete
    curves = plots.plot_intermediate_values(study)
    assert len(curves.data) == sum(
        bool(trial.intermediate_values) and trial.state.name != "FAIL" for trial in study.trials
    )
    importances = plots.plot_param_importances(study)
    assert set(importances.data[0].y) <= set(finished.study.space)
    coordinates = plots.plot_parallel_coordinate(study, params=["lr", "depth"]).layout.xaxis.ticktext
    assert coordinates[1:] == ("depth", "lr")
    assert len(plots.plot_slice(study, params=["lr", "depth"]).data) == 2
