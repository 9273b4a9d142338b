"""Fast-Hyperband: Hyperband with a decision after every epoch, as an ask/tell search.

Source: Baker, Gupta, Raskar and Naik, Accelerating neural architecture search using performance prediction, arXiv
1705.10823, section 4. Sequential by nature: every decision looks at the values of all trials before it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field

from swift_hyperband.base.keys import key
from swift_hyperband.predictors import Predictor
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search import Curve, Training, decisions, rounds
from swift_hyperband.search.recorded import NOTHING, Recorded
from swift_hyperband.search.schedule import Round, Schedule

Steps = Generator[Training, Curve, None]


@dataclass(frozen=True)
class FastSettings:
    """When Fast-Hyperband stops a trial."""

    confidence: float = key(0.95, "Delta: how sure it must be that the trial is beaten.", gt=0, lt=1)
    delta: float = key(0.01, "By how much it must be beaten, in units of the metric.", ge=0)
    # 1 is the last that would be promoted, 0 the best
    kappa: float = key(
        1.0,
        "Which rival must beat it: the k-th best of the round so far, k = ceil(kappa times the promoted), at least 1.",
        ge=0,
    )
    d: int = key(15, "Fewest curves to fit a predictor.", ge=3)


@dataclass
class FastHyperbandSearch:
    """An ask/tell search that trains one trial after another, epoch by epoch where a predictor can decide.

    Curves and predictors persist over rounds and brackets: D[r] holds the curves that trained to r, M[r][i] predicts
    the loss at r from the first i epochs and is fitted once, when it is first wanted and D[r] holds d curves. The
    prediction of a stopped trial competes in the promotion, so that a stopped trial can be promoted and train on.

    Parameters
    ----------
    schedule : Schedule
        From `schedule.hyperband`.
    trials : mapping of int to sequence of str
        Trial ids of each bracket, by rank.
    settings : FastSettings
    predictor : PredictorSettings
    """

    schedule: Schedule
    trials: Mapping[int, Sequence[str]]
    settings: FastSettings
    predictor: PredictorSettings
    curves: dict[str, Curve] = field(default_factory=dict)
    best: tuple[str, float] | None = None
    fits: int = 0
    finished: bool = False
    stopped: set[str] = field(default_factory=set)
    kill_risk: float | None = None
    recorded: Recorded = NOTHING

    def __post_init__(self) -> None:
        self._full: dict[int, list[Curve]] = {}
        self._predictors: dict[tuple[int, int], Predictor | None] = {}
        self._asked: Training | None = None
        self._steps = self._search()
        self._next = next(self._steps, None)

    def ask(self, at_most: int | None = None) -> list[Training]:
        """Return the one training that can start now; see `Search.ask`."""
        if self._next is None or at_most == 0:
            return []
        self._asked, self._next = self._next, None
        return [self._asked]

    def tell(self, trial: str, curve: Curve) -> None:
        """Take the curve of the trial that was asked for: its losses from epoch 1, short or not finite if it failed."""
        assert self._asked is not None
        assert self._asked.trial == trial
        self.curves[trial] = curve
        try:
            self._next = self._steps.send(curve)
        except StopIteration:
            self.finished = True

    @property
    def epochs(self) -> int:
        """Epochs trained so far."""
        return sum(map(len, self.curves.values()))

    def _search(self) -> Steps:
        for bracket, rounds_ in self.schedule.brackets.items():
            competitors = list(self.trials[bracket])[: rounds_[0].trials]
            for round_ in rounds_:
                values: dict[str, float] = {}
                for trial in competitors:
                    yield from self._train(
                        round_, trial, values, is_last=trial == competitors[-1] and round_ is not rounds_[-1]
                    )
                competitors = decisions.promote(values, round_.promoted)
            self._update_best(rounds_[-1], values)

    def _train(self, round_: Round, trial: str, values: dict[str, float], is_last: bool) -> Steps:
        """Train a trial to the round's end or until it is stopped; note what it reached or was predicted to reach."""
        k = max(1, -(-self.settings.kappa * round_.promoted // 1))
        rival = decisions.kth_best(list(values.values()), int(k))
        trained = self.curves.get(trial, ())
        # one that was stopped may have been promoted
        self.stopped.discard(trial)
        while len(trained) < round_.end:
            epoch = len(trained) + 1
            # where nothing can be decided on the way it trains to the end in one go
            if rival == float("inf") or len(self._full.get(round_.end, ())) < self.settings.d:
                epoch = round_.end
            trained = yield Training(trial, epoch)
            if rounds.loss_at(trained, epoch) == float("inf"):
                values[trial] = float("inf")
                return
            if epoch < round_.end and (predictor := self._predictor(round_.end, epoch)) is not None:
                predicted = rounds.predict(predictor, [trained], epoch)[0]
                # the larger the error, the smaller the chance: a lower bound may do
                is_beaten = all(
                    decisions.chance_beaten(predicted, sigma, rival, self.settings.delta) >= self.settings.confidence
                    for sigma in predictor.sigmas()
                )
                verdict = self.recorded.goes_on(trial)
                if verdict and is_last:
                    # one that is promoted as the first, and trains on at once, is in no record
                    first = decisions.promote({**values, trial: predicted}, round_.promoted)[:1]
                    verdict = None if first == [trial] else True
                if not (verdict if verdict is not None else not is_beaten):
                    values[trial] = predicted
                    self.stopped.add(trial)
                    return
        values[trial] = rounds.loss_at(trained, round_.end)
        self._full.setdefault(round_.end, []).append(trained)

    def _predictor(self, end: int, epoch: int) -> Predictor | None:
        if (end, epoch) not in self._predictors:
            fitted = rounds.fit_curves(self._full[end], epoch, end, self.predictor)
            self._predictors[end, epoch] = fitted
            self.fits += fitted is not None
        return self._predictors[end, epoch]

    def _update_best(self, last: Round, values: Mapping[str, float]) -> None:
        """Only what a trial really reached makes it the winner."""
        reached = {trial: values[trial] for trial in values if len(self.curves[trial]) >= last.end}
        for trial in decisions.promote(reached, 1):
            if self.best is None or (values[trial], trial) < (self.best[1], self.best[0]):
                self.best = trial, values[trial]
