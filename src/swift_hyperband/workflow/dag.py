"""Answers to the Snakefile's input functions: the batches of trainings of a round.

The head process enters a round as soon as its competitors are known: it freezes the round's batches in a file, and
every later question (from the head, a job on another machine, a resumed run) is answered from that file. While only
looking (dry run, --dag, --report ...) nothing is written, and rounds that are not known yet are shown at their upper
bound: as if nobody were stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.results.contents import COMPLETION, DECISION, ENTRY, PROMOTION, config_content, known
from swift_hyperband.results.layout import Part, StudyFolder
from swift_hyperband.results.trials import measured_seconds
from swift_hyperband.search.batches import batch_name, minutes, pack
from swift_hyperband.search.schedule import Round, Schedule
from swift_hyperband.study.model import Study


@dataclass
class Dag:
    """The trainings of a search, as far as they are known.

    Parameters
    ----------
    study : Study
    folder : StudyFolder
    looking : callable
        Whether nothing will run. Asked again each time, as Snakemake knows it only while it builds the DAG.
    lead : callable
        Whether this process may write, being the head of the search.
    wait_for : callable
        Called with "decide" or "promote" and a round when the output of that checkpoint is needed; raises Snakemake's
        own exception while it is not there yet.
    """

    study: Study
    folder: StudyFolder
    looking: Callable[[], bool]
    lead: Callable[[], bool]
    wait_for: Callable[[str, Round], None]

    def __post_init__(self) -> None:
        self.schedule: Schedule = self.study.schedule()

    def begin(self) -> None:
        """Become the head, unless nothing will run: before Snakemake looks which files there are."""
        if not self.looking():
            self._leads  # noqa: B018

    def manifests(self, round_: Round, part: Part) -> list[str]:
        """Return the files of a round's trained batches: the full, the partial or the completed ones."""
        self.begin()
        if self.looking():
            there = self._known_batches(round_, part)
            batches = self._upper_bound(round_, part) if there is None else list(there)
        elif part == "complete":
            batches = list(self._completion(round_))
        else:
            batches = list(self._entry(round_)[part])
        return [str(self.folder.manifest(round_, part, batch)) for batch in batches]

    def previous(self, round_: Round) -> list[str]:
        """Return the promotion that fills a round; none for the first round of a bracket."""
        earlier = self.schedule.by_key.get((round_.bracket, round_.index - 1))
        return [str(self.folder.promotion(earlier))] if earlier is not None else []

    def decision(self, round_: Round) -> list[str]:
        """Return the decision of a round; none where nothing is decided."""
        return [str(self.folder.decision(round_))] if round_.decision_epoch is not None else []

    def predictor(self, round_: Round) -> str:
        """Return the predictor that decides in a round."""
        assert round_.predictor is not None
        return str(self.folder.predictor(self.schedule.by_key[round_.predictor]))

    def training_rounds(self, round_: Round) -> list[str]:
        """Return the thresholds, with their reference curves, that train a round's predictor."""
        return [str(self.folder.threshold(self.schedule.by_key[key])) for key in round_.training_rounds]

    def last_promotions(self) -> list[str]:
        """Return the promotions that end the brackets."""
        return [str(self.folder.promotion(rounds[-1])) for rounds in self.schedule.brackets.values()]

    def _entry(self, round_: Round) -> dict[str, dict[str, list[str]]]:
        """Enter a round, or find that it was entered: return its batches of full and partial trainings."""
        if round_.index > 0:
            self.wait_for("promote", self.schedule.by_key[round_.bracket, round_.index - 1])
        if not self._leads:
            return {part: self._known_batches(round_, part) or {} for part in ("full", "partial")}
        return enter(self.folder, self.study, round_, self._competitors(round_))

    def _completion(self, round_: Round) -> dict[str, list[str]]:
        """Return the batches of those who continue from the decision point, frozen once decided."""
        if round_.decision_epoch is None:
            return {}
        self.wait_for("decide", round_)
        path, going = self.folder.completion(round_), self._continuing(round_)
        if (frozen := known(path, COMPLETION)) is not None:
            batches: dict[str, list[str]] = frozen["batches"]["complete"]
            sound = frozen["epochs"]["complete"] == round_.end
            if sound and sorted(going) == sorted(chain.from_iterable(batches.values())):
                return batches
        batches = self._pack_completion(round_, going)
        if self._leads:
            write_json(path, {"batches": {"complete": batches}, "epochs": {"complete": round_.end}})
        return batches

    @cached_property
    def _leads(self) -> bool:
        """Whether this process is the head; it freezes the study when it becomes it, and mends what was damaged."""
        return self.lead()

    def _competitors(self, round_: Round) -> list[str]:
        if round_.index == 0:
            return list(self.study.trials(round_.bracket))
        before = self.folder.promotion(self.schedule.by_key[round_.bracket, round_.index - 1])
        return list(read_json(before, PROMOTION)["promoted"])

    def _continuing(self, round_: Round) -> list[str]:
        verdicts = read_json(self.folder.decision(round_), DECISION)["verdicts"]
        return [trial for trial, verdict in verdicts.items() if verdict["continues"]]

    def _pack_completion(self, round_: Round, going: Sequence[str]) -> dict[str, list[str]]:
        assert round_.decision_epoch is not None
        return _pack(self.folder, self.study, going, round_.end - round_.decision_epoch)

    def _known_batches(self, round_: Round, part: Part) -> dict[str, list[str]] | None:
        """Return a round's batches if what lies there tells them, without writing."""
        if part == "complete":
            if (frozen := known(self.folder.completion(round_), COMPLETION)) is not None:
                return dict(frozen["batches"]["complete"])
            decided = known(self.folder.decision(round_), DECISION) is not None
            return self._pack_completion(round_, self._continuing(round_)) if decided else None
        if (frozen := known(self.folder.entry(round_), ENTRY)) is not None:
            return dict(frozen["batches"][part])
        if round_.index > 0:
            earlier = self.schedule.by_key[round_.bracket, round_.index - 1]
            if known(self.folder.promotion(earlier), PROMOTION) is None:
                return None
        return _layout(self.folder, self.study, round_, self._competitors(round_))[part]

    def _upper_bound(self, round_: Round, part: Part) -> list[str]:
        trials = {"full": round_.full, "partial": round_.partial, "complete": round_.most_completed}[part]
        begin = round_.start if part != "complete" else round_.decision_epoch or round_.start
        end = round_.end if part != "partial" else round_.decision_epoch or round_.end
        size = len(_pack(self.folder, self.study, [str(number) for number in range(trials)], end - begin))
        return [f"planned-{number}-of-{size}" for number in range(1, size + 1)]


