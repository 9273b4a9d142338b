"""Which files of a study's folder rest on which others: a file that changed makes all that rest on it stale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from swift_hyperband.results.decided import teaching_files
from swift_hyperband.results.layout import PARTS, StudyFolder
from swift_hyperband.search.schedule import Round, Schedule


def sources_of(folder: StudyFolder, schedule: Schedule) -> dict[Path, list[Path]]:
    """Return each file that a search decides, with the decisions and the trained batches that it rests on."""
    found = {path: sources for round_ in schedule.rounds for path, sources in _of_round(folder, schedule, round_)}
    if (thaw := schedule.thaw) is not None:
        batches = [path for round_ in schedule.rounds for part in PARTS for path in folder.manifests(round_, part)]
        ends = [folder.promotion(rounds[-1]) for rounds in schedule.brackets.values()]
        found[folder.thaw(thaw)] = [*batches, *ends]
        found[folder.promotion(thaw)] = [*folder.manifests(thaw, "full"), folder.thaw(thaw)]
    return found


def _of_round(folder: StudyFolder, schedule: Schedule, round_: Round) -> Iterator[tuple[Path, list[Path]]]:
    by_key = schedule.by_key
    batches = {part: folder.manifests(round_, part) for part in PARTS}
    before = by_key.get((round_.bracket, round_.index - 1))
    promotion = [*batches["full"], *batches["complete"]] + ([folder.promotion(before)] if before else [])
    # A round without a decision has a threshold if its curves train predictors.
    if round_.decision_epoch is not None or folder.threshold(round_).exists():
        yield folder.threshold(round_), batches["full"]
    if round_.decision_epoch is not None:
        if round_.training_rounds:
            yield folder.predictor(round_), teaching_files(folder, schedule, round_)
        assert round_.predictor is not None
        fitted = folder.predictor(by_key[round_.predictor])
        yield folder.decision(round_), [folder.threshold(round_), fitted, *batches["partial"]]
        promotion.append(folder.decision(round_))
    yield folder.promotion(round_), promotion


def with_dependents(stale: AbstractSet[Path], sources: Mapping[Path, Sequence[Path]]) -> set[Path]:
    """Return the stale files, with all that rest on them, directly or through others."""
    found = set(stale)
    while new := {path for path, needed in sources.items() if path not in found and not found.isdisjoint(needed)}:
        found |= new
    return found
