"""Recordings: a study whose configurations are all trained to the end, so that its curves can be replayed.

A recording is a study of its own, <study>-curves: a random search that stops nobody.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from swift_hyperband.base.files import write_text
from swift_hyperband.results.freeze import as_begun, frozen_definition
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import Study, load, parse
from swift_hyperband.study.reader import read

SUFFIX = "-curves"
"""Behind the study's name."""
STUDY_FILE = "recording.yaml"


def recording(path: Path, configurations: int, epochs: int | None, workers: int | None = None) -> Study:
    """Return the study that records another one's curves.

    Parameters
    ----------
    path : Path
        The other one's study file.
    configurations : int
    epochs : int, optional
        The study's own `search.max_epochs` if not given.
    workers : int, optional
        The study's own `resources.workers` if not given.

    Raises
    ------
    UserError
        If the study file is no study.
    """
    given = load(path, data=False)
    search = {
        "algorithm": "random",
        "trials": configurations,
        "max_epochs": epochs or given.search.max_epochs,
        "eta": given.search.eta,
        "seed": given.search.seed,
    }
    content: dict[str, Any] = {key: value for key, value in read(path).items() if key not in ("swift", "predictor")}
    if workers is not None:
        content["resources"] = {**content.get("resources", {}), "workers": workers}
    return parse({**content, "name": given.name + SUFFIX, "search": search}, str(path))


def trials_before(folder: StudyFolder, study: Study) -> int | None:
    """Return how many configurations a folder's recording has, if it is the same but of another size; else None."""
    if not folder.study.exists():
        return None
    before, now = frozen_definition(folder), as_begun(folder, study).definition()
    # a folder of another study is refused when the search begins
    if before == now or _without_size(before) != _without_size(now):
        return None
    return int(before["search"]["trials"])


def make_room(folder: StudyFolder) -> None:
    """Remove the rounds and the result of a recording; what was trained stays."""
    for path in folder.path.glob("bracket=*"):
        shutil.rmtree(path)
    for path in (folder.study, folder.best, folder.curves):
        path.unlink(missing_ok=True)


def write_study(folder: Path, study: Study) -> Path:
    """Write a recording's own study file into a folder, for the workflow; return its path."""
    # JSON is YAML
    write_text(folder / STUDY_FILE, json.dumps({**study.definition(), **study.settings()}, indent=1) + "\n")
    return folder / STUDY_FILE


def _without_size(definition: dict[str, Any]) -> dict[str, Any]:
    return {**definition, "search": {**definition["search"], "trials": None}}
