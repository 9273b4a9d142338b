"""How long an epoch takes: as given, as the study says, or as measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from swift_hyperband.results.trials import measured_seconds

if TYPE_CHECKING:
    from swift_hyperband.results.layout import StudyFolder
    from swift_hyperband.study.model import Study


@dataclass(frozen=True)
class Pace:
    """How long an epoch takes, in seconds, and who says so."""

    seconds: float
    source: str


def pace(study: Study, folder: StudyFolder, given: float | None) -> Pace | None:
    """Return how long an epoch of a study takes; None where nobody knows yet."""
    if given is not None:
        return Pace(given, "as given")
    if study.resources.seconds_per_epoch is not None:
        return Pace(study.resources.seconds_per_epoch, "resources.seconds_per_epoch")
    measured = measured_seconds(folder)
    return Pace(measured, f"median of the curves in {folder.path}") if measured else None
