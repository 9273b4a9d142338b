"""What the head of a search does before anything is trained: it gives crashed trials another chance."""

from __future__ import annotations

from swift_hyperband.results import StudyFolder
from swift_hyperband.training import alike
from swift_hyperband.watch import say


def begin(folder: StudyFolder) -> None:
    """Begin a search, or go on with it; to be called by its head."""
    if alike.forget(folder.path):
        say(f"{folder.path}: nothing was trained yet, so its trials that crashed start again")
