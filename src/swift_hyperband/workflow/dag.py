"""Answers to the Snakefile's input functions: the batches of trainings of a round.

The head process enters a round as soon as its competitors are known: it freezes the round's batches in a file, and
every later question (from the head, a job on another machine, a resumed run) is answered from that file. A dry run
(-n, --dag, --report ...) writes nothing and shows unknown rounds at their upper bound, as if no trial were stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from swift_hyperband.results.contents import Batches, Completion, Config, Entry, known
from swift_hyperband.results.decided import Decided, Promotion, teaching_files
from swift_hyperband.results.layout import PARTS, Part, StudyFolder
from swift_hyperband.results.thawed import Thawed
from swift_hyperband.results.trials import measured_seconds
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.batches import batch_name, minutes, pack
from swift_hyperband.search.rounds import divide
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
        Called with "decide", "promote" or "thaw" and a round, or "over" and None, when the output of that
        checkpoint is needed; raises Snakemake's own exception while it is not there yet.
    """

    study: Study
    folder: StudyFolder
    looking: Callable[[], bool]
    lead: Callable[[], bool]
    wait_for: Callable[[str, Round | None], None]

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
            there = self.known_batches(round_, part)
            batches = self._upper_bound(round_, part) if there is None else list(there)
        elif part == "complete":
            batches = list(self._completion(round_))
        else:
            batches = list(self._entry(round_)[part])
        return [str(self.folder.manifest(round_, part, batch)) for batch in batches]

    def previous(self, round_: Round) -> list[str]:
        """Return the promotion, or the choice after all brackets, that fills a round; none where trials are drawn."""
        if round_.is_thaw:
            return [str(self.folder.thaw(round_))]
        earlier = self.schedule.by_key.get((round_.bracket, round_.index - 1))
        return [str(self.folder.promotion(earlier))] if earlier is not None else []

    def draw(self, round_: Round) -> list[str]:
        """Return the draw of the configurations of a round's trials; none where the seed alone draws them."""
        drawn = round_.index == 0 and not round_.is_thaw and self.schedule.drawn_after(round_.bracket)
        return [str(self.folder.draw(round_))] if drawn else []

    def draws(self) -> list[str]:
        """Return all draws."""
        return [path for rounds in self.schedule.brackets.values() for path in self.draw(rounds[0])]

    def drawn_from(self, round_: Round) -> list[str]:
        """Return what a draw is taken from: the last promotions of the brackets before, and all that they trained."""
        return self._over(self.schedule.drawn_after(round_.bracket))

    def decision(self, round_: Round) -> list[str]:
        """Return the decision of a round; none where nothing is decided."""
        return [str(self.folder.decision(round_))] if round_.decision_epoch is not None else []

    def predictor(self, round_: Round) -> str:
        """Return the predictor that decides in a round."""
        assert round_.predictor is not None
        return str(self.folder.predictor(self.schedule.by_key[round_.predictor]))

    def training_rounds(self, round_: Round) -> list[str]:
        """Return the files with the curves that train a round's predictor."""
        return [str(path) for path in teaching_files(self.folder, self.schedule, round_)]

    def last_promotions(self) -> list[str]:
        """Return the promotions that end the brackets."""
        return [str(self.folder.promotion(rounds[-1])) for rounds in self.schedule.brackets.values()]

    def left_behind(self) -> list[str]:
        """Return what the choice after all brackets is taken from: their last promotions, and all that they trained."""
        return self._over(self.schedule.brackets)

    def ends(self) -> list[str]:
        """Return all draws, and the promotions among whose winners is the best, those of brackets and after them.

        A search without rounds has its journal in their place. With workers their end is waited for, as no rule makes
        what the process that decides for them writes.
        """
        thaw = self.schedule.thaw
        found = [*self.last_promotions(), *self.draws()]
        found += [str(self.folder.promotion(thaw))] if thaw is not None else []
        if not self._has_rounds:
            found = [str(self.folder.journal)]
        if self.study.execution == "workers" and not self.is_over:
            if self.looking():
                return [str(self.folder.workers_done)]
            self.wait_for("over", None)
        return found

    def ended_workers(self) -> list[str]:
        """Return the files that tell that the workers have ended."""
        return [str(self.folder.worker_done(str(number))) for number in range(self.study.resources.workers)]

    @property
    def is_over(self) -> bool:
        """Whether all that the search decides is written."""
        if not self._has_rounds:
            return self.folder.best.exists()
        return all(self.folder.promotion(round_).exists() for round_ in self.schedule.all_rounds)

    @property
    def _has_rounds(self) -> bool:
        return ALGORITHMS[self.study.search.algorithm].synchronous

    def _over(self, brackets: Iterable[int]) -> list[str]:
        """Return the last promotions of brackets, and all that they trained."""
        rounds = [self.schedule.brackets[bracket] for bracket in brackets]
        trained = (self.manifests(round_, part) for of_bracket in rounds for round_ in of_bracket for part in PARTS)
        ends = [str(self.folder.promotion(of_bracket[-1])) for of_bracket in rounds]
        return [*ends, *chain.from_iterable(trained)]

    def _entry(self, round_: Round) -> Mapping[str, Batches]:
        """Enter a round, or find that it was entered: return its batches of full and partial trainings."""
        if round_.is_thaw:
            self.wait_for("thaw", round_)
        elif round_.index > 0:
            self.wait_for("promote", self._before(round_))
        if not self._leads:
            return {part: self.known_batches(round_, part) or {} for part in ("full", "partial")}
        return enter(self.folder, self.study, round_, self._competitors(round_))

    def _completion(self, round_: Round) -> Batches:
        """Return the batches of those who continue from the decision point, frozen once decided."""
        if round_.decision_epoch is None:
            return {}
        self.wait_for("decide", round_)
        path, going = self.folder.completion(round_), self._continuing(round_)
        if (frozen := known(path, Completion.read)) is not None:
            trained = sorted(chain.from_iterable(frozen.batches.values()))
            if frozen.epochs == round_.end and trained == sorted(going):
                return frozen.batches
        batches = self._pack_completion(round_, going)
        if self._leads:
            Completion(batches, round_.end).write(path)
        return batches

    @cached_property
    def _leads(self) -> bool:
        """Whether this process is the head; it freezes the study when it becomes it, and mends what was damaged."""
        return self.lead()

    def _competitors(self, round_: Round) -> list[str]:
        if round_.is_thaw:
            return list(Thawed.read(self.folder.thaw(round_), self.study.metric).chosen)
        if round_.index == 0:
            return list(self.study.slots(round_.bracket))
        return list(self._promotion(self.folder.promotion(self._before(round_))).promoted)

    def _continuing(self, round_: Round) -> list[str]:
        return self._decision(self.folder.decision(round_)).continuing

    def _decision(self, path: Path) -> Decided:
        return Decided.read(path, self.study.metric)

    def _promotion(self, path: Path) -> Promotion:
        return Promotion.read(path, self.study.metric)

    def _before(self, round_: Round) -> Round:
        return self.schedule.by_key[round_.bracket, round_.index - 1]

    def _pack_completion(self, round_: Round, going: Sequence[str]) -> Batches:
        assert round_.decision_epoch is not None
        return _pack(self.folder, self.study, going, round_.end - round_.decision_epoch)

    def known_batches(self, round_: Round, part: Part) -> Batches | None:
        """Return a round's batches if what lies there tells them, without writing."""
        if part == "complete":
            if (completion := known(self.folder.completion(round_), Completion.read)) is not None:
                return completion.batches
            decided = known(self.folder.decision(round_), self._decision)
            return None if decided is None else self._pack_completion(round_, decided.continuing)
        if (entry := known(self.folder.entry(round_), Entry.read)) is not None:
            return entry.batches[part]
        if round_.is_thaw:
            if known(self.folder.thaw(round_), lambda path: Thawed.read(path, self.study.metric)) is None:
                return None
        elif round_.index > 0 and known(self.folder.promotion(self._before(round_)), self._promotion) is None:
            return None
        return _layout(self.folder, self.study, round_, self._competitors(round_))[part]

    def _upper_bound(self, round_: Round, part: Part) -> list[str]:
        trials = {"full": round_.full, "partial": round_.partial, "complete": round_.most_completed}[part]
        begin = round_.start if part != "complete" else round_.decision_epoch or round_.start
        end = round_.end if part != "partial" else round_.decision_epoch or round_.end
        size = len(_pack(self.folder, self.study, [str(number) for number in range(trials)], end - begin))
        return [f"planned-{number}-of-{size}" for number in range(1, size + 1)]


