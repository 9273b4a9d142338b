"""A segment: one trial trained from its last epoch to a given one, in this process."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json
from swift_hyperband.base.metric import RESERVED, Metric
from swift_hyperband.base.tracebacks import in_full, in_one_line, kind_of
from swift_hyperband.processes import lease, log
from swift_hyperband.targets import Context, DamagedStateError, RunsAhead, Target, TargetError
from swift_hyperband.targets.program.state_folder import HALF_WRITTEN
from swift_hyperband.training import kept_states, reproducible, state, trial
from swift_hyperband.training.clock import Clock, OutOfTimeError
from swift_hyperband.training.live import Live
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import Row

Ahead = Callable[[], int | None]


class CrashError(Exception):
    """The target raised an error; the crash is counted in the trial's folder."""


def train(
    folder: Path,
    settings: TrainingSettings,
    target_class: type[Target],
    epochs: int,
    clock: Clock | None = None,
    at_least: int = 0,
    waits: bool = True,
    ahead: Ahead | None = None,
) -> None:
    """Train a trial to epoch `epochs`, or until it diverges; repeat nothing of what another process has trained.

    Parameters
    ----------
    folder : Path
        The trial's folder, with its config.json.
    settings : TrainingSettings
    target_class : type
    epochs : int
        Counted from the trial's first.
    clock : Clock, optional
        Tells whether another epoch may start.
    at_least : int
        Epochs that are trained whatever the clock says, so that a job shorter than one epoch still makes progress.
    waits : bool
        Whether to wait while another process trains the same trial.
    ahead : callable, optional
        Of a training ahead of the search: called before each epoch. Returns the epoch that the search has asked for by
        now, which it then trains to; 0 while it has not asked; None to end. A crash does not count then, and a trial
        whose state is gone is trained again only if the search has asked for it.

    Raises
    ------
    TakenError
        If another process trains the trial, and this one does not wait.
    CrashError
        If the target raises an error.
    OutOfTimeError
        If the clock allows no further epoch; what is trained is saved.
    LeaseLostError
        If another process has taken the trial over; the epoch in flight is not written.
    UserError
        If the trial's configuration cannot be read.
    OSError
        If the disk is full or fails.
    """
    take = lease.acquire if waits else lease.try_acquire
    held = take(folder, unless=lambda: trial.is_through(folder, settings.metric, epochs))
    if held is None:
        return
    with held:
        configuration = read_json(folder / trial.CONFIG, {"configuration": dict})["configuration"]
        _remove_leftovers(folder)
        try:
            with _logged(folder, target_class, epochs):
                _train(folder, configuration, settings, target_class, epochs, held, clock or Clock(), at_least, ahead)
        except (UserError, lease.LeaseLostError, OutOfTimeError):
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if (disk := state.disk_error(error, folder)) is not None:
                raise disk from error
            if ahead is not None:
                trial.note_failure_ahead(folder, in_one_line(error, target_class), log.last(folder))
                raise CrashError from error
            _count(folder, error, target_class, settings.retries)
            raise CrashError from error


@contextmanager
def _logged(folder: Path, target_class: type[Target], epochs: int) -> Iterator[None]:
    """Log what a target prints and raises; one that runs ahead logs each of its starts itself."""
    if issubclass(target_class, RunsAhead):
        yield
        return
    behind = len(trial.read_rows(folder))
    with log.captured(folder, f"trial {folder.name}, epochs {behind + 1} to {epochs}") as written:
        try:
            yield
        except (UserError, lease.LeaseLostError, OutOfTimeError):
            raise
        except BaseException as error:
            written.write(_in_full(error))
            raise


def _in_full(error: BaseException) -> str:
    """Return an error as it is logged, without the frames of the training, which called the target."""
    return f"{error}\n" if isinstance(error, TargetError) else in_full(error, Path(__file__).parent)


def _count(folder: Path, error: BaseException, target_class: type[Target], retries: int) -> None:
    """Count a crash in the trial's folder, with its error in one line."""
    if isinstance(error, TargetError):
        line = " ".join(str(error).split())
        kind = kind_of(line) if error.alike == "" else error.alike
    else:
        line = in_one_line(error, target_class)
        # place and type of the error alone: its text may depend on the configuration
        kind = ": ".join(line.split(": ")[:2])
    trial.count_crash(folder, line, _in_full(error), retries, kind, log.last(folder))


