"""The folder of a study, results/<study>: where everything lies, what its files hold, and freezing the study.

::

    study.json                       the definition, frozen when the search starts
    settings.json                    what may change while it runs (resources, retries ...), as of the last start
    resume.json                      both as one study file, where the search went on without the user's
    provenance.json                  each start of the search: host, versions, commit, digests of the model's code
    slurm.json                       what SLURM said of the runs of its jobs, before it forgets
    lease                            which process is the head of the search
    trials/<trial>/                  configuration, state, learning curve, failures and logs of one trial
    bracket=<s>/round=<i>/
        entry.json                   competitors by rank and the batches they train in, frozen when entered
        full|partial/<batch>.json    curves of a batch of trials, when trained
        threshold.json               reference curves, and the threshold where they alone set it
        predictor.json               the predictor fitted in this round, if one is
        decision.json                who continues from the decision point
        completion.json              the batches of those who continue, frozen when decided
        complete/<batch>.json        their curves, when trained
        promotion.json               who goes on to the next round
        jobs/  logs/                 where and when each training job ran; what jobs said
    annealer/                        what was asked of an annealer in the network, and its answers
    annealer/sampler.json            whether the sampler repeats its answers, as found before the first epoch
    best.yaml  curves.parquet  report/
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AWAY, Shape, digest, mismatch, read_json, read_text, write_json
from swift_hyperband.study.frozen import BEFORE, FrozenStudy, completed
from swift_hyperband.search.schedule import Round
from swift_hyperband.training.trial import FAILURES, last_error, metric_values, read_rows, something_is_trained, state_of
from swift_hyperband.processes.watch import say

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study

Part = Literal["full", "partial", "complete"]

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
KEEP_STUDY = "delete the file if the study file is the one that the search was started with, and start it again"
RUN_WITH_STUDY = "start the search with its study file, which writes it anew"


@dataclass(frozen=True)
class StudyFolder:
    """Paths in the folder of one study."""

    path: Path

    @property
    def study(self) -> Path:
        return self.path / "study.json"

    @property
    def settings(self) -> Path:
        return self.path / "settings.json"

    @property
    def resume(self) -> Path:
        return self.path / "resume.json"

    @property
    def provenance(self) -> Path:
        return self.path / "provenance.json"

    @property
    def best(self) -> Path:
        return self.path / "best.yaml"

    @property
    def curves(self) -> Path:
        return self.path / "curves.parquet"

    @property
    def report(self) -> Path:
        return self.path / "report"

    def trial(self, trial: str) -> Path:
        return self.path / "trials" / trial

    def round(self, round_: Round) -> Path:
        return self.path / f"bracket={round_.bracket}" / f"round={round_.index}"

    def entry(self, round_: Round) -> Path:
        return self.round(round_) / "entry.json"

    def completion(self, round_: Round) -> Path:
        return self.round(round_) / "completion.json"

    def manifest(self, round_: Round, part: Part, batch: str) -> Path:
        return self.round(round_) / part / f"{batch}.json"

    def threshold(self, round_: Round) -> Path:
        return self.round(round_) / "threshold.json"

    def predictor(self, round_: Round) -> Path:
        return self.round(round_) / "predictor.json"

    def annealer(self, round_: Round) -> Path:
        return self.path / "annealer" / f"bracket={round_.bracket}-round={round_.index}"

    @property
    def sampler(self) -> Path:
        return self.path / "annealer" / "sampler.json"

    def decision(self, round_: Round) -> Path:
        return self.round(round_) / "decision.json"

    def promotion(self, round_: Round) -> Path:
        return self.round(round_) / "promotion.json"


def check_frozen(folder: StudyFolder, study: Study) -> Study:
    """Refuse a study whose definition differs from the one frozen under its name.

    `predictor.sampler` may differ until a sampler has answered, its `timeout` always, as it says how long an answer is
    waited for; and `target` until a trial has an epoch behind it.

    Returns
    -------
    Study
        The same; for keys that came into the product after it was frozen, with what held before.

    Raises
    ------
    UserError
        One line that says what differs and what to do.
    """
    if not folder.study.exists():
        return study
    study = _before(study, frozen_definition(folder))
    if kept := [line for line in _changes(folder, study) if _still_free(folder, line) is None]:
        raise UserError(
            f"{folder.path}: a study keeps its definition, but {'; '.join(kept)}. "
            f"Give the changed study a name of its own, or delete {folder.path} to start again"
        )
    return study


def as_begun(folder: StudyFolder, study: Study) -> Study:
    """Return a study as its search goes on, if one was begun: with what held before for keys that came later."""
    stored = known(folder.study, STUDY)
    return study if stored is None else _before(study, stored["definition"])


def _before(study: Study, stored: Mapping[str, Any]) -> Study:
    """Return a study with what held before for keys that its frozen definition does not have."""
    for section, keys in BEFORE.items():
        if missing := {key: value for key, value in keys.items() if key not in stored.get(section, {})}:
            changed = getattr(study, section).model_copy(update=missing)
            study = study.model_copy(update={section: changed})
    return study


def _changes(folder: StudyFolder, study: Study) -> list[str]:
    """Return how a study differs from the one frozen under its name."""
    from swift_hyperband.study.model import differences, parse

    # parsed, so that a key which came into the product after the study was frozen counts with its default
    frozen = parse(completed(frozen_definition(folder)), str(folder.study)).definition()
    return differences(frozen, study.definition())


def _still_free(folder: StudyFolder, change: str) -> str | None:
    """Return why something that differs may, as nothing that is kept rests on it; None where it may not."""
    if change.startswith("predictor.sampler.timeout "):
        return "it changes no answer"
    if change.startswith("predictor.sampler.") and not answered(folder):
        return "the sampler has not answered yet"
    if change.startswith("target.") and not something_is_trained(folder.path):
        return "nothing is trained yet"
    return None


def answered(folder: StudyFolder) -> bool:
    """Whether the sampler of a search has answered: from then on its settings are part of what came out."""
    if any(folder.path.glob("annealer/**/answer.json")):
        return True
    fitted = folder.path.glob("bracket=*/round=*/predictor.json")
    return any(read_json(path, PREDICTOR)["predictor"] is not None for path in fitted)


def version(folder: StudyFolder) -> str:
    """Return what tells a frozen study from another one of its name, as long as answers given to it count."""
    stored = read_json(folder.study, STUDY, KEEP_STUDY)
    told = stored.get("version")
    text = json.dumps(stored["definition"], sort_keys=True)
    return told if isinstance(told, str) else hashlib.sha256(text.encode()).hexdigest()[:8]


def freeze(folder: StudyFolder, study: Study) -> Study:
    """Freeze a study's definition, or check that it is the frozen one, as `check_frozen` does; note the settings."""
    study = check_frozen(folder, study)
    changed = _changes(folder, study) if folder.study.exists() else []
    if known(folder.settings) != study.settings():
        write_json(folder.settings, study.settings())
    content: dict[str, Any] = {"definition": study.definition()}
    for why, lines in groupby(changed, key=lambda change: _still_free(folder, change)):
        say(f"{'; '.join(lines)}: taken over, as {why}")
    if changed and answered(folder):
        content["version"] = version(folder)
    if changed or not folder.study.exists():
        write_json(folder.study, content)
    return study


