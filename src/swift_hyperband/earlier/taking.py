"""Taking trials over from earlier searches, when a search begins: their curves and states are copied, never moved.

What is there already stays: a trial that has begun here is never replaced. So this may be cut at any moment and done
again. A state is one file that is replaced by rename, never written in place, so a second name for it does; what else
a target keeps in its folder is copied, as programs may write into it.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError
from swift_hyperband.earlier.sources import Offer, Offers, Source, check_rest, offers, sources
from swift_hyperband.processes import lease, log
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.taken import Taken, TakenSearch, TakenTrial
from swift_hyperband.targets import ASK_TELL
from swift_hyperband.training import kept_states, state
from swift_hyperband.training.trial import (
    CONFIG,
    CURVE,
    DAMAGED,
    FAILURES,
    FAILURES_AHEAD,
    STARTED,
    WANTED,
    read_rows,
    started,
    write_rows,
)

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study

logger = logging.getLogger(__name__)

STATE_FILES = frozenset((*state.STATES, *kept_states.BEST.values()))
"""States, which are replaced and never written in place."""
OWN = frozenset((CONFIG, CURVE, DAMAGED, FAILURES, FAILURES_AHEAD, STARTED, WANTED, lease.NAME, log.FOLDER))
"""What each search writes into the folders of its trials itself."""


def found_for(folder: StudyFolder, study: Study) -> list[Source]:
    """Return the earlier searches whose trials are to be taken over, all of which can be.

    To be called before the study is frozen: one that is refused leaves nothing behind.

    Raises
    ------
    UserError
        If an earlier search is not there, runs, or has epochs that are not those of this study.
    """
    if not study.earlier or folder.best.exists():
        return []
    found = sources(study, folder, study.name)
    for source in found:
        check_rest(source)
    return found


def take_over(folder: StudyFolder, study: Study, found: Sequence[Source], remakes: bool = True) -> None:
    """Take over the trials of the earlier searches that a study names, as far as both draw the same.

    Only the process that begins the search may call it, after the study was frozen and before anything is looked at.

    Parameters
    ----------
    folder : StudyFolder
        Of the study.
    study : Study
    found : sequence of Source
        As `found_for` returns them.
    remakes : bool
        Whether who runs the search makes a lost state of the winner again, at its end. If not, the last epoch is only
        taken over with its state.
    """
    if not study.earlier or folder.best.exists():
        return
    before = Taken.of(folder)
    offered = offers(study, found)
    new = {
        name: _sound(one, study, remakes) for name, one in offered.trials.items() if _is_new(folder.trial(name), before)
    }
    noted = {name: TakenTrial(one.source.name, one.epochs, one.state) for name, one in new.items()}
    names = {**before.trials, **offered.trials}
    there = {name: one for name in names if (one := _there(folder.trial(name), before, offered))}
    searches = {
        one.name: TakenSearch(one.study.name, one.study.search.max_epochs, offered.left_out[one.name]) for one in found
    }
    # first, so that none of these epochs ever counts as trained here
    taken = Taken({**before.searches, **searches}, {**there, **noted})
    if taken != before:
        taken.write(folder)
    for offer in new.values():
        _take(offer, folder.trial(offer.config.trial), taken, study)
    if taken != before:
        _tell(folder, taken, noted)


def _is_new(place: Path, taken: Taken) -> bool:
    """Whether a trial has not begun here; one that was cut while it was taken over has not.

    A state that did not come from there is one that was handed over, to begin with.
    """
    has_own_state = place.name not in taken.trials and state.place(place) is not None
    return _length(place) == 0 and not has_own_state and not started(place).begun


def _length(place: Path) -> int | None:
    """Return how many epochs a trial has here; None if its curve is damaged, so that the search makes it again."""
    try:
        return len(read_rows(place))
    except UserError:
        return None


def _there(place: Path, before: Taken, offered: Offers) -> TakenTrial | None:
    """Return what was taken over of a trial that lies here; None if that is nothing."""
    length = _length(place)
    if place.name in before.trials or not length or started(place).begun:
        return None if _is_new(place, before) else before.trials.get(place.name)
    # the file that told of it was lost
    return TakenTrial(offered.trials[place.name].source.name, length, state.place(place) is not None)


def _sound(offer: Offer, study: Study, remakes: bool) -> Offer:
    """Return an offer as it is worth: without its state if that is damaged.

    A search that was killed may leave a state of an earlier epoch than the curve's last one. Training goes on from it.
    """
    last = study.search.max_epochs
    if offer.state and study.target.name != ASK_TELL:
        epochs = kept_states.resumes(offer.folder, study.metric)
        offer = replace(offer, state=epochs is not None and epochs <= last)
    return offer if offer.state or remakes else replace(offer, epochs=min(offer.epochs, last - 1))


def _take(offer: Offer, place: Path, taken: Taken, study: Study) -> None:
    """Copy a trial into its folder: the curve last, so that one that was cut is new again."""
    place.mkdir(parents=True, exist_ok=True)
    with suppress(lease.TakenError):
        held = lease.try_acquire(place, unless=lambda: not _is_new(place, taken))
        if held is None:
            return
        with held:
            if not (place / CONFIG).exists():
                offer.config.write(place / CONFIG)
            if study.target.name == ASK_TELL:
                # what the user's code keeps is its state; ours is the curve alone
                _copy(offer.folder, place, without=STATE_FILES)
            elif offer.state:
                _copy(offer.folder, place)
            write_rows(place, read_rows(offer.folder)[: offer.epochs])


def _copy(source: Path, place: Path, without: Container[str] = ()) -> None:
    """Copy a trial's states, and what else its target keeps in its folder, but for pipes and sockets."""
    for path in sorted(source.iterdir()):
        if path.name in OWN or path.name in without or path.name.startswith(".") or _is_special(path):
            continue
        copy = place / path.name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(path, copy, symlinks=True, ignore=_special)
            continue
        copy.unlink(missing_ok=True)
        if path.name not in STATE_FILES or not _link(path, copy):
            shutil.copy2(path, copy, follow_symlinks=False)


def _link(path: Path, copy: Path) -> bool:
    """Give a file a second name, if its disk can."""
    try:
        os.link(path, copy)
    except FileExistsError:
        # NFS may make the link and lose the answer
        return copy.samefile(path)
    except OSError:
        return False
    return True


def _is_special(path: Path) -> bool:
    return not (path.is_symlink() or path.is_dir() or path.is_file())


def _special(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if _is_special(Path(folder, name))]


def _tell(folder: StudyFolder, taken: Taken, new: Mapping[str, TakenTrial]) -> None:
    """Log what was taken over from each search, and what was left out."""
    for name, search in taken.searches.items():
        of_search = [one for one in new.values() if one.source == name]
        left = "; ".join(f"{count} left out, as {why}" for why, count in search.left_out.items())
        if of_search:
            count = f"{len(of_search)} trial{'s' if len(of_search) > 1 else ''}"
            told = f"{count} with {sum(one.epochs for one in of_search)} epochs taken over from {name}"
            if without := sum(not one.state for one in of_search):
                told += f", {without} of them without a state: they train anew where they must go on"
            logger.info(f"{folder.path}: {told}{f'; {left}' if left else ''}")
        elif not any(one.source == name for one in taken.trials.values()):
            logger.warning(f"{folder.path}: no trial can be taken over from {name}: {left or 'none has trained'}")
