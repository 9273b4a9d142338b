"""What became of the configurations that the user gave with `search.first`."""

from __future__ import annotations

import math

from swift_hyperband.base.wording import number
from swift_hyperband.results.history import History
from swift_hyperband.results.standing import best, fates
from swift_hyperband.search.decisions import rank
from swift_hyperband.space.draw import trial_id


def given(history: History) -> list[str]:
    """Return the trials with given configurations, in the order of the study file."""
    study = history.study
    return [trial_id(study.search.seed, study.first_bracket, slot) for slot in range(len(study.search.first))]


def note(history: History) -> str | None:
    """Say in a line how the given configurations did; None if there are none."""
    trials = given(history)
    if not trials:
        return None
    count = f"{len(trials)} given configuration{'s' if len(trials) > 1 else ''}"
    metric = history.study.metric
    reached = {trial: history.trials[trial].values(metric.name) for trial in trials if trial in history.trials}
    losses = {trial: metric.losses(values)[-1] for trial, values in reached.items() if values}
    order = [trial for trial in rank(losses) if math.isfinite(losses[trial])]
    if not order:
        return f"{count}, none of which has trained so far" if not losses else f"{count}, all of which failed"
    trial, values = order[0], reached[order[0]]
    epoch = metric.epoch(values)
    stands = f"{metric.name} {number(values[epoch - 1], 6)} at epoch {epoch}"
    winner = best(history)
    if winner is not None and winner.trial == trial:
        fate = "the best of all" + ("" if history.finished else " so far")
    else:
        fate = str(fates(history)[trial])
    which = "it is" if len(trials) == 1 else "the best of them is"
    return f"{count}; {which} trial {trial}, {stands}: {fate}"
