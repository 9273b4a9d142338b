"""A study in Python: `Study`."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown
from swift_hyperband.processes import head
from swift_hyperband.python_api import brackets, checked, plan, target_class
from swift_hyperband.python_api.brackets import Round
from swift_hyperband.python_api.loop import Loop, Training, Values, refuse_second
from swift_hyperband.python_api.plan import Plan
from swift_hyperband.python_api.results import Results
from swift_hyperband.results import provenance
from swift_hyperband.results.freeze import as_begun
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.pace import pace
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.study import model
from swift_hyperband.study.files import check_own_files, check_ready
from swift_hyperband.targets import ASK_TELL
from swift_hyperband.targets.ask_tell import TRAINED_BY_USER
from swift_hyperband.workers import local
from swift_hyperband.workflow.steps import write_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swift_hyperband.search.scheduled import RoundRecord

FROM_DICT = "study"
"""What messages name in the place of a study file."""


class Study:
    """A study: what is searched, how, and with what. Made by `Study.load` or `Study.from_dict`.

    Its search lies in the folder of results that the study names (`results`), as that of every command. Relative paths
    are relative to the working directory.

    Attributes
    ----------
    name : str
    path : Path
        The folder of its results.
    """

    def __init__(self, study: model.Study, where: str) -> None:
        self._study, self._where = study, where
        self._folder = StudyFolder.of(study.name, study.results)
        self._loop: Loop | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Study:
        """Read and check a study file.

        Parameters
        ----------
        path : path
            Such as "config/config.yaml".

        Raises
        ------
        UserError
            With a line for each mistake: file, key, what must hold and what was found.
        """
        place = checked.path(path, "a study file")
        return cls(model.load(place), str(place))

    @classmethod
    def from_dict(cls, keys: Mapping[str, Any]) -> Study:
        """Check a study that is given as a mapping, with the keys of a study file.

        Parameters
        ----------
        keys : mapping
            Numbers and arrays of numpy, paths, tuples and ranges count as what a study file would have.
            `target.name` may be a class, which lies in a file that other processes can import.

        Raises
        ------
        UserError
            With a line for each mistake: "study: search.max_epochs must be ...".
        """
        raw = checked.keys(keys, FROM_DICT)
        target = raw.get("target")
        if isinstance(target, dict) and callable(target.get("name")):
            raw["target"] = {**target, "name": target_class.name_of(target["name"], FROM_DICT)}
        study = model.parse(raw, FROM_DICT)
        check_ready(study, FROM_DICT)
        return cls(study, FROM_DICT)

    @property
    def name(self) -> str:
        return self._study.name

    @property
    def path(self) -> Path:
        return self._folder.path

    def to_dict(self) -> dict[str, Any]:
        """Return all keys, with defaults and presets spelled out; `from_dict` makes the same study of them."""
        return {**self._study.definition(), **self._study.settings()}

    def plan(self, workers: int | None = None, seconds_per_epoch: float | None = None) -> Plan:
        """Return what the search costs, before anything runs.

        Parameters
        ----------
        workers : int, optional
            Trainings side by side; those of the study if left out.
        seconds_per_epoch : float, optional
            How long a trial trains for one epoch. If left out: `resources.seconds_per_epoch`, or as measured if the
            search has begun.

        Raises
        ------
        UserError
            If a number is not positive.
        """
        seconds = checked.seconds(seconds_per_epoch)
        study = as_begun(self._folder, self._study)
        return plan.of(study, self._workers(workers), pace(study, self._folder, seconds))

    def run(
        self,
        workers: int | None = None,
        on_round: Callable[[Round], object] | None = None,
        *,
        allow_changed_code: bool = False,
        report: bool = True,
    ) -> Results:
        """Run the search to its end, or go on with it, and return its results.

        Worker processes on this machine train; they end with this process, and import the target from its file. So
        nothing of this process (threads, random generators, torch's settings) changes. Interrupted or killed at any
        moment, another `run` goes on, as does `swift-hyperband run` or `search` with the same study.

        Parameters
        ----------
        workers : int, optional
            Worker processes; those of the study if left out. The results of searches in rounds do not depend on it.
            A search without rounds (ASHA ...) has one, unless the study says `execution: workers`.
        on_round : callable, optional
            Called with each round that is over; `print` prints a line.
        allow_changed_code : bool
            Whether to go on though the model's code changed since trials were trained.
        report : bool
            Whether to write the report at the end, with pictures, and curves.parquet.

        Raises
        ------
        UserError
            If the folder holds a search with another definition, another process runs it, the target cannot be
            imported, the model's code changed, or no trial reached the last epoch.
        """
        if self._study.target.name == ASK_TELL:
            raise UserError(f"{self._where}: target.name {TRAINED_BY_USER}")
        if not (on_round is None or callable(on_round)):
            raise UserError(f"run: on_round must be a function of a round, such as print, found {shown(on_round)}")
        refuse_second(self._folder)
        study = self._by_workers(workers)
        check_own_files(study, self._where, study.resources.workers * study.resources.side_by_side)
        metric = study.metric

        def tell(record: RoundRecord) -> None:
            if on_round is not None:
                on_round(brackets.of_record(record, metric))

        with _allowed(allow_changed_code):
            try:
                local.run_search(study, self._folder, study.resources.workers, tell)
            finally:
                # this process lives on
                head.resign(self._folder.path)
        if report:
            write_report(self._folder)
        return self.results()

    def ask(self) -> Training | None:
        """Return a training for code of your own, in a study with `target.name: ask-tell`.

        The first call begins the search, or goes on with it: this process runs it then until it is over, or until
        `close`. It may be asked for several trainings before it is told of any.

        Returns
        -------
        Training or None
            None if others must be told first, or the search is over; in a loop that tells of each before it asks
            again, None says that it is over.

        Raises
        ------
        UserError
            If the folder holds a search with another definition, another process runs it, or the target is another.
        """
        if self._study.target.name != ASK_TELL:
            found = self._study.target.name or "a program"
            raise UserError(
                f"{self._where}: target.name must be ask-tell for a loop of ask and tell, found {found}; set it, or "
                "call run()"
            )
        if self._loop is None:
            self._loop = Loop(self._study, self._folder)
            # also when this object goes away: a notebook makes the next one then
            weakref.finalize(self, self._loop.close)
        return self._loop.ask()

    def tell(self, training: Training | str, values: Values) -> None:
        """Tell the metric of a training that was asked for. It is on the disk when this returns.

        Parameters
        ----------
        training : Training or str
            Or the trial's id.
        values : sequence of float or of mappings, shape (training.epochs - training.trained,)
            The metric after each new epoch; or further metrics as well, by name. A training that diverged ends with its
            first value that is not finite, and may be shorter.

        Raises
        ------
        UserError
            If it was not asked for, or there are more or fewer values; nothing is written then. Or if this was the last
            one, and no trial reached the last epoch.
        """
        self._begun("tell").tell(_trial("tell", training), values)

    def fail(self, training: Training | str, error: object) -> None:
        """Tell that a training failed: the trial counts as worst, and is not asked for again.

        Parameters
        ----------
        training : Training or str
            Or the trial's id.
        error : object
            An exception or a text; the results show it.

        Raises
        ------
        UserError
            If it was not asked for. Or if this was the last one, and no trial reached the last epoch.
        """
        told = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error)
        self._begun("fail").fail(_trial("fail", training), told)

    def close(self) -> None:
        """Let another process, or another Study, go on with a search that was asked; what was told stays."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    def results(self) -> Results:
        """Return the results so far.

        Raises
        ------
        UserError
            If the search was not started.
        """
        return Results.open(self._folder.path)

    def _begun(self, method: str) -> Loop:
        if self._loop is None:
            raise UserError(f"{method}: a training must be asked for first, by ask()")
        return self._loop

    def _workers(self, given: int | None) -> int:
        return checked.workers(given) or self._study.resources.workers

    def _by_workers(self, given: int | None) -> model.Study:
        """Return the study as workers of this machine run it."""
        study, count = self._study, self._workers(given)
        one_by_one = not ALGORITHMS[study.search.algorithm].synchronous and study.execution == "rounds"
        if one_by_one and given is None:
            count = 1
        update = {"workers": count, "side_by_side": 1 if one_by_one else study.resources.side_by_side}
        resources = study.resources.model_copy(update=update)
        return study.model_copy(update={"execution": "workers", "resources": resources})

    def __repr__(self) -> str:
        search = self._study.search
        return f"<study {self.name}: {search.algorithm}, max_epochs {search.max_epochs}, in {self.path}>"


@contextmanager
def _allowed(changed_code: bool) -> Iterator[None]:
    """Let changed code go on for a while, if it may."""
    before = os.environ.get(provenance.ALLOW)
    if changed_code:
        provenance.allow()
    try:
        yield
    finally:
        if changed_code:
            os.environ.pop(provenance.ALLOW, None)
        if changed_code and before is not None:
            os.environ[provenance.ALLOW] = before


def _trial(method: str, training: Training | str) -> str:
    """Return the id of the trial of a training."""
    if isinstance(training, Training):
        return training.trial
    if not isinstance(training, str):
        raise UserError(
            f"{method}: training must be one that ask() returned, or the id of its trial, found {shown(training)}"
        )
    return training
