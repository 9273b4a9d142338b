"""The final training of a search's winner: a study of its own, of the winner's configuration alone.

It is a random search over a space with one point. So it trains, resumes, runs on a cluster and is read as any study.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.contents import Config
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.standing import Best
from swift_hyperband.study.model import Study, parse
from swift_hyperband.training import kept_states, state


def going_on(history: History, best: Best, name: str, epochs: int) -> dict[str, Any]:
    """Return the study, as of a study file, that trains the winner on to epoch `epochs`.

    Raises
    ------
    UserError
        If the winner has trained as many epochs already.
    """
    trained = len(history.trials[best.trial].curve)
    if epochs <= trained:
        raise UserError(f"--epochs must be more than the {trained} that trial {best.trial} has trained, found {epochs}")
    return _content(history, best, name, epochs, {"seed": history.study.search.seed, "trials": 1})


def from_the_start(history: History, best: Best, name: str, epochs: int, seeds: int) -> dict[str, Any]:
    """Return the study, as of a study file, that trains the winner's configuration anew with so many other seeds."""
    search = {"seed": history.study.search.seed + 1, "trials": seeds, "seed_per_trial": True}
    return _content(history, best, name, epochs, search)


def _content(history: History, best: Best, name: str, epochs: int, search: Mapping[str, Any]) -> dict[str, Any]:
    study = history.study
    return {
        **study.settings(),
        "name": name,
        "target": study.definition()["target"],
        "space": {key: {"type": "categorical", "choices": [value]} for key, value in best.configuration.items()},
        "search": {"algorithm": "random", "max_epochs": epochs, "eta": 2, **search},
        # the winner goes on from its own state, not from that of a search before it
        "earlier": [],
        # each of them is a result
        "keep_states": True,
    }


def hand_over(history: History, best: Best, study: Study, folder: StudyFolder) -> None:
    """Give the state of the winner to the one trial of the study that trains it on, unless that has begun.

    Raises
    ------
    UserError
        If the winner's state was not kept, or is damaged.
    """
    source, metric = history.folder.trial(best.trial), history.study.metric
    ((bracket, drawn),) = ((bracket, study.trials(bracket)) for bracket in study.schedule().brackets)
    ((trial, (slot, configuration)),) = drawn.items()
    place = folder.trial(trial)
    if state.place(place) is not None or folder.study.exists():
        return
    saved = state.place(source)
    if saved is None:
        found = f"trial {best.trial}: its state must be kept to train it on, found none in {source}"
        raise UserError(f"{found}; train it from the start: --seeds 1 --epochs {study.search.max_epochs}")
    Config(trial, bracket, slot, configuration).write(folder.config(trial))
    if metric.at == "best" and (kept := kept_states.best(source)) is not None:
        state.hand_over(kept, place)
    # the last one: with it the trial has begun
    state.hand_over(saved, place)


def study_of(content: Mapping[str, Any]) -> Study:
    """Return the study that a content makes, validated."""
    return parse(content, f"the final training {content['name']}")
