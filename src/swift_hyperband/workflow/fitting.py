"""Fitting a round's predictor in a study's folder: whether its sampler can, and what it needs beside the curves."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from swift_hyperband.annealing import ready
from swift_hyperband.annealing.errors import AnnealerError, SamplerError
from swift_hyperband.base.errors import UserError
from swift_hyperband.results.contents import Sampler, known
from swift_hyperband.results.decided import Fitted
from swift_hyperband.results.freeze import answered, version
from swift_hyperband.results.imported import teachers
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Curve, rounds
from swift_hyperband.search.plan import annealer_problems
from swift_hyperband.search.schedule import Round
from swift_hyperband.study.frozen import FrozenStudy

logger = logging.getLogger(__name__)


def fit(folder: StudyFolder, study: FrozenStudy, round_: Round, references: Sequence[Mapping[str, Curve]]) -> Fitted:
    """Fit the predictor of a round.

    Parameters
    ----------
    folder : StudyFolder
        Answers of an annealer in the network are kept in it, and asked for once.
    study : FrozenStudy
    round_ : Round
    references : sequence of mappings
        Curves (losses) of the round's training rounds that teach the predictor, in order.

    Raises
    ------
    UserError
        If the sampler cannot answer and the study's `fallback` is stop.
    """
    rules = study.rules()
    settings, sampler = rules.predictor, rules.predictor.sampler
    if (further := _imported(folder, study, round_)) and not settings.anneals:
        references = [*references, further]
    left_out = tuple(name for name in rounds.left_out(round_, references, settings) if name not in further)
    if not settings.anneals:
        return Fitted(rounds.fit(round_, references, rules), left_out=left_out)
    # scikit-learn and dimod: only a fit that asks a sampler loads them
    from swift_hyperband.predictors import annealed

    # a study of the same name that is deleted and changed is another one
    label = f"{study.name}-{version(folder)}-bracket={round_.bracket}-round={round_.index}"
    try:
        solve = annealed.solver(settings, label, folder.annealer(round_))
        return Fitted(rounds.fit(round_, references, rules, solve), left_out=left_out)
    except (AnnealerError, SamplerError) as error:
        if study.fallback == "stop":
            raise UserError(
                f"{error} (start again to go on, or set 'fallback: simulated-annealing' in the study file)"
            ) from None
        solve = annealed.solver(replace(settings, sampler=replace(sampler, name=study.fallback)))
        return Fitted(rounds.fit(round_, references, rules, solve), str(error), left_out)


def _imported(folder: StudyFolder, study: FrozenStudy, round_: Round) -> dict[str, Curve]:
    """Return the curves of imported trials that reach a round's end, up to there."""
    found = teachers(folder, study)
    return {name: one.curve[: round_.end] for name, one in found.items() if len(one.curve) >= round_.end}


def check(folder: StudyFolder, study: FrozenStudy) -> None:
    """Find out, before anything is trained, whether the sampler can do what the fits of a search will ask of it.

    What should be known is said, and whether the sampler repeats its answers is noted in the folder for the report.
    Nothing is looked at where no fit asks a sampler, or where one has answered already.

    Raises
    ------
    UserError
        If it cannot: a line for each key to change. Where an annealer in the network cannot be asked now, only if the
        study's `fallback` is stop and asking again later would not help.
    """
    if problem_sizes(study) and not answered(folder):
        found = outlook(study, trial=True)
        if found.faults:
            raise UserError("\n".join(found.faults))
        for line in found.notes:
            logger.warning(line)
        sampler = Sampler(found.sampler, found.unrepeatable)
        if known(folder.sampler, Sampler.read) != sampler:
            sampler.write(folder.sampler)


@dataclass(frozen=True)
class Outlook:
    """What is known of the fits to come.

    Attributes
    ----------
    sampler : str
        Its name.
    sizes : list of int
        Variables of each problem, in the order of the fits.
    unrepeatable : str or None
        As in `Ready`.
    ready : Ready or None
        None where an annealer in the network could not be asked.
    faults, notes : list of str
        Why they cannot be, or else what should be known of them, a line each.
    """

    sampler: str
    sizes: list[int]
    unrepeatable: str | None
    ready: ready.Ready | None
    faults: list[str]
    notes: list[str]


def problem_sizes(study: FrozenStudy) -> list[int]:
    """Return the number of variables of each problem that a search puts to a sampler, in the order of its fits."""
    predictor = study.predictor()
    return annealer_problems(study.schedule(), predictor.qsvr) if predictor.anneals else []


def outlook(study: FrozenStudy, *, trial: bool) -> Outlook:
    """Find out what is to be expected of the fits of a search, at least one.

    Parameters
    ----------
    study : FrozenStudy
    trial : bool
        As in `ready.look`. Without, an annealer in the network that cannot be asked is never a fault.

    Raises
    ------
    UserError
        If the packages of the samplers are not installed.
    """
    sampler, sizes = study.predictor().sampler, problem_sizes(study)
    try:
        found = ready.look(sampler, max(sizes), trial=trial)
    except AnnealerError as error:
        if trial and study.fallback == "stop" and not error.temporary:
            return Outlook(sampler.name, sizes, ready.ANEW, None, [str(error)], [])
        note = f"predictor.sampler was not compared with what the solver takes: {error}"
        return Outlook(sampler.name, sizes, ready.ANEW, None, [], [note])
    faults, notes = list(found.faults), list(found.notes)
    if found.unrepeatable is not None:
        notes.append(f"predictor.sampler.name: {sampler.name} is not reproducible, as {found.unrepeatable}")
    cost, budget = found.charged_seconds, sampler.budget
    if study.fallback == "stop" and cost is not None and budget is not None and budget < cost:
        faults.append(f"budget.annealer_seconds must be at least {cost:.3g} for the largest problem, found {budget:g}")
    return Outlook(sampler.name, sizes, found.unrepeatable, found, faults, [] if faults else notes)