def enter(folder: StudyFolder, study: Study, round_: Round, competitors: Sequence[str]) -> Mapping[str, Batches]:
    """Freeze who competes in a round and in which batches they train, or return what was frozen.

    A batch size that changes in the middle of a search counts from the next round that is entered.
    """
    path = folder.entry(round_)
    # where a model draws them, configurations are written when it does
    if round_.index == 0 and not round_.is_thaw and not study.schedule().drawn_after(round_.bracket):
        for trial, (slot, configuration) in study.trials(round_.bracket).items():
            config = folder.config(trial)
            if not config.exists():
                Config(trial, round_.bracket, slot, configuration).write(config)
    epochs: dict[str, int | None] = {"full": round_.end, "partial": round_.decision_epoch}
    frozen = known(path, Entry.read)
    if frozen is not None and frozen.epochs == epochs and _divides(frozen, round_, competitors):
        return frozen.batches
    entry = Entry(competitors, _layout(folder, study, round_, competitors), epochs)
    entry.write(path)
    return entry.batches


def _divides(frozen: Entry, round_: Round, competitors: Sequence[str]) -> bool:
    """Whether an entry holds these competitors, and trains each of them in one batch of its part."""
    parts = [frozen.batches[part] for part in ("full", "partial")]
    trained = [sorted(chain.from_iterable(batches.values())) for batches in parts]
    wanted = [sorted(part) for part in divide(round_, competitors)]
    return frozen.competitors == list(competitors) and trained == wanted


def _layout(folder: StudyFolder, study: Study, round_: Round, competitors: Sequence[str]) -> Mapping[str, Batches]:
    full, partial = divide(round_, competitors)
    point = round_.decision_epoch or round_.end
    return {
        "full": _pack(folder, study, full, round_.end - round_.start),
        "partial": _pack(folder, study, partial, point - round_.start),
    }


def _pack(folder: StudyFolder, study: Study, trials: Sequence[str], epochs: int) -> Batches:
    """Return the batches, by name, of trials that train for so many epochs."""
    seconds = None
    if minutes(study.batch_size) is not None:
        seconds = study.resources.seconds_per_epoch or measured_seconds(folder)
    trial_seconds = None if seconds is None else epochs * seconds / study.resources.side_by_side
    return _named(pack(trials, study.batch_size, study.resources.workers, trial_seconds))


def _named(batches: Sequence[Sequence[str]]) -> Batches:
    return {batch_name(batch): list(batch) for batch in batches}
