"""The files of a study's folder that hold decisions: a class for each kind of file reads and writes it, in losses.

A decision that the workflow takes notes the digests of the files that it was taken from. The plain loop takes its
decisions from memory and notes none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AGAIN, digest, read_json, write_json
from swift_hyperband.base.metric import Metric, from_json, to_json
from swift_hyperband.predictors import Predictor
from swift_hyperband.results.contents import NUMBER, as_loss, as_value
from swift_hyperband.results.layout import StudyFolder, locate
from swift_hyperband.search import rounds
from swift_hyperband.search.decisions import Decision, Verdict
from swift_hyperband.search.schedule import Round, Schedule

if TYPE_CHECKING:
    from swift_hyperband.search import Curve

Inputs = Mapping[str, str]
"""Digests of the files that a decision was taken from, by their path in the study's folder."""

INPUTS = {"inputs": {str: str}}
"""The shape of the digests in a file."""


def changed_input(folder: StudyFolder, inputs: Inputs) -> str | None:
    """Return the first of the files that a decision was taken from that is missing now, or is another one."""
    for name, stored in inputs.items():
        source = folder.path / name
        if not source.is_file() or digest(source) != stored:
            return name
    return None


def verify_inputs(folder: StudyFolder, decisions: Iterable[Path]) -> None:
    """Check that each decision was taken from the files that lie in the folder now.

    Raises
    ------
    UserError
        If a file changed after a decision was taken from it.
    """
    for path in decisions:
        if (name := changed_input(folder, read_json(path, INPUTS)["inputs"])) is not None:
            raise UserError(
                f"{path}: was taken from another {name} than the one there now; "
                f"delete {path} and start the search again, nothing trained is lost"
            )


def write_decision(path: Path, content: Mapping[str, Any], sources: Iterable[Path] | None) -> None:
    """Write a decision, with the digests of the files that it was taken from; None for a decision from memory."""
    noted: dict[str, Any] = {"inputs": {}}
    if sources is not None:
        folder, _ = locate(path)
        noted = {"inputs": {str(source.relative_to(folder.path)): digest(source) for source in sources}}
        # Each version of the file must differ: Snakemake 9.27 leaves jobs behind a checkpoint out when the checkpoint
        # runs again and writes the same bytes.
        noted["time"] = time.time_ns()
    write_json(path, {**content, **noted})


@dataclass(frozen=True)
class Threshold:
    """threshold.json: the reference trials of a round, and the threshold if they alone set it.

    Attributes
    ----------
    threshold : float or None
        None also where it is infinite, so that nobody is stopped.
    reference : mapping of str to Curve
        Losses up to the round's end.
    inputs : Inputs
    """

    threshold: float | None
    reference: Mapping[str, Curve]
    inputs: Inputs = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, metric: Metric) -> Self:
        stored = read_json(path, {"threshold": NUMBER, "reference": {str: [NUMBER]}, **INPUTS})
        threshold, curves = stored["threshold"], _losses(metric, stored["reference"])
        return cls(None if threshold is None else metric.loss(threshold), curves, stored["inputs"])

    def write(self, path: Path, metric: Metric, sources: Iterable[Path] | None = None) -> None:
        content = {"threshold": as_value(metric, self.threshold), "reference": _values(metric, self.reference)}
        write_decision(path, content, sources)


@dataclass(frozen=True)
class Fitted:
    """A fitted predictor.

    Attributes
    ----------
    predictor : Predictor or None
        None where there are too few finite curves.
    fallback : str or None
        Why simulated annealing took the place of the study's sampler, if it did.
    left_out : tuple of str
        Trials whose curves are finite and count as diverged, as they lie far outside of the others.
    """

    predictor: Predictor | None
    fallback: str | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fit:
    """predictor.json: a fitted predictor, in JSON's types so that reading the file imports no predictor.

    Attributes
    ----------
    predictor : mapping or None
        As `Predictor.to_dict` returns it.
    fallback, left_out
        As in `Fitted`.
    inputs : Inputs
    """

    predictor: Mapping[str, Any] | None
    fallback: str | None = None
    left_out: Sequence[str] = ()
    inputs: Inputs = field(default_factory=dict)

    @classmethod
    def of(cls, fitted: Fitted) -> Self:
        predictor = fitted.predictor.to_dict() if fitted.predictor is not None else None
        return cls(predictor, fitted.fallback, fitted.left_out)

    @classmethod
    def read(cls, path: Path) -> Self:
        stored = read_json(path, {"predictor": (dict, None), "fallback": (str, None), "left_out?": [str], **INPUTS})
        # files of older versions have no left_out
        return cls(stored["predictor"], stored["fallback"], stored.get("left_out", ()), stored["inputs"])

    def write(self, path: Path, sources: Iterable[Path] | None = None) -> None:
        content = {"predictor": self.predictor, "fallback": self.fallback, "left_out": list(self.left_out)}
        write_decision(path, content, sources)

    def load(self, path: Path) -> Predictor | None:
        """Return the predictor that was read from a file.

        Raises
        ------
        UserError
            If it is not as it was stored.
        """
        if self.predictor is None:
            return None
        # numpy, which the other jobs do without
        from swift_hyperband.predictors import fitting

        try:
            return fitting.load(self.predictor)
        except (KeyError, TypeError, ValueError) as error:
            found = " ".join(f"{type(error).__name__} {error}".split())[:200]
            raise UserError(f"{path}: predictor must be as it was stored, found {found}; {AGAIN}") from None


