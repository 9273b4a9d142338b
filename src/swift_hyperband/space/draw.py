"""The search space: hyperparameters, conditions, constraints, and drawing the configuration of a trial.

A configuration follows from the run's seed, the bracket and the slot alone. Each hyperparameter draws from a stream of
its own, so that another order of keys, or a key more, changes nothing else. Only `Random.random` is used: it is what
Python promises to keep the same from version to version.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Mapping

from swift_hyperband.base.errors import UserError
from swift_hyperband.space.constraints import Scalar, holds
from swift_hyperband.space.parameters import Space

ATTEMPTS = 1000
"""Draws of a configuration before its constraints count as impossible."""


def trial_id(seed: int, bracket: int, slot: int) -> str:
    """Return the id of the trial in a slot of a bracket: 12 hexadecimal digits."""
    return hashlib.sha256(f"{seed}/{bracket}/{slot}".encode()).hexdigest()[:12]


def draw(space: Space, seed: int, bracket: int, slot: int) -> dict[str, Scalar]:
    """Return the configuration of the trial in a slot of a bracket, in the order of the space's keys.

    Hyperparameters whose condition does not hold are left out. A configuration that breaks a constraint is drawn again
    as a whole.

    Raises
    ------
    UserError
        If `ATTEMPTS` draws in a row break the constraints, or a constraint compares text with numbers.
    """
    broken: Counter[str] = Counter()
    for attempt in range(ATTEMPTS):
        configuration, violated = _attempt(space, seed, bracket, slot, attempt)
        if violated is None:
            return configuration
        broken[violated] += 1
    raise _no_room(broken)


def _attempt(space: Space, seed: int, bracket: int, slot: int, attempt: int) -> tuple[dict[str, Scalar], str | None]:
    """Return a configuration, and the first constraint that it breaks."""
    configuration = _draw_once(space, f"{seed}/{bracket}/{slot}/{attempt}")
    return configuration, next((text for text in space.constraints if not holds(text, configuration)), None)


def _draw_once(space: Space, stream: str) -> dict[str, Scalar]:
    drawn: dict[str, Scalar] = {}
    for name in space.order:
        if space.is_active(name, drawn):
            drawn[name] = space.hyperparameters[name].at(random.Random(f"{stream}/{name}").random())
    return {name: drawn[name] for name in space.hyperparameters if name in drawn}


CHECKED = 100_000
"""Values drawn and constraints evaluated, at most, in the check of a study's constraints."""


ROOM = 0.03
"""If this share of draws keeps the constraints, `ATTEMPTS` failures in a row do not happen in any search."""


def check_room(space: Space, seed: int, trials: Mapping[int, int]) -> None:
    """Check that constraints leave a configuration for every trial of a search.

    Parameters
    ----------
    space : Space
    seed : int
    trials : mapping
        By bracket, how many start in it.

    Raises
    ------
    UserError
        As `draw`.

    Notes
    -----
    Trials are drawn until `CHECKED` is reached. Whether the others find a configuration is then clear by `ROOM`.
    """
    needed = space.constrained()
    most = max(1, CHECKED // (len(needed.hyperparameters) + len(needed.constraints)))
    broken: Counter[str] = Counter()
    tried = kept = 0
    for bracket, slot in ((bracket, slot) for bracket, count in trials.items() for slot in range(count)):
        for attempt in range(ATTEMPTS):
            tried += 1
            _, violated = _attempt(needed, seed, bracket, slot, attempt)
            if violated is None:
                kept += 1
                break
            broken[violated] += 1
            if tried >= most:
                break
        else:
            raise _no_room(broken, kept)
        if tried >= most:
            if kept < ROOM * tried:
                raise _no_room(broken, kept, f"fewer than {ROOM:.0%}, ")
            return


def _no_room(broken: Counter[str], kept: int = 0, few: str = "") -> UserError:
    worst, _ = broken.most_common(1)[0]
    draws = broken.total() + kept
    return UserError(
        f"constraints must leave room in the space, found {kept or 'none'} in {draws} draws, "
        f"{few}most of which broke '{worst}'; loosen it or change the ranges"
    )
