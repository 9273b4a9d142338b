"""`swift-hyperband workflow`: where the workflow lies that Snakemake runs."""

from __future__ import annotations

import argparse

from swift_hyperband.base.shipped import DEFAULT_PROFILE, SNAKEFILE, shipped


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `workflow` takes."""
    parser.description = (
        'Print the path of the Snakefile, for snakemake --snakefile "$(swift-hyperband workflow)" in any folder with '
        "config/config.yaml, and for the directive 'module' of other workflows."
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="print the folder of its default profile instead, for --workflow-profile where another Snakefile uses it",
    )
    parser.set_defaults(run=_print)


def _print(options: argparse.Namespace) -> int:
    print(shipped(DEFAULT_PROFILE if options.profile else SNAKEFILE))
    return 0
