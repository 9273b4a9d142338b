"""Fitting a round's predictor in a study's folder: what an annealer in the network needs beside the curves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from swift_hyperband.errors import UserError
from swift_hyperband.frozen import FrozenStudy
from swift_hyperband.predictors import Predictor
from swift_hyperband.results import StudyFolder
from swift_hyperband.schedule import Round
from swift_hyperband.search import Curve, rounds


@dataclass(frozen=True)
class Fitted:
    """A fitted predictor.

    Attributes
    ----------
    predictor : Predictor or None
        None where there are too few finite curves.
    fallback : str or None
        Why simulated annealing took the place of an annealer in the network, where it did.
    left_out : tuple of str
        Trials whose curves are finite and count as diverged, as they stand far outside of the others.
    """

    predictor: Predictor | None
    fallback: str | None = None
    left_out: tuple[str, ...] = ()


def fit(folder: StudyFolder, study: FrozenStudy, round_: Round, references: Sequence[Mapping[str, Curve]]) -> Fitted:
    """Fit the predictor of a round.

    Parameters
    ----------
    folder : StudyFolder
        Answers of an annealer in the network are kept in it, and asked for once.
    study : FrozenStudy
    round_ : Round
    references : sequence of mappings
        Reference curves (losses) of the round's training rounds, in order.

    Raises
    ------
    UserError
        If an annealer in the network cannot answer and the study's `fallback` is stop.
    """
    return replace(_fit(folder, study, round_, references), left_out=tuple(rounds.left_out(round_, references)))


def _fit(folder: StudyFolder, study: FrozenStudy, round_: Round, references: Sequence[Mapping[str, Curve]]) -> Fitted:
    rules = study.rules()
    sampler = rules.predictor.sampler
    if sampler is None:
        return Fitted(rounds.fit(round_, references, rules))
    from swift_hyperband.annealing.errors import AnnealerError

    # a study of the same name that is deleted and changed is another one
    version = hashlib.sha256(json.dumps(study.definition, sort_keys=True).encode()).hexdigest()[:8]
    label = f"{study.name}-{version}-bracket={round_.bracket}-round={round_.index}"
    try:
        return Fitted(rounds.fit(round_, references, rules, label, folder.annealer(round_)))
    except AnnealerError as error:
        if study.fallback == "stop":
            raise UserError(
                f"{error} (start again to go on, or set 'fallback: simulated-annealing' in the study file)"
            ) from None
        local = replace(rules.predictor, sampler=replace(sampler, name=study.fallback))
        return Fitted(rounds.fit(round_, references, replace(rules, predictor=local)), str(error))
