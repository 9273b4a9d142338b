"""`swift-hyperband best`: the best configuration, and its trained model."""

from __future__ import annotations

import argparse
import json
import math
import shlex
from pathlib import Path
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import number
from swift_hyperband.cli.where import add_where, started
from swift_hyperband.results import standing
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.standing import Best
from swift_hyperband.study.yaml_loader import to_yaml
from swift_hyperband.training import kept_states, reproducible
from swift_hyperband.training.load import loaded, settings_of

RECIPE = """\
from swift_hyperband import Results
best = Results.open({folder}).best
model = best.load()"""
"""Gives the trained model back in Python."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `best` takes."""
    parser.description = (
        "Print the best configuration of a search so far, and where its trained model lies. With --load, load the "
        "model, validate it once, and compare its metric with the recorded one."
    )
    add_where(parser)
    parser.add_argument("--load", action="store_true", help="load the trained model and validate it")
    parser.add_argument("--json", action="store_true", help="print the same as JSON")
    parser.set_defaults(run=_best)


def _best(options: argparse.Namespace) -> int:
    folder = started(options.where)
    history = History(folder)
    best = standing.best(history)
    if best is None:
        raise UserError(f"{folder.path}: must have a trial with a trained epoch, found none so far")
    found = _found(history, best)
    if options.load:
        found |= _loaded(folder, best)
    if options.json:
        # JSON has no nan
        kept = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in found.items()
        }
        print(json.dumps(kept, indent=1))
        return 0
    _show(history, found, options.where)
    return 0


def _found(history: History, best: Best) -> dict[str, Any]:
    """Return what is known of the best trial without its model."""
    metric = history.study.metric
    state = kept_states.model(history.folder.trial(best.trial), metric)
    return {
        "study": history.study.name,
        "finished": history.finished,
        "trial": best.trial,
        "bracket": history.trials[best.trial].bracket,
        "metric": metric.name,
        "value": best.value,
        "epoch": best.epoch,
        "configuration": dict(best.configuration),
        "state": None if state is None else str(state),
    }


def _loaded(folder: StudyFolder, best: Best) -> dict[str, Any]:
    """Load the model of the best trial and validate it once."""
    settings = settings_of(folder)
    # before torch is imported, as in a training: other numbers of threads round differently
    reproducible.set_environment(settings.threads)
    model = loaded(folder, best.trial)
    recorded = model.row[settings.metric]
    return {
        "loaded": type(model.target).__name__,
        "loaded_epoch": model.row["epoch"],
        "recorded": math.nan if recorded is None else recorded,
        "validated": model.validate(),
    }


def _show(history: History, found: dict[str, Any], where: Path) -> None:
    folder = history.folder
    so_far = "" if found["finished"] else " so far"
    value = f"{found['metric']} {number(found['value'], 6)} at epoch {found['epoch']}"
    print(f"best of {found['study']}{so_far}: {value}, trial {found['trial']} of bracket {found['bracket']}")
    print(to_yaml({"configuration": found["configuration"]}), end="")
    print(f"state: {found['state'] or 'none is kept'}")
    if "loaded" not in found:
        if found["state"] is not None and history.study.target.command is None:
            print(f"\nits trained model: swift-hyperband best {shlex.quote(str(where))} --load, or in Python:\n")
            print(_recipe(folder))
        return
    print(f"loaded: {found['loaded']} with the state of epoch {found['loaded_epoch']}")
    print(f"validated: {found['metric']} {_compared(found['validated'], found['recorded'])}")
    print(f"\nin Python:\n\n{_recipe(folder)}")


def _recipe(folder: StudyFolder) -> str:
    # a text of JSON is one of Python
    return RECIPE.format(folder=json.dumps(str(folder.path), ensure_ascii=False))


def _compared(value: float, recorded: float) -> str:
    """Return a validated metric beside the recorded one, for people."""
    if value == recorded:
        return f"{number(value, 6)}, as recorded"
    apart = f"{number(value, 6)}, recorded {number(recorded, 6)}"
    if math.isclose(value, recorded, rel_tol=1e-4):
        return f"{apart}: equal but for rounding"
    return f"{apart}: they differ; does validate() draw random numbers, or has its data changed?"