def enter(
    folder: StudyFolder, study: Study, round_: Round, competitors: Sequence[str]
) -> dict[str, dict[str, list[str]]]:
    """Freeze who competes in a round and in which batches they train, or return what was frozen.

    A batch size that changes in the middle of a search counts from the next round that is entered.
    """
    path = folder.entry(round_)
    if round_.index == 0:
        for trial, (slot, configuration) in study.trials(round_.bracket).items():
            config = folder.trial(trial) / "config.json"
            if not config.exists():
                write_json(config, config_content(trial, round_.bracket, slot, configuration))
    epochs = {"full": round_.end, "partial": round_.decision_epoch}
    frozen = known(path, ENTRY)
    if frozen is not None and frozen["epochs"] == epochs and _divides(frozen, round_, competitors):
        batches: dict[str, dict[str, list[str]]] = frozen["batches"]
        return batches
    batches = _layout(folder, study, round_, competitors)
    write_json(path, {"competitors": list(competitors), "batches": batches, "epochs": epochs})
    return batches


def _divides(frozen: Mapping[str, Any], round_: Round, competitors: Sequence[str]) -> bool:
    """Whether an entry holds these competitors, and trains each of them in one batch of its part."""
    from swift_hyperband.search.rounds import divide

    trained = [sorted(chain.from_iterable(frozen["batches"][part].values())) for part in ("full", "partial")]
    wanted = [sorted(part) for part in divide(round_, competitors)]
    return frozen["competitors"] == list(competitors) and trained == wanted


def _layout(
    folder: StudyFolder, study: Study, round_: Round, competitors: Sequence[str]
) -> dict[str, dict[str, list[str]]]:
    from swift_hyperband.search.rounds import divide

    full, partial = divide(round_, competitors)
    point = round_.decision_epoch or round_.end
    return {
        "full": _pack(folder, study, full, round_.end - round_.start),
        "partial": _pack(folder, study, partial, point - round_.start),
    }


def _pack(folder: StudyFolder, study: Study, trials: Sequence[str], epochs: int) -> dict[str, list[str]]:
    """Return the batches, by name, of trials that train for so many epochs."""
    seconds = None
    if minutes(study.batch_size) is not None:
        seconds = study.resources.seconds_per_epoch or measured_seconds(folder)
    trial_seconds = None if seconds is None else epochs * seconds / study.resources.side_by_side
    return _named(pack(trials, study.batch_size, study.resources.workers, trial_seconds))


def _named(batches: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    return {batch_name(batch): list(batch) for batch in batches}
