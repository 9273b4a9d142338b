"""`swift-hyperband init`: a study and a model to edit, in a folder of one's own."""

from __future__ import annotations

import argparse
import shlex
from importlib.util import find_spec
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import write_text
from swift_hyperband.base.packages import cure
from swift_hyperband.base.shipped import PROFILES, SCHEMA, STARTS, shipped
from swift_hyperband.cli.arguments import STUDY_FILE

TARGETS = {"torch": "torch", "lightning": "lightning", "command": None}
"""Kinds of targets, and the module that each needs."""
SLURM = "slurm"
RELATIVE_SCHEMA = f"../../../../{SCHEMA}"
"""As the study files of a clone name the schema."""
OWN_SCHEMA = STUDY_FILE.parent / Path(SCHEMA).name
"""Its copy beside the study, so that no path of this machine is in the study; editors read it, no command does."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `init` takes."""
    parser.description = (
        "Write config/config.yaml and a small model, both to be edited, into a folder. What it writes can be searched "
        "at once. No file is overwritten. In a folder that has a study, --slurm adds the profile."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="the folder (default: this one)")
    parser.add_argument(
        "--target",
        choices=list(TARGETS),
        default="torch",
        help="the model: a class with torch (default), with Lightning, or a program in any language",
    )
    parser.add_argument("--slurm", action="store_true", help="write profiles/slurm, too, for searches on a cluster")
    parser.set_defaults(run=_init)


def _init(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    has_study = (folder / STUDY_FILE).exists()
    files: dict[str, Path] = {}
    if not (has_study and options.slurm):
        files = {**_below(shipped(f"{STARTS}/{options.target}")), str(OWN_SCHEMA): shipped(SCHEMA)}
    if options.slurm:
        files |= {f"{PROFILES}/{SLURM}/{name}": path for name, path in _below(shipped(f"{PROFILES}/{SLURM}")).items()}
    if there := [str(folder / name) for name in files if (folder / name).exists()]:
        raise UserError(
            f"{', '.join(there)}: must not be there, as nothing is overwritten; nothing was written: give another "
            "folder, or move that away"
        )
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / name, path.read_text(encoding="utf-8").replace(RELATIVE_SCHEMA, OWN_SCHEMA.name))
    print(f"written: {', '.join(str(folder / name) for name in files)}")
    needed = TARGETS[options.target]
    if not has_study and needed is not None and find_spec(needed) is None:
        print(f"the model needs {needed}, which is not installed: {cure(needed)}")
    print(f"\nNext{'' if folder == Path() else f', in {shlex.quote(str(folder))}'}:\n\n{_next(options.slurm)}")
    return 0


def _below(folder: Path) -> dict[str, Path]:
    """Return the files below a folder by their names relative to it."""
    # installers compile what they install
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.parent.name != "__pycache__")
    return {str(path.relative_to(folder)): path for path in found}


def _next(slurm: bool) -> str:
    """Return the next commands, each with what it is for."""
    profile = f" --profile {PROFILES}/{SLURM}" if slurm else ""
    commands = {
        "check-target": "does the model start, go on after a stop, and report its metric",
        "plan": "what the search costs",
        f"run{profile}": "search; the same command goes on after any stop",
    }
    width = max(map(len, commands))
    lines = [f"  swift-hyperband {command:{width}}  # {what}" for command, what in commands.items()]
    return "\n".join([*lines, f"\nand before it edit the lines marked SITE in {PROFILES}/{SLURM}"] if slurm else lines)
