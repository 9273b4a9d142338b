"""A search as an experiment of MLflow, a run for each trial: https://mlflow.org/docs/latest (3.17).

MLflow 3 writes no folders (`mlruns`) any more. Its SQLite store needs SQLAlchemy and Alembic beside mlflow-skinny.
"""

from __future__ import annotations

import logging
import math
import os
import re
import shlex
import time
from pathlib import Path
from typing import Any

# it would be sent to MLflow's makers when it is imported; the user may ask for it
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# two lines for each run on a server
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.tracking import MlflowClient

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import without_password
from swift_hyperband.export.trials import GOES_ON, LOST, Search, Trial, Written, counted, sqlite

TAG = "swift_hyperband."
"""How the names of our tags begin."""
MOST_METRICS, MOST_PARAMS = 1000, 100
"""What MLflow takes in one call."""
PAGE = 1000


def write(search: Search, out: str | None) -> Written:
    """Write an experiment of the search's name. Runs of an earlier export get what is new since.

    Parameters
    ----------
    search : Search
    out : str, optional
        A file, which becomes an SQLite store, or the URI of a tracking server or database as MLflow takes it.

    Raises
    ------
    UserError
        If the store cannot be opened or written to.
    """
    # tables that are made, and steps of Alembic
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    uri, artifacts = _uri(search, out)
    try:
        client = MlflowClient(tracking_uri=uri)
        experiment = _experiment(client, search, artifacts)
        known = _runs(client, experiment)
        for trial in search.begun:
            _write(client, experiment, trial, known.get(trial.trial))
    except (OSError, UserError):
        raise
    except Exception as error:
        # MLflow's, SQLAlchemy's or Alembic's
        found = without_password(" ".join(f"{type(error).__name__}: {error}".split()))[:300]
        raise UserError(f"--out: must be a store that MLflow writes to, found {found}") from None
    hint = (
        f"{uri}/#/experiments/{experiment}/runs"
        if uri.startswith("http")
        else f"mlflow ui --backend-store-uri {shlex.quote(without_password(uri))}"
    )
    return Written(counted(len(search.begun), "run"), without_password(uri), without_password(hint))


def _uri(search: Search, out: str | None) -> tuple[str, str | None]:
    """Return the store, and where its artifacts would lie, as MLflow would make a folder in the working directory."""
    if out is not None and "://" in out:
        return out, None
    path = search.place / "mlflow.db" if out is None else Path(out)
    uri = sqlite(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.open("ab").close()
    except OSError as error:
        # MLflow would try for minutes
        needed = f"{path}: must be a file that can be written, found: {error.strerror}"
        raise UserError(f"{needed}; give another one by --out") from None
    return uri, path.resolve().with_suffix(".artifacts").as_uri()


def _experiment(client: MlflowClient, search: Search, artifacts: str | None) -> str:
    found = client.get_experiment_by_name(search.name)
    if found is not None:
        if found.lifecycle_stage == "deleted":
            raise UserError(f"--out: has a deleted experiment {search.name!r}; restore it, or give another --out")
        return str(found.experiment_id)
    tags = {f"{TAG}metric": search.metric.name, f"{TAG}mode": search.metric.mode, f"{TAG}folder": str(search.folder)}
    return str(client.create_experiment(search.name, artifact_location=artifacts, tags=tags))


def _runs(client: MlflowClient, experiment: str) -> dict[str, Run]:
    """Return the runs of an earlier export by trial."""
    found: dict[str, Run] = {}
    token = None
    while True:
        page = client.search_runs([experiment], max_results=PAGE, page_token=token)
        found |= {run.data.tags[f"{TAG}trial"]: run for run in page if f"{TAG}trial" in run.data.tags}
        token = page.token
        if not token:
            return found


def _write(client: MlflowClient, experiment: str, trial: Trial, known: Run | None) -> None:
    now = time.time()
    tags = _tags(trial)
    if known is None:
        began = None if math.isnan(trial.began) else _milliseconds(trial.began)
        run = client.create_run(experiment, began, {f"{TAG}trial": trial.trial}, trial.trial)
        params = [Param(_name(name), str(value)) for name, value in trial.configuration.items()]
        for first in range(0, len(params), MOST_PARAMS):
            client.log_batch(run.info.run_id, params=params[first : first + MOST_PARAMS])
    else:
        run = known
        if all(run.data.tags.get(name) == value for name, value in tags.items()):
            return
    behind = int(run.data.tags.get(f"{TAG}epochs", 0))
    metrics = [
        Metric(_name(name), value, _milliseconds(now if math.isnan(ended) else ended), epoch)
        for epoch, (row, ended) in enumerate(zip(trial.rows, trial.ends, strict=True), 1)
        if epoch > behind
        for name, value in row.items()
    ]
    for first in range(0, len(metrics), MOST_METRICS):
        client.log_batch(run.info.run_id, metrics=metrics[first : first + MOST_METRICS])
    client.log_batch(run.info.run_id, tags=[RunTag(name, value) for name, value in tags.items()])
    if trial.fate not in GOES_ON:
        ended = now if math.isnan(trial.ended) else trial.ended
        status = "FAILED" if trial.fate in LOST else "FINISHED"
        client.set_terminated(run.info.run_id, status, _milliseconds(ended))


def _tags(trial: Trial) -> dict[str, str]:
    found: dict[str, Any] = {
        "bracket": trial.bracket,
        "slot": trial.slot,
        "status": trial.fate,
        "epochs": len(trial.rows),
        **({} if trial.epoch is None else {"epoch": trial.epoch, "value": trial.value}),
    }
    return {f"{TAG}{name}": str(value) for name, value in found.items()}


def _name(name: str) -> str:
    """Return a name as MLflow takes it: letters, digits, _ - . / : and spaces."""
    return re.sub(r"[^/\w.\- :]", "_", name)


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
