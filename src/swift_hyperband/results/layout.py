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

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from swift_hyperband.search.schedule import Round

if TYPE_CHECKING:
    pass

Part = Literal["full", "partial", "complete"]
RESULTS = Path("results")
"""Holds the folders of all studies, below the working directory."""


@dataclass(frozen=True)
class StudyFolder:
    """Paths in the folder of one study."""

    path: Path

    @classmethod
    def of(cls, study: str) -> StudyFolder:
        """Return the folder of the study of a name."""
        return cls(RESULTS / study)

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
