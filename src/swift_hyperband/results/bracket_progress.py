"""The progress of a bracket in numbers, and that of a search without rounds, which counts as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swift_hyperband.results.history import History, RoundHistory
from swift_hyperband.results.rungs import Rungs
from swift_hyperband.results.standing import Fate, fate
from swift_hyperband.training.glance import Glance

STATES = ("alive", "stopped", "not promoted", "failed", "diverged")
"""The fates of trials as `status` counts them: those that can win are alive, and "stopped" is by prediction."""


@dataclass(frozen=True)
class BracketProgress:
    """How far a bracket has come.

    Attributes
    ----------
    bracket : int
    round : RoundHistory or None
        The first round that is not over; None after the last.
    rounds : int
        How many rounds it has.
    spent, saved, to_come : int
        Epochs trained, saved by predictions, and still to be trained at most.
    trials : mapping of str to int
        How many trials became what, by `STATES`.
    is_thaw : bool
        Whether it is the round after all brackets, which then has the trials that go on, and the epochs that they do.
    """

    bracket: int
    round: RoundHistory | None
    rounds: int
    spent: int
    saved: int
    to_come: int
    trials: Mapping[str, int]
    is_thaw: bool = False

    @property
    def name(self) -> str:
        return "thaw" if self.is_thaw else f"bracket {self.bracket}"


def left_behind(history: History) -> dict[str, int]:
    """Return how many epochs the trials that go on after all brackets had behind them."""
    thawed = history.thawed
    return {} if thawed is None else {trial: thawed.left[trial].epochs for trial in thawed.chosen}


def of_thaw(found: RoundHistory, trained: Mapping[str, Glance], left: Mapping[str, int]) -> BracketProgress:
    """Return how far the round after all brackets has come."""
    end, over = found.schedule.end, found.promoted is not None
    spent = sum(max(0, trained[trial].epochs - epochs) for trial, epochs in left.items())
    missing = sum(max(0, end - trained[trial].epochs) for trial in left if trained[trial].status == "ok")
    chosen = bool(found.competitors) or over
    to_come = 0 if over else missing if chosen else (found.schedule.budget or 0)
    count = Counter("alive" if trained[trial].status == "ok" else trained[trial].status for trial in left)
    current, states = None if over else found, {state: count[state] for state in STATES}
    # Hyperband thaws none: subtract it from what was saved
    return BracketProgress(found.schedule.bracket, current, 1, spent, -spent, to_come, states, is_thaw=True)


def of_bracket(
    bracket: int, rounds: Sequence[RoundHistory], trained: Mapping[str, Glance], left: Mapping[str, int]
) -> BracketProgress:
    """Return how far a bracket has come; what its trials do after all brackets is left to `of_thaw`."""
    states: dict[str, str] = {}
    saved = to_come = 0
    # how many trials a round can have at most: fewer than its schedule says where trials failed
    available = rounds[0].schedule.trials
    for found in rounds:
        round_ = found.schedule
        states |= {trial: _state(found, trial, trained[trial]) for trial in found.competitors}
        if round_.decision_epoch is not None and found.verdicts is not None:
            stopped = sum(states[trial] == "stopped" for trial in found.stopped)
            # Hyperband has no extra trials: subtract what they trained from what was saved.
            saved += stopped * (round_.end - round_.decision_epoch) - round_.extra * (round_.end - round_.start)
        if found.promoted is not None:
            available = len(found.promoted)
        elif found.competitors:
            going = [trial for trial in found.competitors if trained[trial].status == "ok"]
            to_come += sum(max(0, _goal(found, trial) - trained[trial].epochs) for trial in going)
            if found.verdicts is None and round_.decision_epoch is not None:
                # at the decision point so many are stopped at the least
                stopping = max(0, len(set(found.partial).intersection(going)) - round_.most_completed)
                to_come -= stopping * (round_.end - round_.decision_epoch)
            available = min(sum(_goal(found, trial) == round_.end for trial in going), round_.promoted)
        else:
            missing = round_.trials - min(available, round_.trials)
            to_come += max(0, round_.epochs_worst - missing * (round_.end - round_.start))
            available = min(available, round_.promoted)
    current = next((found for found in rounds if found.promoted is None), None)
    lengths = {trial: trained[trial].epochs for trial in rounds[0].competitors}
    spent = sum(min(length, left.get(trial, length)) for trial, length in lengths.items())
    count = Counter(state for trial, state in states.items() if trial not in left)
    return BracketProgress(bracket, current, len(rounds), spent, saved, to_come, {s: count[s] for s in STATES})


def _state(found: RoundHistory, trial: str, trained: Glance) -> str:
    """Return which of `STATES` a competitor is in after a round."""
    end = fate(found, trial, trained.status, is_last=False)
    if end is Fate.STOPPED:
        return "stopped"
    return "alive" if end in (Fate.RUNNING, Fate.PROMOTED) else end.value


def _goal(found: RoundHistory, trial: str) -> int:
    """Return the epoch to which a competitor trains in a round at most."""
    return found.schedule.end if found.verdicts is None else found.goal(trial)


def of_rungs(rungs: Rungs, trained: Mapping[str, Glance], most: int | None) -> BracketProgress:
    """Return how far a search without rounds has come, as one bracket.

    Parameters
    ----------
    rungs : Rungs
    trained : mapping of str to Glance
    most : int or None
        How many epochs it trains at most; None where that is not known.
    """
    spent = sum(found.epochs for found in trained.values())
    to_come = 0 if most is None or rungs.over else max(0, most - spent)
    count: Counter[str] = Counter()
    for trial, found in trained.items():
        left = "stopped" if trial in rungs.stopped else "not promoted" if rungs.over else "alive"
        finished = trial in rungs.rungs[-1].reached
        status = "failed" if rungs.failed(trial) else found.status
        count[status if status != "ok" else "alive" if finished else left] += 1
    return BracketProgress(0, None, 0, spent, 0, to_come, {state: count[state] for state in STATES})