@dataclass(frozen=True)
class Decided:
    """decision.json: which partial trials of a round go on.

    Attributes
    ----------
    decision : Decision
        A predicted loss that is not finite comes back from the file as None.
    fallback, left_out
        Of the predictor, as in `Fitted`.
    inputs : Inputs
    """

    decision: Decision
    fallback: str | None
    left_out: Sequence[str]
    inputs: Inputs = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, metric: Metric) -> Self:
        verdict = {"seen": NUMBER, "predicted": NUMBER, "continues": bool}
        shape = {"threshold": NUMBER, "sigma": NUMBER, "fallback": (str, None), "verdicts": {str: verdict}, **INPUTS}
        # files of older versions have no left_out and no outside
        stored = read_json(path, {**shape, "left_out?": [str], "outside?": {str: float}})
        verdicts = {trial: _verdict(metric, found) for trial, found in stored["verdicts"].items()}
        outside = {trial: metric.loss(value) for trial, value in stored.get("outside", {}).items()}
        decision = Decision(as_loss(metric, stored["threshold"]), from_json(stored["sigma"]), verdicts, outside)
        return cls(decision, stored["fallback"], stored.get("left_out", ()), stored["inputs"])

    def write(self, path: Path, metric: Metric, sources: Iterable[Path] | None = None) -> None:
        decision = self.decision
        content = {
            "fallback": self.fallback,
            "left_out": list(self.left_out),
            "threshold": as_value(metric, decision.threshold),
            "sigma": to_json(decision.sigma),
            "verdicts": {
                trial: {
                    "seen": as_value(metric, verdict.seen),
                    "predicted": as_value(metric, verdict.predicted),
                    "continues": verdict.continues,
                }
                for trial, verdict in decision.verdicts.items()
            },
            "outside": {trial: metric.value(loss) for trial, loss in decision.outside.items()},
        }
        write_decision(path, content, sources)

    @property
    def continuing(self) -> list[str]:
        return [trial for trial, verdict in self.decision.verdicts.items() if verdict.continues]

    @property
    def seen(self) -> dict[str, float]:
        """The losses at the decision point, by trial."""
        return {trial: verdict.seen for trial, verdict in self.decision.verdicts.items()}

    @property
    def outside(self) -> frozenset[str]:
        """Return the trials with finite losses that counted as diverged, in the decision or in the fit."""
        return frozenset([*self.left_out, *self.decision.outside])


def _verdict(metric: Metric, stored: Mapping[str, Any]) -> Verdict:
    predicted = stored["predicted"]
    predicted = None if predicted is None else metric.loss(predicted)
    return Verdict(as_loss(metric, stored["seen"]), predicted, stored["continues"])


@dataclass(frozen=True)
class Promotion:
    """promotion.json: the trials that go on to the next round.

    Attributes
    ----------
    losses : mapping of str to float
        Of all that trained to the round's end, there; infinity where a trial diverged or failed.
    promoted : sequence of str
        Best first.
    curves : mapping of str to Curve
        Losses of all that trained to the round's end, up to there, where they teach the predictors of later brackets.
    inputs : Inputs
    """

    losses: Mapping[str, float]
    promoted: Sequence[str]
    curves: Mapping[str, Curve] = field(default_factory=dict)
    inputs: Inputs = field(default_factory=dict)

    @classmethod
    def of(cls, round_: Round, curves: Mapping[str, Curve], promoted: Sequence[str], teaches: bool) -> Self:
        """Return what the file holds, given the curves of all that trained to the round's end."""
        losses = {trial: rounds.loss_at(curve, round_.end) for trial, curve in curves.items()}
        taught = {trial: curve[: round_.end] for trial, curve in curves.items()} if teaches else {}
        return cls(losses, promoted, taught)

    @classmethod
    def read(cls, path: Path, metric: Metric) -> Self:
        stored = _read_promotion(path)
        losses = {trial: as_loss(metric, value) for trial, value in stored["values"].items()}
        return cls(losses, stored["promoted"], _losses(metric, stored.get("curves", {})), stored["inputs"])

    def write(self, path: Path, metric: Metric, sources: Iterable[Path] | None = None) -> None:
        values = {trial: as_value(metric, loss) for trial, loss in self.losses.items()}
        curves = {"curves": _values(metric, self.curves)} if self.curves else {}
        write_decision(path, {"values": values, "promoted": list(self.promoted), **curves}, sources)


def read_promoted(path: Path) -> list[str]:
    """Return who goes on, of a promotion.json; the curves in it are most of what there is to read."""
    return list(_read_promotion(path)["promoted"])


def _read_promotion(path: Path) -> Mapping[str, Any]:
    # files of rounds that do not teach, and of older versions, have no curves
    shape = {"values": {str: NUMBER}, "promoted": [str], "curves?": {str: [NUMBER]}, **INPUTS}
    found: Mapping[str, Any] = read_json(path, shape)
    return found


def _losses(metric: Metric, curves: Mapping[str, Sequence[Any]]) -> dict[str, Curve]:
    return {trial: [as_loss(metric, value) for value in values] for trial, values in curves.items()}


def _values(metric: Metric, curves: Mapping[str, Curve]) -> dict[str, list[Any]]:
    return {trial: [as_value(metric, loss) for loss in curve] for trial, curve in curves.items()}


def teaching_files(folder: StudyFolder, schedule: Schedule, round_: Round) -> list[Path]:
    """Return the files with the curves that teach a round's predictor, in the order of its training rounds."""
    rounds_ = [(key, schedule.by_key[key]) for key in round_.training_rounds]
    return [
        folder.promotion(other) if key in schedule.taught and key != round_.key else folder.threshold(other)
        for key, other in rounds_
    ]


def teaching_curves(path: Path, metric: Metric) -> Mapping[str, Curve]:
    """Return the curves in one of the `teaching_files`."""
    if path.name == "promotion.json":
        return Promotion.read(path, metric).curves
    return Threshold.read(path, metric).reference
