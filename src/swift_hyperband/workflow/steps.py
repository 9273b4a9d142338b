"""The jobs of a search between its trainings: each reads the files of a study, decides, and writes one file.

The decisions are those of `search.rounds`; here is only reading and writing. Metrics stand in the files as the target
reported them, losses (negated where the metric is maximised) are what is decided on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AGAIN, read_json, write_json
from swift_hyperband.base.metric import from_json
from swift_hyperband.results.contents import (
    COMPLETION,
    ENTRY,
    MANIFEST,
    PREDICTOR,
    PROMOTION,
    THRESHOLD,
    decision_content,
    predictor_content,
    promotion_content,
    threshold_content,
    write_best,
)
from swift_hyperband.results.digests import input_digests, verify_inputs
from swift_hyperband.results.freeze import load_frozen
from swift_hyperband.results.layout import Part, StudyFolder
from swift_hyperband.results.trials import delete_states, nothing_left
from swift_hyperband.search.schedule import Round, Schedule
from swift_hyperband.study.frozen import FrozenStudy

if TYPE_CHECKING:
    from swift_hyperband.predictors import Predictor
    from swift_hyperband.search import Curve


@dataclass(frozen=True)
class Steps:
    """The steps of one study's search.

    Parameters
    ----------
    folder : StudyFolder
        Of a frozen study.
    """

    folder: StudyFolder

    @cached_property
    def study(self) -> FrozenStudy:
        return load_frozen(self.folder)

    @cached_property
    def schedule(self) -> Schedule:
        return self.study.schedule()

    def round(self, bracket: int, index: int) -> Round:
        """Return a round of the schedule.

        Raises
        ------
        UserError
            If the study has no such round.
        """
        found = self.schedule.by_key.get((bracket, index))
        if found is None:
            raise UserError(f"{self.folder.study}: has no round {index} in bracket {bracket}")
        return found

    def threshold(self, round_: Round) -> None:
        """Write threshold.json: the reference trials' curves, and the threshold where they alone set it."""
        from swift_hyperband.search import rounds

        full = self._manifests(round_, ["full"])
        reference = rounds.reference_curves(round_, self._competitors(round_), self._losses(full))
        found = rounds.quantile_threshold(round_, reference, self.study.rules())
        content = threshold_content(self.study.metric, found, reference)
        write_json(self.folder.threshold(round_), content | self._inputs(full))

    def fit(self, round_: Round) -> None:
        """Write predictor.json: the predictor fitted to the reference curves of the round's training rounds."""
        from swift_hyperband.workflow import fitting

        sources = [self.folder.threshold(self.schedule.by_key[key]) for key in round_.training_rounds]
        fitted = fitting.fit(self.folder, self.study, round_, [self._reference(path) for path in sources])
        write_json(self.folder.predictor(round_), predictor_content(fitted) | self._inputs(sources))

    def decide(self, round_: Round) -> None:
        """Write decision.json: which partial trials go on, and delete the states of the others."""
        from swift_hyperband.search import rounds

        assert round_.predictor is not None
        partial = self._manifests(round_, ["partial"])
        source = self.folder.threshold(round_)
        fitted = self.folder.predictor(self.schedule.by_key[round_.predictor])
        stored = read_json(fitted, PREDICTOR)
        predictor = _loaded(fitted, stored["predictor"])
        reference = self._reference(source)
        found = rounds.decide(round_, reference, self._losses(partial), predictor, self.study.rules())
        content = decision_content(self.study.metric, found, stored)
        write_json(self.folder.decision(round_), content | self._inputs([source, fitted, *partial]))
        self._delete_states(trial for trial, verdict in found.verdicts.items() if not verdict.continues)

    def promote(self, round_: Round) -> None:
        """Write promotion.json: who goes on to the next round, and delete the states of the others."""
        from swift_hyperband.search import rounds

        sources = self._manifests(round_, ["full"] if round_.decision_epoch is None else ["full", "complete"])
        curves = self._losses(sources)
        promoted = rounds.promote(round_, curves)
        content = promotion_content(self.study.metric, round_, curves, promoted)
        if round_.decision_epoch is not None:
            sources = [*sources, self.folder.decision(round_)]
        write_json(self.folder.promotion(round_), content | self._inputs(sources))
        self._delete_states(set(self._competitors(round_)) - set(promoted))

    def best(self) -> None:
        """Write best.yaml: the winner over all brackets; check first that every decision fits its inputs.

        Raises
        ------
        UserError
            If no trial reached the last epoch, or a file changed after a decision was taken from it.
        """
        verify_inputs(self.folder, self._decision_files())
        winners: dict[str, tuple[float, Round]] = {}
        for rounds_ in self.schedule.brackets.values():
            content = read_json(self.folder.promotion(rounds_[-1]), PROMOTION)
            for trial in content["promoted"]:
                winners[trial] = (self.study.metric.loss(content["values"][trial]), rounds_[-1])
        if not winners:
            raise UserError(nothing_left(self.folder, self.study.metric.name))
        best = min(winners, key=lambda trial: (winners[trial][0], trial))
        write_best(self.folder, self.study, best, winners[best][1].bracket, self.study.metric.value(winners[best][0]))
        # of all others, not only of the winners: a kill may have come between a decision and its deletions
        self._delete_states({path.name for path in self.folder.path.glob("trials/*")} - {best})

    def _decision_files(self) -> list[Path]:
        files: list[Path] = []
        for round_ in self.schedule.rounds:
            if round_.decision_epoch is not None:
                files += [self.folder.threshold(round_), self.folder.decision(round_)]
            if round_.training_rounds:
                files.append(self.folder.predictor(round_))
            files.append(self.folder.promotion(round_))
        return files

    def _competitors(self, round_: Round) -> list[str]:
        return list(read_json(self.folder.entry(round_), ENTRY)["competitors"])

    def _manifests(self, round_: Round, parts: Sequence[Part]) -> list[Path]:
        """Return the files of trained batches that the round's frozen layout names."""
        found = []
        for part in parts:
            of_part = (self.folder.completion(round_), COMPLETION) if part == "complete" else None
            layout = read_json(*(of_part or (self.folder.entry(round_), ENTRY)))
            found += [self.folder.manifest(round_, part, batch) for batch in layout["batches"][part]]
        return found

    def _losses(self, manifests: Iterable[Path]) -> dict[str, Curve]:
        curves: dict[str, Curve] = {}
        for path in manifests:
            for trial, trained in read_json(path, MANIFEST)["trials"].items():
                curves[trial] = [self.study.metric.loss(from_json(value)) for value in trained["values"]]
        return curves

    def _reference(self, path: Path) -> dict[str, Curve]:
        stored: Mapping[str, list[float | None]] = read_json(path, THRESHOLD)["reference"]
        return {
            trial: [self.study.metric.loss(from_json(value)) for value in values] for trial, values in stored.items()
        }

    def _inputs(self, paths: Iterable[Path]) -> dict[str, Any]:
        # the time makes each version of the file differ: Snakemake 9.27 leaves jobs behind a checkpoint out
        # when the checkpoint runs again and writes the same bytes
        return {"inputs": input_digests(self.folder, paths), "time": time.time_ns()}

    def _delete_states(self, trials: Iterable[str]) -> None:
        if not self.study.keep_states:
            delete_states(self.folder, trials)


def _loaded(path: Path, stored: Mapping[str, Any] | None) -> Predictor | None:
    """Return the predictor that a file holds."""
    from swift_hyperband.predictors import load

    try:
        return None if stored is None else load(stored)
    except (KeyError, TypeError, ValueError) as error:
        found = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise UserError(f"{path}: predictor must be as it was stored, found {found}; {AGAIN}") from None
