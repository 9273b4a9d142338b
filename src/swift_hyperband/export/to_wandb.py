"""A search as runs of Weights & Biases, written offline: no network, no account (https://docs.wandb.ai, 0.31).

`wandb sync` uploads them. A run has the id <study>-<trial>, so that a second upload is of the same runs.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

# reports of wandb's own errors go to its makers; the user may ask for them
os.environ.setdefault("WANDB_ERROR_REPORTING", "false")

import wandb

from swift_hyperband.base.errors import UserError
from swift_hyperband.export.trials import LOST, Search, Trial, Written, counted


def write(search: Search, out: str | None) -> Written:
    """Write an offline run for each trial; those of an earlier export are replaced.

    Parameters
    ----------
    search : Search
    out : str, optional
        The folder; runs lie in `wandb` below it.
    """
    place = search.place if out is None else Path(out)
    place.mkdir(parents=True, exist_ok=True)
    if not os.access(place, os.W_OK):
        # wandb would write to a temporary folder
        raise UserError(f"{place}: must be a folder that can be written to")
    settings = wandb.Settings(
        mode="offline",
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )
    _clear(place, search)
    for trial in search.begun:
        _write(place, settings, search, trial)
    wandb.teardown()
    folder = place / "wandb"
    return Written(
        counted(len(search.begun), "run"), str(folder), f"wandb sync {shlex.quote(str(folder))}/offline-run-*"
    )


def _clear(place: Path, search: Search) -> None:
    """Delete the runs of an earlier export, also those that this one leaves out."""
    ours = {f"{search.name}-{trial}" for trial in search.every}
    for earlier in (place / "wandb").glob("offline-run-*"):
        # offline-run-20261129_013700-digits-1f74af6edf18
        if (found := re.fullmatch(r"offline-run-\d+_\d+-(.+)", earlier.name)) and found[1] in ours:
            shutil.rmtree(earlier)


def _write(place: Path, settings: wandb.Settings, search: Search, trial: Trial) -> None:
    name = f"{search.name}-{trial.trial}"
    run = wandb.init(
        project=search.name,
        id=name,
        name=trial.trial,
        group=f"bracket {trial.bracket}",
        tags=[str(trial.fate)],
        config=dict(trial.configuration),
        dir=str(place),
        settings=settings,
        reinit="finish_previous",
    )
    for epoch, row in enumerate(trial.rows, 1):
        run.log(dict(row), step=epoch)
    run.summary.update(
        {
            "trial": trial.trial,
            "bracket": trial.bracket,
            "slot": trial.slot,
            "status": str(trial.fate),
            "epochs": len(trial.rows),
            **({} if trial.epoch is None else {"epoch": trial.epoch, f"counted {search.metric.name}": trial.value}),
        }
    )
    run.finish(exit_code=1 if trial.fate in LOST else 0)
