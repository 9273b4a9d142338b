"""Targets: the models that are trained. The protocols of a target, the built-in targets, and loading a class by name.

Importing this package needs the standard library alone; `load_class` imports a built-in target.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from swift_hyperband.base import classes
from swift_hyperband.base.classes import import_file, import_named
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.packages import EXTRAS, cure

BUILT_IN: Mapping[str, str] = {
    "digits-cnn": "swift_hyperband.targets.models.digits_cnn:DigitsCNN",
    "cifar10-cnn6": "swift_hyperband.targets.models.cifar10_cnn6:Cifar10CNN6",
    "cifar10-cnn": "swift_hyperband.targets.models.cifar10_cnn:Cifar10CNN",
    "svhn-cnn": "swift_hyperband.targets.models.svhn_cnn:SvhnCNN",
    "ptb-lstm": "swift_hyperband.targets.models.ptb_lstm:PtbLSTM",
    "delphes-mlpf": "swift_hyperband.targets.models.delphes_mlpf:DelphesMLPF",
    "ask-tell": "swift_hyperband.targets.ask_tell:AskTell",
    "curve-table": "swift_hyperband.targets.recorded:CurveTable",
}
"""Built-in targets by the name that a study gives them."""

ASK_TELL = "ask-tell"
"""The built-in target that code of the user's own trains, in a loop of `Study.ask` and `Study.tell`."""

COMMAND = "swift_hyperband.targets.program.target:CommandTarget"
"""What trains where a study has `target.command` in the place of `target.name`."""

METHODS = ("setup", "train_epoch", "validate")


class TargetError(Exception):
    """The target does not do what it must; the message says what, in one line, and needs no traceback.

    Attributes
    ----------
    alike : str or None
        What errors of one cause have in common, so that a search can see that all its trials fail alike. "" if that is
        the message without its numbers and paths, None if other trials need not fail in this way.
    """

    alike: str | None = ""


class DamagedStateError(Exception):
    """A saved state is not what was saved; the message says what was found. The trial then starts anew."""


def _ignore(_epoch: int) -> None: ...


def _unlimited() -> int | None:
    return None


@dataclass(frozen=True)
class Context:
    """What a target may want to know beside its configuration.

    Attributes
    ----------
    trial : str
        The trial's id.
    seed : int
        The study's seed. Nothing needs to be seeded with it: `random`, numpy and torch are, before every epoch.
    threads : int
        How many CPU threads the trial has; torch is already limited to it.
    options : dict
        `target.options` of the study.
    folder : Path
        The trial's folder, for files of the target's own.
    until : int
        The epoch to which this process trains at most: another one in every round.
    deadline : float or None
        When its job must have ended, by `time.monotonic`; None if it has no time limit.
    max_epochs : int
        The study's `search.max_epochs`, the last epoch of a trial that passes all rounds. A plan for the whole
        training, such as a cosine schedule of the learning rate, must span these.
    curve : callable
        Returns the trial's metrics so far: a row for each epoch, {"epoch": 3, "accuracy": 0.91, "seconds": 1.23}, in
        which None is a number that is not finite.
    fits : callable
        Returns how many further epochs probably end before the deadline, by the time of the last epoch; 1 if that is
        not known, None if there is no deadline. It may be 0 or negative.
    started : callable
        Notes that the training of an epoch begins; for targets that run ahead only (`RunsAhead`).
    kept : callable
        Returns the names of folders in the trial's folder that must stay beside those of the last saved state, as the
        state of the best epoch needs them; for programs.
    """

    trial: str
    seed: int
    threads: int
    options: dict[str, Any]
    folder: Path
    until: int = 1
    deadline: float | None = None
    max_epochs: int = 1
    curve: Callable[[], Sequence[Mapping[str, float | None]]] = tuple
    fits: Callable[[], int | None] = _unlimited
    started: Callable[[int], None] = _ignore
    kept: Callable[[], Collection[str]] = tuple

    @property
    def device(self) -> str:
        """The device to train on: "cuda" if torch is imported and sees one, else "cpu"."""
        torch = sys.modules.get("torch")
        return "cuda" if torch is not None and torch.cuda.is_available() else "cpu"


