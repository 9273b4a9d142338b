"""The contents of the files in a study's folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AWAY, Shape, mismatch, read_json, read_text, write_text
from swift_hyperband.base.metric import Metric, to_json
from swift_hyperband.predictors import Predictor
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search.schedule import Round
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.study.frozen import FrozenStudy

if TYPE_CHECKING:
    from swift_hyperband.search import Curve
    from swift_hyperband.search.decisions import Decision


# what the files hold, as `files.read_json` checks it
_NUMBER = (float, None)
_INPUTS = {"inputs": {str: str}}
_BATCHES = {str: [str]}
STUDY = {"definition": {"name": str, "target": dict, "search": dict, "swift": dict, "predictor": dict}}
SETTINGS = {"resources": dict, "retries": int, "save_every": int, "keep_states": bool, "fallback": str, "budget": dict}
CONFIG = {"trial": str, "bracket": int, "slot": int, "configuration": dict}
ENTRY = {"competitors": [str], "batches": {"full": _BATCHES, "partial": _BATCHES}, "epochs": {str: (int, None)}}
COMPLETION = {"batches": {"complete": _BATCHES}, "epochs": {"complete": int}}
MANIFEST = {"epochs": int, "trials": {str: {"status": str, "values": [_NUMBER]}}}
THRESHOLD = {"threshold": _NUMBER, "reference": {str: [_NUMBER]}, **_INPUTS}
PREDICTOR = {"predictor": (dict, None), "fallback": (str, None), "left_out?": [str], **_INPUTS}
DECISION = {
    "threshold": _NUMBER,
    "sigma": _NUMBER,
    "fallback": (str, None),
    "left_out?": [str],
    "outside?": {str: float},
    "verdicts": {str: {"seen": _NUMBER, "predicted": _NUMBER, "continues": bool}},
    **_INPUTS,
}
PROMOTION = {"values": {str: _NUMBER}, "promoted": [str], **_INPUTS}
SAMPLER = {"sampler": str, "unrepeatable": (str, None)}
BEST = {"study": str, "metric": str, "value": float, "configuration": dict, "trial": str, "epochs": int}


def known(path: Path, shape: Shape = object) -> Any:
    """Return what a JSON file holds; None where it is not there or damaged, as what is made again.

    Raises
    ------
    UserError
        If a folder lies in its place.
    """
    if not path.exists():
        return None
    try:
        return read_json(path, shape)
    except UserError:
        if path.is_dir():
            raise
        return None


def read_best(folder: StudyFolder) -> dict[str, Any]:
    """Return what best.yaml holds.

    Raises
    ------
    UserError
        If it is not there, damaged or holds something else.
    """
    import yaml

    advice = "delete the file and start the search again, which writes it anew"
    try:
        content = yaml.safe_load(read_text(folder.best))
    except FileNotFoundError:
        raise UserError(f"{folder.best}: this file is missing; start the search again") from None
    except IsADirectoryError:
        raise UserError(f"{folder.best}: must be a file, found a folder; {AWAY}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UserError(f"{folder.best}: must be YAML, found something else; {advice}") from None
    if (wrong := mismatch(content, BEST)) is not None:
        raise UserError(f"{folder.best}: {wrong}; {advice}")
    return dict(content)


def config_content(trial: str, bracket: int, slot: int, configuration: Mapping[str, Scalar]) -> dict[str, Any]:
    """Return what a trial's config.json holds."""
    return {"trial": trial, "bracket": bracket, "slot": slot, "configuration": dict(configuration)}


def threshold_content(metric: Metric, threshold: float | None, reference: Mapping[str, Curve]) -> dict[str, Any]:
    """Return what threshold.json says of reference curves (losses) and of the threshold that they set, if they do."""
    return {
        "threshold": None if threshold is None else to_json(metric.value(threshold)),
        "reference": {trial: [to_json(metric.value(loss)) for loss in curve] for trial, curve in reference.items()},
    }


def predictor_content(fitted: Fitted) -> dict[str, Any]:
    """Return what predictor.json says of a fitted predictor, and whose curves it did not learn from."""
    predictor = fitted.predictor.to_dict() if fitted.predictor is not None else None
    return {"predictor": predictor, "fallback": fitted.fallback, "left_out": list(fitted.left_out)}


def decision_content(metric: Metric, decision: Decision, fitted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decision.json says of a decision in losses, and of the predictor that its file tells."""
    return {
        "fallback": fitted["fallback"],
        # a file of before there was anything to tell has none
        "left_out": fitted.get("left_out", []),
        "threshold": to_json(metric.value(decision.threshold)),
        "sigma": to_json(decision.sigma),
        "verdicts": {
            trial: {
                "seen": to_json(metric.value(verdict.seen)),
                "predicted": None if verdict.predicted is None else to_json(metric.value(verdict.predicted)),
                "continues": verdict.continues,
            }
            for trial, verdict in decision.verdicts.items()
        },
        "outside": {trial: metric.value(loss) for trial, loss in decision.outside.items()},
    }


def promotion_content(
    metric: Metric, round_: Round, curves: Mapping[str, Curve], promoted: Sequence[str]
) -> dict[str, Any]:
    """Return what promotion.json says of a round that is over, given the curves (losses) that reached its end."""
    from swift_hyperband.search.rounds import loss_at

    return {
        "values": {trial: to_json(metric.value(loss_at(curve, round_.end))) for trial, curve in curves.items()},
        "promoted": list(promoted),
    }


def best_content(folder: StudyFolder, study: FrozenStudy, trial: str, bracket: int, value: float) -> dict[str, Any]:
    """Return what best.yaml says of the winner: nothing that depends on when or where the search ran."""
    states = sorted(folder.trial(trial).glob("state.*"))
    assert math.isfinite(value)
    return {
        "study": study.name,
        "metric": study.metric.name,
        "value": value,
        "configuration": configuration(folder, trial),
        "trial": trial,
        "bracket": bracket,
        "epochs": study.max_epochs,
        "state": str(states[0]) if states else None,
    }


def write_best(folder: StudyFolder, study: FrozenStudy, trial: str, bracket: int, value: float) -> None:
    """Write best.yaml.

    Raises
    ------
    UserError
        If the winner's state is not what was saved.
    """
    from swift_hyperband.study.yaml_loader import to_yaml
    from swift_hyperband.training import state

    if (found := state.unsound(folder.trial(trial))) is not None:
        raise UserError(f"{found[0]}: must be the state of the best trial, found: {found[1]}; start the search again")
    content = best_content(folder, study, trial, bracket, value)
    write_text(folder.best, to_yaml(content))


@dataclass(frozen=True)
class Fitted:
    """A fitted predictor.

    Attributes
    ----------
    predictor : Predictor or None
        None where there are too few finite curves.
    fallback : str or None
        Why simulated annealing took the place of the study's sampler, where it did.
    left_out : tuple of str
        Trials whose curves are finite and count as diverged, as they stand far outside of the others.
    """

    predictor: Predictor | None
    fallback: str | None = None
    left_out: tuple[str, ...] = ()


def configuration(folder: StudyFolder, trial: str) -> dict[str, Any]:
    """Return a trial's configuration."""
    return dict(read_json(folder.trial(trial) / "config.json", CONFIG)["configuration"])
