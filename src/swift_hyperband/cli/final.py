"""`swift-hyperband final`: train the winner of a search on, or again with other seeds."""

from __future__ import annotations

import argparse
import json
import logging
import math
import shlex
import statistics
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import write_text
from swift_hyperband.base.wording import number
from swift_hyperband.cli.arguments import add_workers, at_least
from swift_hyperband.cli.live import shown
from swift_hyperband.cli.where import add_where, started
from swift_hyperband.results import provenance, standing
from swift_hyperband.results.freeze import check_frozen
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.standing import Best
from swift_hyperband.study.yaml_loader import to_yaml
from swift_hyperband.training import kept_states
from swift_hyperband.workers import local
from swift_hyperband.workflow import driver, final

logger = logging.getLogger(__name__)

ON, ANEW = "final", "seeds"
"""How the names of the studies end: of the winner that is trained on, and of its configuration with other seeds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `final` takes."""
    parser.description = (
        "Train the winner of a search on to more epochs (--epochs), or its configuration from the start with other "
        "seeds (--seeds). That is a study of its own, results/<study>-final or results/<study>-seeds, which goes on "
        "where it was if it is stopped and started again."
    )
    add_where(parser)
    parser.add_argument(
        "--epochs",
        type=int,
        action=at_least(2),
        metavar="N",
        help="the last epoch, counted from the trial's first (with --seeds: the study's max_epochs by default)",
    )
    parser.add_argument("--seeds", type=int, action=at_least(1), metavar="K", help="train it from the start, K times")
    parser.add_argument("--name", help="the name of the study (default: <study>-final, <study>-seeds)")
    parser.add_argument(
        "--only-write", action="store_true", help="write the study file and train nothing, to run it on a cluster"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_workers(parser, "trainings side by side")
    parser.set_defaults(run=_final)


def _final(options: argparse.Namespace) -> int:
    if options.epochs is None and options.seeds is None:
        raise UserError("final must have --epochs (train the winner on) or --seeds (train it anew), found neither")
    if options.only_write and options.seeds is None:
        raise UserError("--only-write must have --seeds, as the winner's state is handed over here, found none")
    history = History(started(options.where))
    best = standing.best(history)
    if best is None:
        raise UserError(f"{history.folder.path}: must have a trial with a trained epoch, found none so far")
    if not history.finished:
        logger.warning(
            f"{history.folder.path}: its search is not over, so this trains trial {best.trial}, the best so far"
        )
    content = _content(history, best, options)
    study = final.study_of(content)
    folder = StudyFolder.of(study.name, study.results)
    # one that is refused must not replace the file of one that goes on
    check_frozen(folder, study)
    path = folder.path.with_name(f"{study.name}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, to_yaml(content))
    if options.only_write:
        print(f"study file: {path}\nrun it: swift-hyperband run {shlex.quote(str(path))}")
        return 0
    if options.seeds is None:
        final.hand_over(history, best, study, folder)
    provenance.check(folder, study.definition()["target"])
    with shown(folder):
        run_search = local.run_search if study.execution == "workers" else driver.run_search
        run_search(study, folder, options.workers or study.resources.workers)
    _show(History(folder), history, options)
    return 0


def _content(history: History, best: Best, options: argparse.Namespace) -> dict[str, Any]:
    name = options.name or f"{history.study.name}-{ON if options.seeds is None else ANEW}"
    if options.seeds is None:
        return final.going_on(history, best, name, options.epochs)
    epochs = options.epochs or history.study.search.max_epochs
    return final.from_the_start(history, best, name, epochs, options.seeds)


def _show(found: History, before: History, options: argparse.Namespace) -> None:
    """Print each training, the mean and the standard deviation over them, and the best one."""
    best, searched = standing.best(found), standing.best(before)
    assert best is not None
    assert searched is not None
    metric = found.study.metric
    reached = {name: trial.curve for name, trial in found.trials.items() if not standing.lost(found, trial)}
    counted = {name: curve[metric.epoch([row[metric.name] for row in curve]) - 1] for name, curve in reached.items()}
    names = [
        metric.name,
        *sorted({name for row in counted.values() for name in row} - {metric.name, "epoch", "seconds"}),
    ]
    # further metrics need not be finite
    finite = {name: [row[name] for row in counted.values() if math.isfinite(row.get(name, math.nan))] for name in names}
    means = {name: _mean(values) for name, values in finite.items()}
    if options.json:
        told = {
            "study": found.study.name,
            "folder": str(found.folder.path),
            "metric": metric.name,
            "values": {name: row[metric.name] for name, row in counted.items()},
            "failed": len(found.trials) - len(reached),
            **{
                key: {name: mean[place] for name, mean in means.items()}
                for place, key in enumerate(("mean", "deviation"))
            },
            "winner": searched.trial,
            "best": best.trial,
            "epoch": best.epoch,
        }
        print(json.dumps(told, indent=1))
        return
    won = f"{number(searched.value, 6)} at epoch {searched.epoch}, trial {searched.trial}"
    print(f"\n{metric.name} of the search{'' if before.finished else ' so far'}: {won}")
    for name, row in counted.items():
        # the one trial that trains the winner on has an id that is another trial's in the search
        whose = name if options.seeds is not None else f"{searched.trial}, trained on"
        print(f"{metric.name} of {whose}: {number(row[metric.name], 6)} at epoch {row['epoch']:.0f}")
    if lost := len(found.trials) - len(reached):
        print(f"{lost} of {len(found.trials)} failed or diverged")
    if len(counted) > 1:
        for name, (mean, deviation) in means.items():
            over = f"(mean ± standard deviation of {len(finite[name])})"
            known = "not finite" if mean is None else f"{number(mean, 6)} ± {number(deviation or 0.0, 2)} {over}"
            print(f"{name}: {known}")
    place = found.folder.trial(best.trial)
    print(f"best: trial {best.trial}, {place}")
    if found.study.target.command is None:
        print(f"load it: swift-hyperband best {shlex.quote(str(found.folder.path))} --load")
    else:
        # its program alone can read it
        print(f"state: {kept_states.model(place, metric) or 'none is kept'}")


def _mean(values: list[float]) -> tuple[float | None, float | None]:
    """Return the mean and the standard deviation of a sample; None where there is none."""
    if not values:
        return None, None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None
