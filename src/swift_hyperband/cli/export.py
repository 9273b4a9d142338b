"""`swift-hyperband export`: a search for Optuna, MLflow, TensorBoard, Weights & Biases or a table."""

from __future__ import annotations

import argparse
from importlib import import_module

from swift_hyperband.base.packages import require
from swift_hyperband.base.shipped import page
from swift_hyperband.cli.arguments import at_least
from swift_hyperband.cli.where import add_where, started
from swift_hyperband.export.trials import Search, Written
from swift_hyperband.results.history import History

TARGETS = {
    "optuna": ("to_optuna", ("optuna", "sqlalchemy")),
    "mlflow": ("to_mlflow", ("mlflow", "sqlalchemy")),
    "tensorboard": ("to_tensorboard", ("tensorboard",)),
    "wandb-offline": ("to_wandb", ("wandb",)),
    "csv": ("to_csv", ()),
}
"""The module of `swift_hyperband.export` that writes for each target, and what it imports."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `export` takes."""
    parser.description = (
        "Write the trials of a search, finished or not, for another tool: an Optuna study, an MLflow experiment, event "
        "files of TensorBoard, offline runs of Weights & Biases, or tables. Run it again for what is new. "
        f"{page('export.md')} tells what each holds."
    )
    add_where(parser)
    parser.add_argument("--to", required=True, choices=TARGETS, help="the tool")
    parser.add_argument(
        "--out",
        metavar="PLACE",
        help="file, folder or (optuna, mlflow) URL to write to (default: below results/<study>/export)",
    )
    parser.add_argument("--best", type=int, action=at_least(1), metavar="N", help="write the N best trials only")
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    module, packages = TARGETS[options.to]
    folder = started(options.where)
    require(f"export --to {options.to}", *packages)
    search = Search.of(History(folder))
    if options.best is not None:
        search = search.best(options.best)
    written: Written = import_module(f"swift_hyperband.export.{module}").write(search, options.out)
    print(f"{written.what} of {folder.path} written to {written.place}\nopen it: {written.hint}")
    return 0
