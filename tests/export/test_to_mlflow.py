"""MLflow's own client reads back what was exported."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from swift_hyperband.cli import main
from swift_hyperband.export.trials import GOES_ON, LOST, Search
from swift_hyperband.results.history import History

pytestmark = pytest.mark.filterwarnings("ignore")


def runs(store: Path) -> tuple[Any, list[Any]]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{store}")
    (experiment,) = [found for found in client.search_experiments() if found.name != "Default"]
    return client, client.search_runs([experiment.experiment_id], max_results=1000)


def test_each_trial_is_a_run_and_a_second_export_adds_what_is_new(
    finished: History, running: History, tmp_path: Path
) -> None:
    pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    store = tmp_path / "store.db"
    # the same search, before and after
    shutil.copytree(running.folder.path, tmp_path / "results/finished")
    frozen = tmp_path / "results/finished/study.json"
    frozen.write_text(frozen.read_text().replace('"running"', '"finished"'))
    before, after = History(type(running.folder)(frozen.parent)), finished
    for history, times in ((before, 1), (after, 2)):
        for _ in range(times):
            assert main(["export", str(history.folder.path), "--to", "mlflow", "--out", str(store)]) == 0
        client, found = runs(store)
        search = Search.of(history)
        by_id = {run.data.tags["swift_hyperband.trial"]: run for run in found}
        assert len(found) == len(by_id) == len(search.begun)
        for trial in search.begun:
            run = by_id[trial.trial]
            assert run.info.run_name == trial.trial
            assert run.data.params == {name: str(value) for name, value in trial.configuration.items()}
            expected = "RUNNING" if trial.fate in GOES_ON else "FAILED" if trial.fate in LOST else "FINISHED"
            assert run.info.status == expected
            tags = run.data.tags
            assert (tags["swift_hyperband.status"], tags["swift_hyperband.bracket"]) == (trial.fate, str(trial.bracket))
            for metric in search.metrics if history is after else ["score"]:
                # in no order
                points = sorted(client.get_metric_history(run.info.run_id, metric), key=lambda point: point.step)
                assert [point.step for point in points] == list(range(1, len(trial.rows) + 1))
                reached = [row[metric] for row in trial.rows]
                assert [point.value for point in points] == pytest.approx(reached, rel=0, abs=0, nan_ok=True)
    assert not (tmp_path / "mlruns").exists()
    assert not Path("mlruns").exists(), "no folder is made where the user is"


def test_a_store_that_is_none_is_told_in_a_line(
    finished: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow")
    (tmp_path / "text.db").write_text("no database\n" * 100)
    assert main(["export", "finished.yaml", "--to", "mlflow", "--out", str(tmp_path / "text.db")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --out: must be a store that MLflow writes to, found ")
    assert error.count("\n") == 1
