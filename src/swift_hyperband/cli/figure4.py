"""`swift-hyperband figure4`: searches that really train beside each other."""

from __future__ import annotations

import argparse
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import write_text
from swift_hyperband.compare import real_runs
from swift_hyperband.results.layout import RESULTS

DEFAULT = Path("config/figure4.yaml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `figure4` takes."""
    parser.description = (
        "Run the searches of a file, config/figure4.yaml if none is given, one after another, each to its end, and "
        "draw what they found, trained and took. Runs that are there are not repeated; stopped at any moment, the same "
        "command goes on."
    )
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT, help="which searches, over which study")
    parser.add_argument("--only", metavar="SEARCH-SEED", help="one run, such as hyperband-1, and no picture")
    parser.add_argument("--draw", action="store_true", help="only the picture, of the runs that are there")
    parser.set_defaults(run=_figure4)


def _figure4(options: argparse.Namespace) -> int:
    settings = real_runs.load(options.file)
    wanted = {f"{search}-{seed}": (search, seed) for search, seed in settings.runs}
    if options.only is not None and options.only not in wanted:
        raise UserError(f"--only: must be among {', '.join(wanted)}, found {options.only!r}")
    for name, (search, seed) in wanted.items():
        if options.draw or options.only not in (None, name) or settings.result(search, seed).exists():
            continue
        found = real_runs.run(settings, search, seed)
        print(
            f"{name}: {settings.reported} {found.reported:.4g}, {found.epochs} epochs, {found.seconds / 60:.1f} min",
            flush=True,
        )
    return 0 if options.only is not None else _draw(settings)


def _draw(settings: real_runs.RealRuns) -> int:
    # matplotlib, which no run needs
    from swift_hyperband.report.compare import figure4

    results = real_runs.read(settings)
    folder = RESULTS / settings.name
    if not results:
        raise UserError(f"{folder}: must hold results of runs, found none; run them first")
    text = figure4.table(results, settings.reported)
    write_text(folder / "figure4.md", text)
    figure4.save(results, settings.reported, folder / "figure4.png")
    print(f"{text}\n{folder}/figure4.png")
    return 0
