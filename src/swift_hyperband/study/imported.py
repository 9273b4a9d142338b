"""The key `search.imported`: a file of earlier trials in a study file, the digest of its content in a frozen study."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import Problem
from swift_hyperband.base.files import digest
from swift_hyperband.base.wording import shown
from swift_hyperband.search.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study

DIGEST = "sha256:"
KEY = "search.imported"


def as_frozen(imported: str) -> str:
    """Return what a frozen study has in the place of a file: its digest."""
    if imported.startswith(DIGEST):
        return imported
    stat = Path(imported).stat()
    return f"{DIGEST}{_digest(imported, stat.st_mtime_ns, stat.st_size)}"


@functools.lru_cache(maxsize=16)
def _digest(path: str, _changed: int, _size: int) -> str:
    return digest(Path(path))


def problem(study: Study) -> Problem | None:
    """Return why the imported trials of a study could teach nobody; None if they can, or there are none."""
    imported, algorithm = study.search.imported, ALGORITHMS[study.search.algorithm]
    if imported is None:
        return None
    if not imported.startswith(DIGEST) and not Path(imported).is_file():
        return KEY, f"must be a file that 'swift-hyperband import' wrote, found no {shown(imported)}"
    if study.search.sampling != "random":
        return None
    if not (algorithm.synchronous and algorithm.predicts):
        needed = f"must be left out with algorithm {study.search.algorithm} and sampling random"
        return KEY, f"{needed}, as nothing there learns from it"
    if study.predictor.anneals:
        return KEY, "must be left out with predictor qsvr, whose problems have no room for further curves"
    return None
