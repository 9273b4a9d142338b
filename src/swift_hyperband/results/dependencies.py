"""Which files of a study's folder rest on which others: a file that changed makes all that rest on it stale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from swift_hyperband.results.decided import teaching_files
from swift_hyperband.results.layout import PARTS, StudyFolder
from swift_hyperband.search.schedule import Round, Schedule


def sources_of(folder: StudyFolder, schedule: Schedule) -> dict[Path, list[Path]]:
    """Return each file that a search decides, with the decisions and the trained batches that it rests on."""
    found = {}
    for bracket, rounds in schedule.brackets.items():
        if before := schedule.drawn_after(bracket):
            found[folder.draw(rounds[0])] = _before(folder, schedule, before)
    found |= {path: sources for round_ in schedule.rounds for path, sources in _of_round(folder, schedule, round_)}
    if (thaw := schedule.thaw) is not None:
        found[folder.thaw(thaw)] = _before(folder, schedule, schedule.brackets)
        found[folder.promotion(thaw)] = [*folder.manifests(thaw, "full"), folder.thaw(thaw)]
    return found


def _before(folder: StudyFolder, schedule: Schedule, brackets: Iterable[int]) -> list[Path]:
    """Return all that brackets trained, and the promotions that end them."""
    rounds = [schedule.brackets[bracket] for bracket in brackets]
    batches = [path for of in rounds for round_ in of for part in PARTS for path in folder.manifests(round_, part)]
    return [*batches, *(folder.promotion(of_bracket[-1]) for of_bracket in rounds)]


def _of_round(folder: StudyFolder, schedule: Schedule, round_: Round) -> Iterator[tuple[Path, list[Path]]]:
    by_key = schedule.by_key
    batches = {part: folder.manifests(round_, part) for part in PARTS}
    before = by_key.get((round_.bracket, round_.index - 1))
    # Snakemake trains again after a new draw, which gives the same curves, and then decides again
    draw = [folder.draw(round_)] if round_.index == 0 and schedule.drawn_after(round_.bracket) else []
    promotion = [*batches["full"], *batches["complete"], *draw] + ([folder.promotion(before)] if before else [])
    # A round without a decision has a threshold if its curves train predictors.
    if round_.decision_epoch is not None or folder.threshold(round_).exists():
        yield folder.threshold(round_), [*batches["full"], *draw]
    if round_.decision_epoch is not None:
        if round_.training_rounds:
            yield folder.predictor(round_), teaching_files(folder, schedule, round_)
        assert round_.predictor is not None
        fitted = folder.predictor(by_key[round_.predictor])
        yield folder.decision(round_), [folder.threshold(round_), fitted, *batches["partial"], *draw]
        promotion.append(folder.decision(round_))
    yield folder.promotion(round_), promotion


def with_dependents(stale: AbstractSet[Path], sources: Mapping[Path, Sequence[Path]]) -> set[Path]:
    """Return the stale files, with all that rest on them, directly or through others."""
    found = set(stale)
    while new := {path for path, needed in sources.items() if path not in found and not found.isdisjoint(needed)}:
        found |= new
    return found
