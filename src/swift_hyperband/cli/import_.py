"""`swift-hyperband import`: earlier trials with their curves, to teach a search."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.shipped import page
from swift_hyperband.base.wording import without_password
from swift_hyperband.cli.arguments import STUDY_FILE
from swift_hyperband.earlier.imports import collect
from swift_hyperband.study.model import parse
from swift_hyperband.study.reader import read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `import` takes."""
    parser.description = (
        "Write earlier trials with their curves to a file: of searches of ours, of Optuna studies, of tables. Named by "
        f"search.imported in the study file, it teaches the predictors and the model that draws. {page('earlier.md')} "
        "tells how. Trials outside of the study's space are left out and counted."
    )
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="results/<study>, an Optuna storage (a URL, an SQLite file, a journal), or a table (CSV, Parquet)",
    )
    parser.add_argument("--study", type=Path, default=STUDY_FILE, help="the study file that they are to teach")
    parser.add_argument("--study-name", metavar="NAME", help="which study of an Optuna storage, if it holds several")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the file to write (default: imported.json beside the study file)"
    )
    parser.set_defaults(run=_import)


def _import(options: argparse.Namespace) -> int:
    raw = dict(read(options.study))
    if isinstance(raw.get("search"), Mapping):
        # the file that it names may be the one to write
        raw["search"] = {key: value for key, value in raw["search"].items() if key != "imported"}
    study = parse(raw, str(options.study))
    found = collect(study, options.sources, options.study_name)
    left_out = "".join(f"\n  {count} left out: {why}" for why, count in sorted(found.left_out.items()))
    count, total = len(found.content.trials), len(found.content.trials) + sum(found.left_out.values())
    if not count:
        sources = " and ".join(map(without_password, options.sources))
        raise UserError(f"{options.study}: no trial of {sources} fits ({total} read){left_out}")
    out: Path = options.out or options.study.with_name("imported.json")
    found.content.write(out)
    print(f"{count} of {total} trials imported into {out}{left_out}")
    ends = sorted({round_.end for round_ in study.schedule().rounds})
    reached = [f"{sum(len(one.values) >= end for one in found.content.trials)} to epoch {end}" for end in ends]
    print(f"their curves reach: {', '.join(reached)}")
    for note in found.notes:
        print(f"note: {note}")
    print(f"use it in {options.study}:\n  search:\n    imported: {out}")
    return 0
