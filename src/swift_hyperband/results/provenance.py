"""The provenance of a search: a note of each of its starts, and a check for changes of the model's code.

The notes are in results/<study>/provenance.json. Digests of the files that `code_files` finds identify the code: a
search whose code changed half-way would compare trials of two models.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import swift_hyperband
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.targets import code_files
from swift_hyperband.training.trial import something_is_trained

logger = logging.getLogger(__name__)

ALLOW = "SWIFT_ALLOW_CHANGED_CODE"
"""Environment variable that lets a search go on with changed code, as --allow-changed-code does."""
SHAPE = {
    "starts": [
        {
            "time": str,
            "host": str,
            "versions": {str: str},
            "git": ({"commit": str, "changed": bool}, None),
            "code": {str: str},
            "changed": [str],
        }
    ]
}
"""What provenance.json holds."""
LIBRARIES = ("torch", "numpy")
KEPT = 100
"""Starts that are noted: the first one and the last ones."""
TOLD = 5
"""Files that a line names; the others are counted."""

CURE = (
    "one search must have one model: undo it, give the study another name, or go on with --allow-changed-code "
    f"(with plain snakemake: {ALLOW}=1)"
)


def check(folder: StudyFolder, target: Mapping[str, Any]) -> None:
    """Ask whether a search may go on with changed code, or refuse it where nobody can answer.

    Parameters
    ----------
    folder : StudyFolder
    target : mapping
        The section `target` of the study's definition.

    Raises
    ------
    UserError
        If the code changed since the last start, trials were trained before, and it was not allowed.
    """
    if not folder.best.exists():
        check_before_training(folder, target)


def check_before_training(folder: StudyFolder, target: Mapping[str, Any], why: str = "") -> None:
    """Do what `check` does, also where the search has ended; `why` says what is to be trained then.

    Raises
    ------
    UserError
        As `check`.
    """
    if not (changed := changed_code(folder, target)):
        return
    line = f"{folder.path}: {why}the model's code changed since trials were trained: {_listed(changed)}"
    if sys.stdin.isatty() and sys.stderr.isatty():
        sys.stderr.write(f"{line}.\nGo on, with trials of both in one search? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            allow()
            return
    raise UserError(f"{line}; {CURE}")


def check_job(folder: StudyFolder, target: Mapping[str, Any]) -> None:
    """Refuse to train with code that was edited since the head of the search started.

    Raises
    ------
    UserError
        As `check`.
    """
    if changed := changed_code(folder, target):
        raise UserError(f"{folder.path}: the model's code changed while its search runs: {_listed(changed)}; {CURE}")


class TrainedCode:
    """The model's code, which must not change while a search runs: a class is read once, a program at each start."""

    def __init__(self, folder: StudyFolder, target: Mapping[str, Any]) -> None:
        self._folder, self._target = folder, target
        self._is_read = False

    def check(self) -> None:
        """Refuse to train with other code than before.

        Raises
        ------
        UserError
            As `check`.
        """
        if not self._is_read:
            check_job(self._folder, self._target)
        self._is_read = self._target["name"] is not None


def changed_code(folder: StudyFolder, target: Mapping[str, Any]) -> list[str]:
    """Return what changed in the code since the last start; nothing where it may, or where nothing was trained yet."""
    if is_allowed() or not (notes := read(folder)) or not something_is_trained(folder.path):
        return []
    return changes(notes[-1]["code"], code_files.digests(target))


def is_allowed() -> bool:
    """Whether the user lets a search go on with changed code."""
    return os.environ.get(ALLOW, "") not in ("", "0")


def allow() -> None:
    """Let this process, and the jobs that it starts, go on with changed code."""
    os.environ[ALLOW] = "1"


def note(folder: StudyFolder, target: Mapping[str, Any]) -> None:
    """Note a start of a search, by its head; say in a line what else than the code changed since the last one."""
    notes = read(folder)
    if folder.best.exists() and notes:
        return
    now = start(target)
    if notes:
        before = notes[-1]
        different = [
            f"{name} {before['versions'].get(name)} -> {version}"
            for name, version in now["versions"].items()
            if before["versions"].get(name) != version
        ]
        if before["host"] != now["host"]:
            different.append(f"host {before['host']} -> {now['host']}")
        if different and something_is_trained(folder.path):
            logger.info(
                f"since the last start: {', '.join(different)}; trained on it may come out otherwise in the last digits"
            )
        now["changed"] = changes(before["code"], now["code"]) if something_is_trained(folder.path) else []
    write_json(folder.provenance, {"starts": [*notes[:1], *notes[1:][-(KEPT - 2) :], now]})


def start(target: Mapping[str, Any]) -> dict[str, Any]:
    """Return the note of a start that is made now."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "host": os.uname().nodename,
        "versions": versions(),
        "git": _git(),
        "code": code_files.digests(target),
        "changed": [],
    }


def read(folder: StudyFolder) -> list[dict[str, Any]]:
    """Return the notes of a search's starts, the first one first; none where there are none that can be read."""
    if not folder.provenance.exists():
        return []
    try:
        return list(read_json(folder.provenance, SHAPE)["starts"])
    except UserError:
        # nothing is decided by it but a question
        return []


def versions() -> dict[str, str]:
    """Return the versions of what computes, without importing it."""
    found = {"swift-hyperband": swift_hyperband.__version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return which files changed, each in a few words."""
    # the same file in another folder was moved with all that is around it, or a link leads there
    there, here = ({(Path(path).name, digest) for path, digest in code.items()} for code in (before, now))
    return (
        [f"{path} was edited" for path in now if path in before and before[path] != now[path]]
        + [f"{path} is new" for path in now if path not in before and (Path(path).name, now[path]) not in there]
        + [f"{path} is gone" for path in before if path not in now and (Path(path).name, before[path]) not in here]
    )


def lines(folder: StudyFolder) -> list[str]:
    """Return what people want to know of it, in a line or two."""
    notes = read(folder)
    if not notes:
        return []
    last = notes[-1]
    git = last["git"]
    commit = f", commit {git['commit'][:10]}{' with changes' if git['changed'] else ''}" if git else ""
    hosts = ", ".join(dict.fromkeys(entry["host"] for entry in notes))
    told = [f"{', '.join(f'{name} {version}' for name, version in last['versions'].items())}{commit}, on {hosts}"]
    changed = [(entry["time"], entry["changed"]) for entry in notes if entry["changed"]]
    return told + [f"the model's code changed before {when}: {_listed(what)}" for when, what in changed]


def _listed(changed: list[str]) -> str:
    more = f" and {len(changed) - TOLD} more" if len(changed) > TOLD else ""
    return ", ".join(changed[:TOLD]) + more


def _git() -> dict[str, Any] | None:
    """Return the commit of the working directory, and whether files in it differ; None where there is no repository."""
    commit = _said("git", "rev-parse", "HEAD")
    if not commit:
        return None
    return {"commit": commit, "changed": bool(_said("git", "status", "--porcelain", "--untracked-files=no"))}


def _said(*command: str) -> str:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, env=environment, cwd=Path.cwd())
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
