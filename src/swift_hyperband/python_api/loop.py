"""A search whose trials are trained by code of the user's own: `Study.ask` and `Study.tell`.

It is driven over the study's folder, as by every driver: the same decisions, the same files. A curve is in its trial's
folder before the search is told of it, and the order of events is in the journal where it matters. So a loop that was
killed asks for what was in flight, and for nothing that was told.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import RESERVED, from_json
from swift_hyperband.base.wording import one_line, shown
from swift_hyperband.processes import head
from swift_hyperband.processes.lease import Lease, LeaseLostError
from swift_hyperband.python_api import checked
from swift_hyperband.results.contents import Config
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Curve
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.study.model import Study
from swift_hyperband.targets.ask_tell import AskTell
from swift_hyperband.training import kept_states, state, trial
from swift_hyperband.training.live import Live
from swift_hyperband.training.trial import Row
from swift_hyperband.workers.conduct import ByJournal, Conduct, InRounds
from swift_hyperband.workflow.driver import conclude, leading, state_is_lost, winner

Values = Sequence[float] | Sequence[Mapping[str, float]]
"""The metric after each epoch, or all metrics by name."""


@dataclass(frozen=True)
class Training:
    """A training that the search asks for: train this trial on, from the end of epoch `trained` to that of `epochs`.

    Attributes
    ----------
    trial : str
    bracket, slot : int
    configuration : dict
        Hyperparameters by name; inactive ones are not in it.
    trained : int
        Epochs behind it; 0 for a new trial.
    epochs : int
        The epoch to train to.
    values : tuple of float, shape (trained,)
        The metric after each epoch so far.
    folder : Path
        The trial's folder, also for files of your own such as a checkpoint; names with `state` are taken.
    """

    trial: str
    bracket: int
    slot: int
    configuration: dict[str, Any]
    trained: int
    epochs: int
    values: tuple[float, ...]
    folder: Path


@contextmanager
def alone(study: Study, folder: StudyFolder, by_user: bool = False) -> Iterator[tuple[Study, Lease]]:
    """Be the head of a search for a while, in a process that lives on; else as `driver.leading`."""
    refuse_second(folder)
    try:
        with leading(study, folder, by_user) as found:
            yield found
    finally:
        head.resign(folder.path)


def refuse_second(folder: StudyFolder) -> None:
    """Refuse to run a search that this process runs already.

    Raises
    ------
    UserError
        If it does.
    """
    if head.is_led(folder.path):
        raise UserError(
            f"{folder.path}: one Study at a time can run this search, and another one of this process does; go on with "
            "that one, or close() it"
        )


class Loop:
    """A search that is asked and told.

    Parameters
    ----------
    study : Study
    folder : StudyFolder
        Where the search lies, or will lie.

    Raises
    ------
    UserError
        If the folder holds a search with another definition, or another process runs it.
    """

    def __init__(self, study: Study, folder: StudyFolder) -> None:
        self._folder = folder
        self._out: dict[str, tuple[Training, float]] = {}
        """What was asked for and not told, with the time of asking."""
        self._stack = ExitStack()
        try:
            self._study, self._held = self._stack.enter_context(alone(study, folder, by_user=True))
            self._conduct = _conduct(folder, self._study)
            self._waiting = deque(self._conduct.resume())
        except BaseException:
            self.close()
            raise
        self.over = False

    def close(self) -> None:
        """Give the search back: another process, or another loop, may go on with it."""
        self._stack.close()

    def ask(self) -> Training | None:
        """Return a training that can start now; None if others must be told first, or the search is over."""
        while not self.over:
            if not self._waiting:
                self._waiting.extend(self._conduct.ask(1))
            if not self._waiting:
                self._end()
                return None
            name, epochs = self._waiting.popleft()
            found = trial.state_of(self._folder.trial(name), self._study.metric.name)
            if found.settled(epochs):
                # it was told before a kill
                self._hear(name, self._study.metric.losses(found.values[:epochs]))
                continue
            place = Config.read(self._folder.config(name))
            training = Training(
                name,
                place.bracket,
                place.slot,
                dict(place.configuration),
                len(found.values),
                epochs,
                tuple(found.values),
                self._folder.trial(name),
            )
            self._out[name] = training, time.monotonic()
            return training
        return None

    def tell(self, name: str, values: Values) -> None:
        """Take the metric after each new epoch; see `Study.tell`."""
        training, asked = self._asked(name)
        new = checked.values("tell", values)
        rows = trial.read_rows(training.folder)
        seconds = (time.monotonic() - asked) / max(1, len(new))
        rows += [self._row(epoch, value, seconds) for epoch, value in enumerate(new, training.trained + 1)]
        metric = self._study.metric.name
        lost = next((number for number, row in enumerate(rows, 1) if row[metric] is None), None)
        told = lost or len(rows)
        if (told != training.epochs and lost is None) or len(rows) > training.epochs:
            count, needed = len(new), training.epochs - training.trained
            epochs = f"epochs {training.trained + 1} to {training.epochs}" if needed > 1 else f"epoch {training.epochs}"
            raise UserError(
                f"tell: values of trial {name} must be {needed}, of {epochs}, found {count}; fewer only if the last is "
                "not finite, where training diverged"
            )
        self._check()
        self._publish(training.folder, rows[:told], training.trained)
        shown = Live(training.folder, self._study.live, training.configuration)
        shown.tell(rows[:told])
        shown.close()
        self._told(training)

    def fail(self, name: str, error: str) -> None:
        """Count a trial as failed; see `Study.fail`."""
        training, _ = self._asked(name)
        self._check()
        trial.count_crash(training.folder, one_line(error) or "it failed", error, retries=0)
        self._told(training)

    def _asked(self, name: str) -> tuple[Training, float]:
        if name not in self._out:
            out = ", ".join(self._out) or "none"
            raise UserError(f"tell: trial must be one that was asked for and not told yet ({out}), found {shown(name)}")
        return self._out[name]

    def _row(self, epoch: int, value: object, seconds: float) -> Row:
        metric = self._study.metric.name
        given = value if isinstance(value, Mapping) else {metric: value}
        if odd := [key for key in given if not isinstance(key, str)]:
            raise UserError(f"tell: names of metrics must be texts, found {shown(odd[0])} in epoch {epoch}")
        if metric not in given:
            raise UserError(f"tell: values of epoch {epoch} must hold the metric {metric}, found {', '.join(given)}")
        if taken := sorted(set(given).intersection(RESERVED)):
            raise UserError(f"tell: no metric may be named {taken[0]}, as the curve has that already")
        numbers = {name: _number(one, epoch) for name, one in given.items()}
        return {"epoch": epoch, **numbers, "seconds": round(seconds, 4)}

    def _publish(self, folder: Path, rows: list[Row], trained: int) -> None:
        """Write a trial's curve, its state first, as a training does."""
        metric, target = self._study.metric, AskTell()
        # each epoch may be the best, whose state is kept
        for epoch in range(trained + 1, len(rows) + 1) if metric.at == "best" else ():
            if kept_states.is_best(metric, rows[:epoch]):
                state.save(folder, target, rows[:epoch])
                kept_states.keep_best(folder)
        state.save(folder, target, rows)
        trial.forget_crashes(folder)
        trial.write_rows(folder, rows)

    def _told(self, training: Training) -> None:
        """Tell the search what is in a trial's folder now."""
        del self._out[training.trial]
        found = trial.state_of(training.folder, self._study.metric.name)
        self._hear(training.trial, self._study.metric.losses(found.values[: training.epochs]))
        if not self._waiting and not self._out:
            self._end()

    def _hear(self, name: str, curve: Curve) -> None:
        self._conduct.tell(name, curve)
        if isinstance(self._conduct, InRounds):
            # which decides nothing else than later: what follows is on the disk at once
            self._waiting.extend(self._conduct.ask(1))

    def _end(self) -> None:
        """Write the result if the search is over."""
        search = self._conduct.search
        if not search.finished or self.over:
            return
        self.over = True
        try:
            self._check()
            best, loss = winner(search, self._folder, self._study)
            if state_is_lost(self._folder, self._study, best):
                # it has the curve alone, so it can be made again at once
                place = self._folder.trial(best)
                self._publish(place, trial.read_rows(place), 0)
                trial.state_is_there(place)
            conclude(self._folder, self._study, best, loss)
        finally:
            self.close()

    def _check(self) -> None:
        """Check that this process still decides, before it writes."""
        try:
            self._held.check()
        except LeaseLostError:
            raise UserError(
                f"{self._folder.path}: another process decides, as this one was suspended for too long"
            ) from None


def _conduct(folder: StudyFolder, study: Study) -> Conduct:
    """Return what conducts the search: with "rounds" a search without rounds has one training at a time."""
    if ALGORITHMS[study.search.algorithm].synchronous:
        return InRounds(folder, study)
    if study.execution == "rounds":
        one = study.resources.model_copy(update={"workers": 1, "side_by_side": 1})
        study = study.model_copy(update={"resources": one})
    return ByJournal(folder, study)


def _number(value: Any, epoch: int) -> float | None:
    """Return a metric as files hold it: None where it is not finite. Scalars of numpy and torch are numbers, too."""
    try:
        number = value.item() if hasattr(value, "item") else value
    except (ValueError, RuntimeError):
        number = None
    if not isinstance(number, int | float):
        raise UserError(f"tell: the value of epoch {epoch} must be a number, found {shown(value)}")
    try:
        number = float(from_json(number))
    except OverflowError:
        # a whole number beyond all floats
        return None
    return number if math.isfinite(number) else None