def frozen_definition(folder: StudyFolder) -> dict[str, Any]:
    """Return a study's definition as it was frozen."""
    return dict(read_json(folder.study, STUDY, KEEP_STUDY)["definition"])


def load_frozen(folder: StudyFolder) -> FrozenStudy:
    """Return the frozen study, with the settings of the last start.

    Raises
    ------
    UserError
        If no search was started in this folder.
    """
    if not folder.study.exists():
        raise UserError(f"{folder.path}: must hold a started search, found no {folder.study.name}")
    definition = frozen_definition(folder)
    return FrozenStudy(definition, read_json(folder.settings, SETTINGS, RUN_WITH_STUDY))


def load_study(folder: StudyFolder) -> Study:
    """Return what `load_frozen` does, validated, as the model of the study file."""
    from swift_hyperband.study.model import parse

    frozen = load_frozen(folder)
    return parse({**completed(frozen.definition), **frozen.settings}, str(folder.study))


def to_json(number: float | None) -> float | None:
    """Return a number as JSON holds it: null for what is not finite."""
    return number if number is not None and math.isfinite(number) else None


def from_json(number: float | None) -> float:
    """Return a stored number: not a number for null."""
    return math.nan if number is None else number


def input_digests(folder: StudyFolder, inputs: Iterable[Path]) -> dict[str, str]:
    """Return the digests of the files that a decision was taken from, by their path in the study's folder."""
    return {str(path.relative_to(folder.path)): digest(path) for path in inputs}


