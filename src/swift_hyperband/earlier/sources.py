"""The earlier searches of a study: their folders and definitions, and the trials that they can give."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError
from swift_hyperband.earlier.agreement import disagreement
from swift_hyperband.processes import lease
from swift_hyperband.processes.heartbeat import INTERVAL, SILENT_AFTER
from swift_hyperband.results.contents import Config
from swift_hyperband.results.freeze import load_study
from swift_hyperband.results.layout import StudyFolder, expanded
from swift_hyperband.results.taken import Taken
from swift_hyperband.search.sampling import ONE_IN
from swift_hyperband.targets import ASK_TELL
from swift_hyperband.training import state
from swift_hyperband.training.trial import CURVE, read_rows

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study

ELSEWHERE = "another earlier search has them as far or further"
"""A reason to leave trials out."""
PAUSE = 0.5
"""Seconds between two looks at whether an earlier search runs."""


@dataclass(frozen=True)
class Source:
    """An earlier search.

    Attributes
    ----------
    name : str
        Its folder, as the study file names it.
    folder : StudyFolder
    study : Study
    """

    name: str
    folder: StudyFolder
    study: Study


def sources(study: Study, own: StudyFolder, where: str) -> list[Source]:
    """Return the earlier searches of a study.

    Parameters
    ----------
    study : Study
    own : StudyFolder
        Where its search lies, or will lie. Of what was taken over into it, the earlier search may be gone.
    where : str
        The study's file or name, for messages.

    Raises
    ------
    UserError
        If a folder holds no search, or one whose epochs are not those of the study.
    """
    found, known = [], Taken.of(own).searches
    for number, name in enumerate(study.earlier):
        key = f"{where}: earlier[{number}]"
        folder = StudyFolder(expanded(name, key))
        if folder.path.resolve() == own.path.resolve():
            raise UserError(f"{key} must be the folder of another search, found that of this one ({name})")
        if not folder.study.exists():
            if name in known:
                continue
            wrong = f"the file {folder.path}" if folder.path.is_file() else f"no {folder.study}"
            raise UserError(f"{key} must be the folder of a search that was started, found {wrong}")
        try:
            earlier = load_study(folder)
        except UserError as error:
            raise UserError(f"{key} must be a search that can be read, found: {str(error).splitlines()[0]}") from None
        if (why := disagreement(earlier, folder, study)) is not None:
            raise UserError(f"{key}: {name} {why}")
        found.append(Source(name, folder, earlier))
    return found


def check_rest(source: Source) -> None:
    """Check that nobody searches or trains in an earlier search's folder.

    Trainings may outlive a head that was killed. A silent process on another machine is waited for.

    Raises
    ------
    UserError
        If somebody does.
    """
    watch, end = lease.Watch(), time.monotonic() + SILENT_AFTER + INTERVAL
    folder = source.folder
    held = [folder.path, folder.decider, *folder.workers.glob("*"), *folder.trials()]
    # all of them at once, so that those of a dead machine are waited for together
    while held := [place for place in held if watch.is_held(place)]:
        at_work = next((place for place in held if lease.is_held_here(place)), held[0])
        if lease.is_held_here(at_work) or time.monotonic() > end:
            raise UserError(
                f"{folder.path}: must not run while its trials are taken over, but {lease.holder(at_work)} is at work "
                f"on {'it' if at_work == folder.path else at_work}; wait for its end, or stop it first"
            )
        time.sleep(PAUSE)


def known_before(study: Study) -> dict[str, Config]:
    """Return the trials of a study whose configurations are known before it begins, with these.

    A model of curves draws the others: in brackets after the first, and without rounds in all, each slot but every
    third one.
    """
    schedule, found = study.supply(), {}
    by_model = study.search.sampling != "random"
    for bracket in schedule.brackets:
        is_drawn = by_model and (bool(schedule.drawn_after(bracket)) or not schedule.in_turn)
        first = len(study.first_configurations(bracket))
        for trial, (slot, configuration) in study.trials(bracket).items():
            if not is_drawn or slot < first or slot % ONE_IN == ONE_IN - 1:
                found[trial] = Config(trial, bracket, slot, configuration)
    return found


@dataclass(frozen=True)
class Offer:
    """A trial of an earlier search with which a study can go on.

    Attributes
    ----------
    source : Source
    config : Config
    epochs : int
        How many of its epochs count.
    state : bool
        Whether it has a state of the last of them; whether that is sound is not looked at.
    """

    source: Source
    config: Config
    epochs: int
    state: bool

    @property
    def folder(self) -> Path:
        return self.source.folder.trial(self.config.trial)


@dataclass(frozen=True)
class Offers:
    """What earlier searches offer: trials by id, and by folder of a search how many were left out for which reason."""

    trials: Mapping[str, Offer]
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def offers(study: Study, found: Iterable[Source]) -> Offers:
    """Return the trials of earlier searches with which a study can go on, the best offer for each."""
    known, trials = known_before(study), dict[str, Offer]()
    drawn = {trial for bracket in study.supply().brackets for trial in study.slots(bracket)}
    left_out: dict[str, Counter[str]] = {}
    for source in found:
        reasons = left_out[source.name] = Counter[str]()
        for place in source.folder.trials():
            if not (place / CURVE).exists():
                continue
            offer = _offer(source, place, known, drawn, study.search.max_epochs)
            if isinstance(offer, str):
                reasons[offer] += 1
            elif offer.epochs and ((other := trials.get(place.name)) is None or _worth(offer) > _worth(other)):
                trials[place.name] = offer
                if other is not None:
                    left_out[other.source.name][ELSEWHERE] += 1
            elif offer.epochs:
                reasons[ELSEWHERE] += 1
    return Offers(trials, {name: dict(reasons) for name, reasons in left_out.items()})


def _worth(offer: Offer) -> tuple[bool, int]:
    return offer.state, offer.epochs


def _offer(
    source: Source, place: Path, known: Mapping[str, Config], drawn: Iterable[str], max_epochs: int
) -> Offer | str:
    """Return what a trial of an earlier search offers; in words why it cannot."""
    if place.name not in drawn:
        return "this study has no such trial"
    if place.name not in known:
        return "a model draws their configurations"
    try:
        config, rows = Config.read(place / "config.json"), read_rows(place)
    except UserError:
        return "their files are damaged"
    # as text: Python takes 4 for 4.0, and 0 for False
    own = known[place.name]
    if json.dumps(vars(config), sort_keys=True) != json.dumps(vars(own), sort_keys=True):
        return "this study draws other configurations for them"
    # training by the user's own code goes on after the curve's last epoch, whatever that code keeps
    by_user = source.study.target.name == ASK_TELL
    has_state = (by_user or state.place(place) is not None) and len(rows) <= max_epochs
    return Offer(source, own, min(len(rows), max_epochs), has_state)
