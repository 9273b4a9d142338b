"""The state that a trial is resumed from: the target's, the whole curve so far and whose it is, in one file.

One file, replaced by rename, keeps them together even if the process is killed. As it names its trial, neither the
state of another trial nor one that was restored from elsewhere is taken for the trial's own.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swift_hyperband.base.errors import DISK_ERRORS, PLACE_ERRORS, UserError
from swift_hyperband.base.files import AWAY, whole, write_text
from swift_hyperband.targets import TargetError
from swift_hyperband.targets.program import state_folder
from swift_hyperband.training import sealed
from swift_hyperband.training.trial import CURVE, Row, note_damage, read_rows

TORCH_STATE = "state.pt"
JSON_STATE = "state.json"
STATES = (TORCH_STATE, JSON_STATE)
"""Names of state files; a trial has one of them."""

OWN = "target"
HOLDS = "its state must hold tensors, numbers, strings, lists and dicts only"


@dataclass(frozen=True)
class State:
    """A saved state: the curve up to it, the target's parts by name, and whether a digest proves it sound."""

    curve: list[Row]
    parts: dict[str, Any]
    sealed: bool = True


def parts(target: object) -> dict[str, Any]:
    """Return the objects with a state, by attribute; {"target": target} if the class saves its state itself.

    Raises
    ------
    TargetError
        If there are none, or an object with a state is in a list or dictionary.
    """
    name = type(target).__name__
    advice = "or give the class its own state_dict() and load_state_dict()"
    if _has_state(target):
        torch = sys.modules.get("torch")
        if torch is not None and getattr(type(target), "state_dict", None) is torch.nn.Module.state_dict:
            raise TargetError(
                f"target {name}: must not be a torch Module itself, whose state leaves out the optimiser; "
                f"keep the Module in an attribute, {advice}"
            )
        return {OWN: target}
    found = {}
    for attribute, value in vars(target).items():
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
        if any(map(_has_state, inner)):
            raise TargetError(
                f"target {name}: self.{attribute} holds objects with a state, which is not found there; "
                f"keep each in an attribute of its own, {advice}"
            )
        if _has_state(value):
            found[attribute] = value
    if not found:
        raise TargetError(
            f"target {name}: must have a state to resume from, found no attribute with state_dict() and "
            f"load_state_dict(); keep model and optimiser in attributes (self.model, self.optimizer), {advice}"
        )
    return found


def save(folder: Path, target: object, curve: list[Row]) -> None:
    """Save a target's state and curve in the place of the earlier ones.

    Raises
    ------
    TargetError
        If the state cannot be loaded again: it contains objects that are neither tensors nor plain data.
    """
    inner = {name: part.state_dict() for name, part in parts(target).items()}
    content = {"trial": folder.name, "curve": curve, "parts": inner}
    name = type(target).__name__
    if "torch" in sys.modules:
        _save_torch(folder / TORCH_STATE, content, name)
        _leave_only(folder / TORCH_STATE)
    else:
        try:
            text = sealed.sealed_json(content)
        except (TypeError, ValueError) as error:
            raise TargetError(f"target {name}: its state must be of JSON's types, without torch: {error}") from error
        write_text(folder / JSON_STATE, text)
        _leave_only(folder / JSON_STATE)


def load(folder: Path) -> State | None:
    """Return the saved state; None if there is none or it is not the trial's. Training then starts anew.

    Raises
    ------
    UserError
        If a folder lies in its place.
    """
    path = place(folder)
    if path is None:
        return None
    found = read(path)
    if isinstance(found, State):
        return found
    note_damage(folder, path, found)
    return None


def read(path: Path) -> State | str:
    """Return the state in a file of a trial's folder; what is wrong with it, if it is damaged or not the trial's.

    Raises
    ------
    UserError
        If a folder lies in its place.
    """
    if path.is_dir():
        raise UserError(f"{path}: must be a file, found a folder; {AWAY}")
    if (found := sealed.wrong(path)) is not None:
        return found
    try:
        content = _read(path)
        if (found := _misfit(path.parent, content, read_rows(path.parent))) is None:
            return State(content["curve"], content["parts"], sealed.is_sealed(path))
    except Exception as error:
        if disk_error(error) is not None:
            raise
        # a damaged file without a digest may raise any error
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return found


def hand_over(path: Path, folder: Path) -> None:
    """Give the state in a file to the trial of another folder, as its own, with the curve that led to it.

    Raises
    ------
    UserError
        If the file is damaged, or not the state of the trial in whose folder it lies.
    """
    found = read(path)
    if isinstance(found, str):
        raise UserError(f"{path}: must be a trial's state as it was saved, found that {found}")
    if (own := of_program(path)) is not None and (path.parent / own["state"]).is_dir():
        shutil.copytree(path.parent / own["state"], folder / own["state"], dirs_exist_ok=True)
    content = {"trial": folder.name, "curve": found.curve, "parts": found.parts}
    if path.suffix == ".json":
        write_text(folder / path.name, sealed.sealed_json(content))
    else:
        _save_torch(folder / path.name, content, path.parent.name)
    _leave_only(folder / path.name)


def place(folder: Path) -> Path | None:
    """Return the file of a trial's saved state; None if there is none."""
    return next((path for name in STATES if (path := folder / name).exists()), None)


def unsound(folder: Path) -> tuple[Path, str] | None:
    """Return the file of a trial's saved state and what is wrong with it; None if it belongs to the whole curve.

    Needs no torch. Checks the folder of a program's state, too.
    """
    path = place(folder)
    if path is None:
        return folder / "state.*", "the state is gone"
    rows = read_rows(folder)
    found, epochs = look_at(path, rows)
    if found is None and epochs is not None and epochs < len(rows):
        found = f"it is of epoch {epochs}, and the trial is trained to epoch {len(rows)}"
    return None if found is None else (path, found)