def changed_input(folder: StudyFolder, inputs: Mapping[str, str]) -> str | None:
    """Return the first of the files that a decision was taken from that is not there any more as it was."""
    for name, stored in inputs.items():
        source = folder.path / name
        if not source.is_file() or digest(source) != stored:
            return name
    return None


def verify_inputs(folder: StudyFolder, decisions: Iterable[Path]) -> None:
    """Check that each decision was taken from the files that lie there now.

    Raises
    ------
    UserError
        If a file changed after a decision was taken from it.
    """
    for path in decisions:
        if (name := changed_input(folder, read_json(path, _INPUTS)["inputs"])) is not None:
            raise UserError(
                f"{path}: was taken from another {name} than the one there now; "
                f"delete {path} and start the search again, nothing trained is lost"
            )


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


def configuration(folder: StudyFolder, trial: str) -> dict[str, Any]:
    """Return a trial's configuration."""
    return dict(read_json(folder.trial(trial) / "config.json", CONFIG)["configuration"])


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


def nothing_left(folder: StudyFolder, metric: str) -> str:
    """Say why no trial reached the last epoch, with the first error that one left behind, if one did."""
    trained = {path.name: state_of(path, metric) for path in sorted(folder.path.glob("trials/*")) if path.is_dir()}
    begun = {name: found for name, found in trained.items() if found.values or found.status != "ok"}
    failed = [name for name, found in begun.items() if found.status == "failed"]
    diverged = [name for name, found in begun.items() if found.status == "diverged"]
    out = len(begun) - len(failed) - len(diverged)
    counts = ((len(failed), "failed"), (len(diverged), "diverged"), (out, "was out before"))
    what = " or ".join(end for count, end in counts if count) or "is gone"
    told = ", ".join(f"{count} {end.removeprefix('was ')}" for count, end in counts if count)
    left = f"{folder.path}: every trial {what}" + (f" ({told})" if " or " in what else "")
    if not failed:
        return f"{left}; narrow the search space (a smaller learning rate?)"
    first = folder.trial(failed[0])
    cure = f"mend it, delete {folder.path}/trials/*/{FAILURES}, and start again, which tries them again"
    return f"{left}; {cure}; the first error, from {first / FAILURES}: {last_error(first)}"


def delete_states(folder: StudyFolder, trials: Iterable[str]) -> None:
    """Delete the states of trials that are out of the search; their curves stay."""
    for trial in trials:
        for state in folder.trial(trial).glob("state.*"):
            # a program's state is a folder
            shutil.rmtree(state, ignore_errors=True) if state.is_dir() else state.unlink(missing_ok=True)


def read_curve(folder: StudyFolder, trial: str, metric: str | None = None) -> list[dict[str, float]]:
    """Return a trial's learning curve so far: one row of epoch, metrics and seconds an epoch; nan where not finite.

    Raises
    ------
    UserError
        If the file is damaged, or does not hold the `metric`.
    """
    rows = read_rows(folder.trial(trial))
    if metric is not None:
        metric_values(folder.trial(trial), rows, metric)
    return [{key: from_json(value) for key, value in row.items()} for row in rows]


def measured_seconds(folder: StudyFolder) -> float | None:
    """Return the median time of an epoch, in seconds, over all curves of a study; None where there are none yet."""
    import statistics

    curves = (read_curve(folder, path.parent.name) for path in folder.path.glob("trials/*/curve.jsonl"))
    seconds = [row["seconds"] for curve in curves for row in curve if math.isfinite(row.get("seconds", math.nan))]
    return statistics.median(seconds) if seconds else None
