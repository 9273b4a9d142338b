"""`swift-hyperband data`: data that can be had, in the formats that the built-in targets read."""

from __future__ import annotations

import argparse
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli.arguments import COMPARISON_FILE
from swift_hyperband.compare.comparison import load
from swift_hyperband.datasets.substitutes import SUBSTITUTES, write

CURVES = "curves"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `data` takes."""
    parser.description = (
        "Fetch or generate data that anybody can have, in the formats of CIFAR-10, SVHN, the Penn Treebank and "
        "Delphes, which the built-in targets read. Without a name: what there is. 'curves': which published tables of "
        "learning curves are there for 'compare', and where to take the others from, by hand."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to fetch; 'all' for what needs nothing else")
    parser.add_argument("--to", type=Path, default=Path("data"), help="the folder to write to (default: data)")
    parser.set_defaults(run=_data)


def _data(options: argparse.Namespace) -> int:
    if not options.names:
        for name, found in SUBSTITUTES.items():
            print(f"{name:14} {found.what}\n{'':14} licence: {found.licence}; {found.size}")
            if found.needs:
                print(f"{'':14} needs: {found.needs}")
            for folder in found.folders:
                there = "there" if (options.to / folder).is_dir() else "not there yet"
                print(f"{'':14} {options.to / folder} ({there})")
        return 0
    if options.names == [CURVES]:
        return _list_curves()
    everything = [name for name, found in SUBSTITUTES.items() if not found.needs]
    # each once, in the order given
    names = list(dict.fromkeys(one for name in options.names for one in (everything if name == "all" else [name])))
    if unknown := [name for name in names if name not in SUBSTITUTES]:
        raise UserError(f"data: must be among {', '.join(SUBSTITUTES)} or all, found {unknown[0]!r}")
    for name in names:
        for path in write(name, options.to):
            print(f"{name}: {path}")
    return 0


def _list_curves() -> int:
    """List the tables of config/compare.yaml: where each lies, or where to get it."""
    found = load(COMPARISON_FILE)
    there = {source.name: source.path for source in found.sources}
    for table in found.keys.tables:
        take = f"not there yet: {found.folder / table.path}; take it from {table.source or 'its authors'}"
        print(f"{table.name}: {there[table.name]} (there)" if table.name in there else f"{table.name}: {take}")
    return 0