def look_at(path: Path, rows: list[Row]) -> tuple[str | None, int | None]:
    """Return what is wrong with a file of a state, given its trial's curve, and of which epoch the state is.

    Each is None if there is no such thing. Needs no torch. Checks the folder of a program's state, too.
    """
    if path.is_dir():
        raise UserError(f"{path}: must be a file, found a folder; {AWAY}")
    if (found := sealed.wrong(path)) is not None:
        return found, None
    if (own := of_program(path)) is not None and (found := state_folder.wrong(path.parent, own)) is not None:
        return found, None
    content = _plain(path)
    return (None, None) if content is None else (_misfit(path.parent, content, rows), len(content["curve"]))


def of_program(path: Path) -> dict[str, Any] | None:
    """Return the state of a program that a sound file of a state holds: the name of its folder, and digests."""
    if path.suffix != ".json":
        return None
    parts_ = json.loads(path.read_text(encoding="utf-8"))["parts"]
    own = parts_.get(OWN) if isinstance(parts_, dict) else None
    return own if isinstance(own, dict) and "digests" in own and "state" in own else None


def belies(folder: Path) -> bool:
    """Whether a trial's own sound state contradicts the published curve, which has no digest of its own."""
    path = place(folder)
    if path is None or path.is_dir() or (content := _plain(path)) is None:
        return False
    own = content.get("trial") == folder.name
    return own and _misfit(folder, content, read_rows(folder)) is not None and sealed.wrong(path) is None


def _misfit(folder: Path, content: Mapping[str, Any], rows: list[Row]) -> str | None:
    """Return why this trial cannot have saved a state, given its published curve; None if it may have."""
    # states of early versions do not name their trial
    if (name := content.get("trial", folder.name)) != folder.name:
        return f"it is the state of trial {name}"
    both = min(len(content["curve"]), len(rows))
    return None if content["curve"][:both] == rows[:both] else f"it was saved with another curve than {CURVE}"


class _Other(dict[Any, Any]):
    """Stands for tensors and all other objects that are not plain data."""

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        """Ignore the object's content."""


class _Plain(pickle.Unpickler):
    """Reads the plain data of a pickle; imports and runs nothing."""

    def find_class(self, _module: str, _name: str) -> Any:
        return _Other

    def persistent_load(self, _pid: Any) -> None:
        return None


def _plain(path: Path) -> dict[str, Any] | None:
    """Return a state without its tensors, read without torch; None if it cannot be read."""
    try:
        if path.suffix == ".json":
            content = json.loads(path.read_text(encoding="utf-8"))
        else:
            with zipfile.ZipFile(path) as archive:
                name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
                with archive.open(name) as file:
                    content = _Plain(file).load()
        return content if isinstance(content["curve"], list) else None
    except Exception as error:
        if disk_error(error) is not None:
            raise
        # which errors a damaged file raises depends on where it is damaged
        return None


def _read(path: Path) -> dict[str, Any]:
    if path.suffix == ".pt":
        # only a target that has imported it has such states
        import torch

        content = torch.load(path, map_location="cpu", weights_only=True)
    else:
        content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content["curve"], list) or not isinstance(content["parts"], dict) or not content["parts"]:
        raise ValueError("it holds neither curve nor parts")
    return dict(content)


def restore(target: object, state: State) -> None:
    """Restore the saved state of a target that was just set up."""
    found = parts(target)
    if set(found) != set(state.parts):
        raise TargetError(
            f"target {type(target).__name__}: must have the saved parts {', '.join(state.parts)}, "
            f"found {', '.join(found)}; was its code changed within a study?"
        )
    for name, part in found.items():
        part.load_state_dict(state.parts[name])


def disk_error(error: BaseException | None, folder: Path | None = None) -> OSError | None:
    """Return the error of a full or failing disk behind an error, None if there is none. It is no fault of a trial.

    The same holds if nothing can be written in the trial's folder, if given.
    """
    while error is not None:
        if isinstance(error, OSError):
            ours = folder is not None and str(error.filename or "").startswith(f"{folder}{os.sep}")
            if error.errno in DISK_ERRORS or (ours and error.errno in PLACE_ERRORS):
                return error
        error = error.__cause__ or error.__context__
    return None


def _leave_only(path: Path) -> None:
    """Delete a state of another kind than the one just saved: the process that saved it had torch, or had not."""
    for name in STATES:
        if name != path.name:
            (path.parent / name).unlink(missing_ok=True)


def _has_state(value: object) -> bool:
    if isinstance(value, type):
        return False
    return all(callable(getattr(value, method, None)) for method in ("state_dict", "load_state_dict"))


def _save_torch(path: Path, content: dict[str, Any], name: str) -> None:
    torch = sys.modules["torch"]
    with whole(path) as temporary:
        with temporary.open("wb") as file:
            sealing = sealed.Sealing(file)
            try:
                torch.save(content, sealing)
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                # objects that cannot be pickled: a local function, a generator, an open file
                raise TargetError(f"target {name}: {HOLDS}: {' '.join(str(error).split())[:200]}") from error
            sealing.seal()
        try:
            # without reading the tensors: a state that only pickle can load would fail at the next start
            torch.load(temporary, map_location="cpu", mmap=True, weights_only=True)
        except pickle.UnpicklingError as error:
            found = " ".join(str(error).partition("WeightsUnpickler error:")[2].split())[:200]
            raise TargetError(f"target {name}: {HOLDS}: {found}") from error