class Target(Protocol):
    """The protocol of a class to be trained. It is instantiated without arguments, once per process and trial.

    The state is found automatically: every attribute with both `state_dict` and `load_state_dict` (module, optimiser,
    scheduler, gradient scaler). A class whose state is something else has these two methods itself; then only what they
    return is saved. `torch.load(weights_only=True)` must be able to load a state; without torch, it must be of JSON's
    types. `load_state_dict` may raise `DamagedStateError`.

    Training may be cut after any epoch and go on in another process. It gives the same bits as training in one go if
    every random draw comes from the global generators of `random`, numpy and torch: they are seeded from (study's
    seed, trial, epoch) before `setup` (epoch 0) and every epoch. Import these at the top of the module, not later.
    The module is imported once for many trials, whose processes are forked: it must not touch a GPU before `setup`.
    """

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        """Build model, optimiser and data for a configuration (hyperparameters by name)."""

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        """Train one epoch (1 is the first); may return further metrics. Those of `validate` replace them."""

    def validate(self) -> dict[str, Any]:
        """Return metrics by name as numbers; the study's metric must be among them."""


@runtime_checkable
class RunsAhead(Protocol):
    """The further methods of a target that trains several epochs in one call of `train_epoch`, as programs do.

    It notes the start of each epoch itself (`Context.started`), and logs each of its starts itself.
    """

    def seconds_per_epoch(self) -> float:
        """Return the seconds that each epoch of the last start took."""

    def after_saving(self) -> None:
        """Clean up after the state was saved: what earlier states needed is needed no more."""


def load_class(name: str) -> type[Target]:
    """Return a target's class.

    Parameters
    ----------
    name : str
        A built-in target's name, "path/file.py:Class" (relative to the working directory) or "package.module:Class".

    Raises
    ------
    UserError
        If the name has another form, its module cannot be imported or has no such class, or a method is missing.
    """
    class_name = classes.parsed(BUILT_IN.get(name, name))
    if class_name is None:
        raise UserError(
            f"target.name must be {', '.join(BUILT_IN)}, 'path/file.py:Class' or 'package.module:Class', found {name!r}"
        )
    if class_name.is_file and not Path(class_name.module).is_file():
        raise UserError(f"target.name: {name!r} must name a file, found none at {Path(class_name.module).resolve()}")
    try:
        by_file = class_name.is_file
        module = import_file(Path(class_name.module)) if by_file else import_named(class_name.module)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        where = _place(error)
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        if isinstance(error, ModuleNotFoundError):
            where += f"; it must be installed beside {sys.executable}, or lie beside the target's file"
            if error.name in EXTRAS:
                where += f", and comes with: {cure(error.name)}"
        raise UserError(
            f"target.name: {name!r} must be importable, found {type(error).__name__}: {_one_line(message)}{where}"
        ) from error
    found = getattr(module, class_name.name, None)
    if not isinstance(found, type):
        others = ", ".join(key for key, value in vars(module).items() if isinstance(value, type))
        raise UserError(
            f"target.name: {name!r} must name a class of {class_name.module}, found {others or 'no class'} there"
        )
    if missing := [method for method in METHODS if not callable(getattr(found, method, None))]:
        raise UserError(
            f"target.name: class {class_name.name} of {class_name.module} must have the method {missing[0]}, has none"
        )
    return found


def _place(error: BaseException) -> str:
    """Return " (file:line)" of the last line of an import error's traceback, without the code that imports."""
    if isinstance(error, SyntaxError):
        return f" ({error.filename}:{error.lineno})"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename not in (__file__, classes.__file__, importlib.__file__)
        and not frame.filename.startswith("<frozen")
    ]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def _one_line(message: str) -> str:
    return " ".join(message.split())
