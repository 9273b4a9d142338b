"""earlier.json: which trials of a search were taken over from earlier ones, with how many epochs; what was left out.

Searches and jobs do not read it: a trial that was taken over is a trial that is trained so far. It tells people what
came from where, and keeps these epochs from counting as trained here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.results.contents import known
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.training.trial import started

_SHAPE = {
    "searches": {str: {"study": str, "max_epochs": int, "left_out": {str: int}}},
    "trials": {str: {"from": str, "epochs": int, "state": bool}},
}


@dataclass(frozen=True)
class TakenTrial:
    """A trial that was taken over.

    Attributes
    ----------
    source : str
        The folder of the earlier search, as the study file names it.
    epochs : int
        How many epochs of its curve were taken.
    state : bool
        Whether training goes on from there. Without a state it starts anew where it must train on, and repeats these.
    """

    source: str
    epochs: int
    state: bool


@dataclass(frozen=True)
class TakenSearch:
    """An earlier search: its name, its last epoch, and how many trials were left out for which reason."""

    study: str
    max_epochs: int
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What was taken over.

    Attributes
    ----------
    searches : mapping of str to TakenSearch
        By folder.
    trials : mapping of str to TakenTrial
    """

    searches: Mapping[str, TakenSearch] = field(default_factory=dict)
    trials: Mapping[str, TakenTrial] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: StudyFolder) -> Self:
        """Return what the file of a search says; nothing where it is missing or damaged."""
        return known(folder.earlier, cls.read) or cls()

    @classmethod
    def read(cls, path: Path) -> Self:
        stored = read_json(path, _SHAPE)
        searches = {name: TakenSearch(**found) for name, found in stored["searches"].items()}
        trials = {
            name: TakenTrial(found["from"], found["epochs"], found["state"]) for name, found in stored["trials"].items()
        }
        return cls(searches, trials)

    def write(self, folder: StudyFolder) -> None:
        trials = {
            name: {"from": found.source, "epochs": found.epochs, "state": found.state}
            for name, found in self.trials.items()
        }
        searches = {name: {**vars(found), "left_out": dict(found.left_out)} for name, found in self.searches.items()}
        write_json(folder.earlier, {"searches": searches, "trials": trials})

    def epochs(self, trial: str) -> int:
        """Return how many epochs of a trial were taken over."""
        return self.trials[trial].epochs if trial in self.trials else 0


@dataclass(frozen=True)
class TakenEpochs:
    """What became of the epochs that were taken over.

    Attributes
    ----------
    used : int
        The search has asked for them.
    again : int
        They were trained again, as the states of their trials had been deleted.
    searches : tuple of str
        The folders that they came from.
    """

    used: int = 0
    again: int = 0
    searches: tuple[str, ...] = ()

    @classmethod
    def of(cls, folder: StudyFolder, taken: Taken, asked: Mapping[str, int]) -> Self:
        """Return what became of them, given the epoch to which the search has asked for each trial."""
        used = sum(min(found.epochs, asked.get(trial, 0)) for trial, found in taken.trials.items())
        # the others go on from their states
        bare = [trial for trial, found in taken.trials.items() if not found.state]
        begun = {trial: started(folder.trial(trial)).begun for trial in bare}
        again = sum(epoch <= taken.epochs(trial) for trial, epochs in begun.items() for epoch in epochs)
        return cls(used, again, tuple(taken.searches))

    @property
    def told(self) -> str | None:
        """In words; None where nothing was taken over."""
        if not self.searches:
            return None
        again = f", {self.again} of them again here, as their states were not kept" if self.again else ""
        return f"{self.used} of these epochs were trained before, in {' and '.join(self.searches)}{again}"