def _train(
    folder: Path,
    configuration: dict[str, Any],
    settings: TrainingSettings,
    target_class: type[Target],
    epochs: int,
    held: lease.Lease,
    clock: Clock,
    at_least: int,
    ahead: Ahead | None,
) -> None:
    published = trial.read_rows(folder)
    if ahead is not None and published and state.place(folder) is None and not ahead():
        # the search may have left the trial behind a moment ago, and has deleted its state
        return
    if trial.state_is_wanted(folder):
        epochs = max(epochs, len(published))
    fresh = partial(begin, folder, configuration, settings, target_class, epochs, clock)
    target, curve = _resumed(folder, settings.counted, fresh)
    if len(curve) > len(published):
        # the process was killed after it saved the state and before it published the curve
        trial.write_rows(folder, curve)
    # what is published stays, though a state may be lost
    told = Live(folder, settings.live, configuration)
    told.tell(max(published, curve, key=len))
    behind, since_saved = len(curve), 0
    while len(curve) < epochs and not (curve and curve[-1][settings.metric] is None):
        seconds = (curve[-1]["seconds"] or 0.0) if curve else clock.longest
        if len(curve) >= behind + at_least and not clock.allows(seconds):
            if since_saved:
                held.check()
                _save(folder, target, curve, is_best=False)
            raise OutOfTimeError
        wanted = ahead() if ahead is not None else epochs
        if wanted is None or 0 < wanted <= len(curve):
            if since_saved:
                held.check()
                _save(folder, target, curve, is_best=False)
            break
        epoch = len(curve) + 1
        if not isinstance(target, RunsAhead):
            trial.mark_started(folder, epoch, ahead=not wanted)
        row = train_epoch(folder, settings, target, epoch)
        # an epoch that is trained again, as its state was deleted, keeps its row: decisions may rest on that
        curve.append(published[epoch - 1] if epoch <= len(published) else row)
        held.check()
        since_saved += 1
        is_best = kept_states.is_best(settings.counted, curve)
        ends = len(curve) == epochs or curve[-1][settings.metric] is None
        # save the state before publishing its row: whoever sees the row may resume from the state
        if since_saved == settings.save_every or ends or is_best:
            _save(folder, target, curve, is_best)
            since_saved = 0
        trial.forget_crashes(folder)
        if epoch > len(published):
            trial.write_rows(folder, curve)
            told.tell(curve)
    told.close()
    trial.state_is_there(folder)


def _resumed(folder: Path, metric: Metric, fresh: Callable[[], Target]) -> tuple[Target, list[Row]]:
    """Return the target restored to its saved state, and the curve up to it; a fresh one if no state is sound."""
    target, saved = fresh(), state.load(folder)
    if saved is None:
        return target, []
    if (damaged := kept_states.settle(folder, metric, saved.curve)) is not None:
        trial.note_damage(folder, *damaged)
        return target, []
    try:
        state.restore(target, saved)
    except Exception as error:
        # a sealed state is what was saved, so the error is the target's
        if not isinstance(error, DamagedStateError) and saved.sealed:
            raise
        path = state.place(folder)
        assert path is not None
        trial.note_damage(folder, path, str(error) or type(error).__name__)
        return fresh(), []
    return target, saved.curve


def _save(folder: Path, target: Target, curve: list[Row], is_best: bool) -> None:
    state.save(folder, target, curve)
    if is_best:
        kept_states.keep_best(folder)
    if isinstance(target, RunsAhead):
        target.after_saving()


def begin(
    folder: Path,
    configuration: dict[str, Any],
    settings: TrainingSettings,
    target_class: type[Target],
    epochs: int,
    clock: Clock,
) -> Target:
    """Return a trial's target, set up and not trained yet."""
    reproducible.prepare_torch(settings.threads)
    reproducible.seed_epoch(settings.seed, folder.name, 0)
    target = target_class()
    context = Context(
        trial=folder.name,
        seed=settings.seed_of(folder.name),
        threads=settings.threads,
        options=settings.options,
        folder=folder,
        until=epochs,
        deadline=clock.deadline,
        max_epochs=settings.max_epochs,
        curve=lambda: trial.read_rows(folder),
        kept=lambda: kept_states.of_programs(folder),
        fits=lambda: clock.fits(trial.last_seconds(folder)),
        started=lambda epoch: trial.mark_started(folder, epoch),
    )
    target.setup(configuration, context)
    state.parts(target)
    return target


def train_epoch(folder: Path, settings: TrainingSettings, target: Target, epoch: int) -> Row:
    """Train and validate for one epoch and return its row of the curve."""
    reproducible.seed_epoch(settings.seed, folder.name, epoch)
    name, metric = type(target).__name__, settings.metric
    start = time.perf_counter()
    extra = target.train_epoch(epoch) or {}
    found = target.validate()
    seconds = target.seconds_per_epoch() if isinstance(target, RunsAhead) else time.perf_counter() - start
    if not isinstance(found, dict) or metric not in found:
        keys = ", ".join(map(repr, found)) if isinstance(found, dict) else type(found).__name__
        raise TargetError(f"target {name}: validate() must return the metric {metric!r}, found {keys or 'nothing'}")
    row: Row = {"epoch": epoch}
    for key, value in {**extra, **found}.items():
        if key in RESERVED:
            raise TargetError(f"target {name}: no metric may be named {key!r}, as the curve has that already")
        row[key] = number(value, key, name)
    row["seconds"] = round(seconds, 4)
    return row


def number(value: Any, key: str, name: str) -> float | None:
    """Return a metric as a float, None where it is not finite. Scalars of numpy and torch are numbers, too."""
    try:
        number = value.item() if hasattr(value, "item") else value
    except (ValueError, RuntimeError):
        number = None
    if not isinstance(number, int | float):
        shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
        raise TargetError(f"target {name}: the metric {key!r} must be a number, found {type(value).__name__}{shape}")
    if not math.isfinite(number):
        return None
    # torch sets the processor to flush denormal numbers to 0; other processes would read them as they are
    return float(number) if abs(number) >= sys.float_info.min else 0.0


def _remove_leftovers(folder: Path) -> None:
    """Remove half-written states and curves of killed processes. Only the holder of the lease writes these."""
    for leftover in (*folder.glob(HALF_WRITTEN), *folder.glob(f".{trial.CURVE}.*.tmp")):
        # a program's state is a folder
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)
