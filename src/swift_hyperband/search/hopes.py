"""Hopes: trainings that a search has not asked for but may ask for. Workers without other work train them ahead.

Decisions never look at epochs that were not asked for, so the result of a search does not depend on what was trained
ahead. Curves trained ahead serve to order hopes alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from swift_hyperband.base.errors import InvalidKeysError
from swift_hyperband.base.wording import shown
from swift_hyperband.search import Curve, Training, rounds

if TYPE_CHECKING:
    from swift_hyperband.search.scheduled import RoundRecord, ScheduledSearch


class Kind(IntEnum):
    """Why a trial may go on, the best reason first."""

    CERTAIN = 0
    """It goes on whatever the outstanding trials reach."""
    THAW = 1
    """It was left behind, and is likely to go on after all brackets."""
    PAST_DECISION = 2
    """It waits at its decision point."""
    PAST_END = 3
    """It is among the best at its round's end, and would train to the next round's decision point."""
    THROUGH_NEXT = 4
    """It has, and would train to the next round's end."""


class Hope(NamedTuple):
    """A training that may be asked for. The smallest is the best.

    Attributes
    ----------
    kind : Kind
    done : int
        Epoch at which the trial's round begins or ends, less the last epoch: most epochs left come first.
    place : float
        Its rank among the trials of its round that are as far.
    trial : str
    epochs : int
        Behind it afterwards.
    """

    kind: Kind
    done: int
    place: float
    trial: str
    epochs: int


def switch_or_share(value: object) -> object:
    """Check whether to train ahead: true, false, or by which share of the epochs asked for so far."""
    number = isinstance(value, int | float) and 0 <= value < math.inf
    if not number:
        raise InvalidKeysError(("", f"must be true, false or a number of at least 0, found {shown(value)}"))
    return value


def hopes(search: ScheduledSearch, ahead: Mapping[str, Curve]) -> list[Hope]:
    """Return trainings that are not asked for but may be, best first; a trial is in one of them at most.

    Parameters
    ----------
    search : ScheduledSearch
    ahead : mapping of str to Curve
        The curves, as far as they are trained, of trials that trained beyond the epochs asked for.
    """
    found: list[Hope] = []
    for record in search.records.values():
        if record.promoted is None:
            found += _past_decision(search, record, ahead)
            found += _past_end(search, record, ahead)
    last = search.schedule.max_epochs
    for place, trial in enumerate(search.likely_to_thaw(ahead)):
        if _behind(search, trial, ahead) < last:
            # nothing else is left to train beside these
            found.append(Hope(Kind.THAW, 0, place, trial, last))
    return sorted(found)


def within(search: ScheduledSearch, ahead: Mapping[str, Curve], most: float) -> list[Training]:
    """Return the best hopes that a bound on the epochs ahead allows, some of them shorter.

    Parameters
    ----------
    search, ahead
        As in `hopes`.
    most : float
        Most epochs ahead, as a share of those told so far. Those trained in vain count for ever.
    """
    left = most if math.isinf(most) else int(most * search.epochs)
    left -= sum(max(0, len(curve) - len(search.curves.get(trial, ()))) for trial, curve in ahead.items())
    found: list[Training] = []
    for hope in hopes(search, ahead):
        behind = _behind(search, hope.trial, ahead)
        if left <= 0:
            break
        goal = int(min(hope.epochs, behind + left))
        left -= goal - behind
        found.append(Training(hope.trial, goal))
    return found


def _past_decision(search: ScheduledSearch, record: RoundRecord, ahead: Mapping[str, Curve]) -> Iterator[Hope]:
    """Yield the trials that wait for a decision: as many of the best as may go on."""
    round_ = record.schedule
    point = round_.decision_epoch
    if point is None or record.decision is not None:
        return
    _, partial = rounds.divide(round_, record.competitors)
    there = {trial: search.curves[trial] for trial in partial if not search.outstanding(trial)}
    if not there:
        return
    going, stopping = search.certain(record, there)
    standing = sorted((rounds.loss_at(curve, point), trial) for trial, curve in there.items())
    for place, (loss, trial) in enumerate(standing):
        if not math.isfinite(loss) or _behind(search, trial, ahead) >= round_.end:
            continue
        if trial in going:
            kind = Kind.CERTAIN
        elif trial not in stopping and place < round_.most_completed:
            kind = Kind.PAST_DECISION
        else:
            continue
        yield Hope(kind, round_.start - search.schedule.max_epochs, place / round_.partial, trial, round_.end)


def _past_end(search: ScheduledSearch, record: RoundRecord, ahead: Mapping[str, Curve]) -> Iterator[Hope]:
    """Yield the trials that would be promoted if the round were over now, by what was trained ahead, too."""
    round_ = record.schedule
    following = search.schedule.by_key.get((round_.bracket, round_.index + 1))
    if following is None:
        return
    decided = round_.decision_epoch is None or record.decision is not None
    full, _ = rounds.divide(round_, record.competitors)
    verdicts = {} if record.decision is None else record.decision.verdicts
    # those that come to the end for certain, or may
    finishers = [trial for trial in record.competitors if trial not in verdicts or verdicts[trial].continues]
    certain = finishers if decided else full
    told = {trial for trial in certain if not search.outstanding(trial)}
    outstanding = len(certain) - len(told) + (0 if decided else round_.most_completed)
    reached = {
        trial: rounds.loss_at(search.curves[trial] if trial in told else ahead.get(trial, ()), round_.end)
        for trial in finishers
    }
    standing = sorted((loss, trial) for trial, loss in reached.items() if math.isfinite(loss))
    point = following.decision_epoch or following.end
    known = 0
    for place, (_, trial) in enumerate(standing[: round_.promoted]):
        behind = _behind(search, trial, ahead)
        # its worst place, if all outstanding trials come before it
        worst = known + outstanding
        known += trial in told
        if trial in told and worst < round_.promoted:
            goal = following.end if worst < following.full else point
            if behind < goal:
                yield _past(Kind.CERTAIN, search, record, place, trial, goal)
                continue
        if behind < point:
            yield _past(Kind.PAST_END, search, record, place, trial, point)
        elif behind < following.end and place < max(following.full, following.promoted):
            yield _past(Kind.THROUGH_NEXT, search, record, place, trial, following.end)


def _past(kind: Kind, search: ScheduledSearch, record: RoundRecord, place: int, trial: str, goal: int) -> Hope:
    return Hope(kind, record.schedule.end - search.schedule.max_epochs, place, trial, goal)


def _behind(search: ScheduledSearch, trial: str, ahead: Mapping[str, Curve]) -> int:
    """Return the epochs behind a trial, with those trained ahead."""
    return max(len(search.curves.get(trial, ())), len(ahead.get(trial, ())))
