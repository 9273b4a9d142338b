"""The results of a search, read from its folder: `Results`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.python_api import brackets, checked, html, trials
from swift_hyperband.python_api.brackets import Bracket, Round
from swift_hyperband.python_api.trials import Trials
from swift_hyperband.results import standing
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.rungs import Rung
from swift_hyperband.targets import ASK_TELL
from swift_hyperband.training import kept_states
from swift_hyperband.training.load import load


@dataclass(frozen=True)
class Best:
    """The winner of a finished search, or the best trial so far.

    Attributes
    ----------
    trial : str
    value : float
        The metric at `epoch`.
    epoch : int
        The last epoch of the trial, or its best one (`target.metric_at`).
    configuration : dict
    metric : str
    folder : Path
        The trial's folder.
    state : Path or None
        Where the trained state of that epoch lies: a file, or a program's folder; None if it was not kept.
    """

    trial: str
    value: float
    epoch: int
    configuration: dict[str, Any]
    metric: str
    folder: Path
    state: Path | None
    _study: StudyFolder
    _target: str | None

    def load(self) -> Any:
        """Return the trained model: an instance of the study's target, set up and with the state restored.

        The module is in the attribute that the target's `setup` makes, such as `.model`. Call it where the search was
        started, as names of files in the study are relative to that folder. torch and the random generators are set as
        for training.

        Raises
        ------
        UserError
            If no sound state was kept (a search that runs keeps few), or the target cannot be imported or is a program.
        """
        if self._target == ASK_TELL:
            raise UserError(
                f"trial {self.trial}: has no model here, as your own code trained it (target.name: {ASK_TELL}); its "
                f"folder is {self.folder}"
            )
        return load(self._study, self.trial)

    def __repr__(self) -> str:
        told = f"{self.metric} {html.cell(self.value)} at epoch {self.epoch}, {html.configuration(self.configuration)}"
        return f"<trial {self.trial}: {told}>"

    def _repr_html_(self) -> str:
        rows = [("trial", self.trial), (self.metric, self.value), ("epoch", self.epoch), *self.configuration.items()]
        return html.table("best", ("", ""), rows)


class Results:
    """The results of a search, finished or not: `Results.open("results/my-model")`.

    Files are read when they are asked for first, and once: open the folder again for news of a search that goes on.
    Nothing in the folder is changed. A folder that was copied from another machine can be opened as well.

    Attributes
    ----------
    path : Path
        The folder.
    """

    def __init__(self, folder: StudyFolder) -> None:
        self.path = folder.path
        self._history = History(folder)
        # what cannot be read is told at once
        self._study = self._history.study

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Results:
        """Open the folder of a search.

        Parameters
        ----------
        path : path
            Such as "results/my-model".

        Raises
        ------
        UserError
            If there is no such folder, or no search was started in it.
        """
        place = checked.path(path, "the folder of a search")
        if not place.is_dir():
            found = "a file" if place.exists() else "no such folder"
            raise UserError(f"{place}: must be the folder of a search, such as results/my-model, found {found}")
        # also where the working directory changes later
        return cls(StudyFolder(place.absolute()))

    @property
    def name(self) -> str:
        """The study's name."""
        return self._study.name

    @property
    def metric(self) -> str:
        """The metric that was optimised."""
        return self._study.metric.name

    @property
    def mode(self) -> str:
        """Whether it was minimised or maximised: "min" or "max"."""
        return self._study.metric.mode

    @property
    def definition(self) -> dict[str, Any]:
        """The study as it was frozen when the search began, with all defaults spelled out."""
        return self._study.definition()

    @property
    def finished(self) -> bool:
        """Whether the search is over."""
        return self._history.finished

    @property
    def epochs(self) -> int:
        """Epochs trained so far, of those that the search asked for."""
        return self._history.epochs

    @property
    def epochs_hyperband(self) -> int:
        """Epochs that Hyperband trains in the place of this search."""
        return self._history.schedule.epochs_hyperband

    @cached_property
    def best(self) -> Best:
        """The winner of a finished search, else the best trial so far.

        Raises
        ------
        UserError
            If no trial has an epoch behind it, or all failed.
        """
        found = standing.best(self._history)
        if found is None:
            raise UserError(f"{self.path}: has no best trial, as none has trained an epoch with a finite {self.metric}")
        study, metric = self._history.folder, self._study.metric
        folder = study.trial(found.trial)
        state = kept_states.model(folder, metric)
        values = found.trial, found.value, found.epoch, dict(found.configuration)
        return Best(*values, metric.name, folder, state, study, self._study.target.name)

    @cached_property
    def trials(self) -> Trials:
        """Every trial that entered the search, in bracket order, then by id."""
        return trials.read(self._history)

    @cached_property
    def brackets(self) -> tuple[Bracket, ...]:
        """The brackets with their rounds, in the order of the schedule; none of a search without rounds (ASHA ...)."""
        return brackets.read(self._history)

    @cached_property
    def thaw(self) -> Round | None:
        """The round after all brackets, in which trials left behind go on; None if the study has none."""
        found = None if self._history.rungs is not None else self._history.thaw
        return None if found is None else brackets.of_history(found, self._study.metric)

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rungs of a search without rounds, by epoch; none of a search in rounds."""
        return () if self._history.rungs is None else self._history.rungs.rungs

    def curves(self) -> Any:
        """Return all learning curves, a row for each trial and epoch.

        Returns
        -------
        pyarrow.Table, shape (epochs of all trials, 8 + hyperparameters + further metrics)
            Columns study, bracket, slot, trial, status, `config_<name>`, epoch, `metric_<name>` and seconds, as in
            curves.parquet. `.to_pandas()` makes it a table of pandas.
        """
        # pyarrow, which nothing else here needs
        from swift_hyperband.results.curves import table

        return table(self._history)

    def __repr__(self) -> str:
        state = "finished" if self.finished else "not finished"
        return f"<results of study {self.name}: {state}, {len(self.trials)} trials, {self.epochs} epochs>"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, object]] = [
            ("search", "finished" if self.finished else "not finished"),
            ("trials", len(self.trials)),
            ("epochs", f"{self.epochs} (Hyperband: {self.epochs_hyperband})"),
        ]
        if (found := standing.best(self._history)) is not None:
            values = html.configuration(dict(found.configuration))
            rows += [(f"best {self.metric}", found.value), ("its configuration", values)]
        return html.table(self.name, ("", ""), rows)
