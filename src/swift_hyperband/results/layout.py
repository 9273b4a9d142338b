"""The folder of a study, results/<study>: where everything lies, what its files hold, and freezing the study.

::

    study.json                       the definition, frozen when the search starts
    settings.json                    what may change while it runs (resources, retries ...), as of the last start
    resume.json                      both as one study file, where the search went on without the user's
    provenance.json                  each start of the search: host, versions, commit, digests of the model's code
    slurm.json                       what SLURM said of the runs of its jobs, before it forgets
    lease                            which process is the head of the search
    decider/                         with workers: the lease and the log of the process that decides
    agenda.json                      with workers: what is to be trained, written by the process that decides
    workers/<name>/                  a worker: its host and job, its lease, its log, what became of its trainings; jobs/
                                     has a record of each start; done when it has ended as a job of Snakemake's
    earlier.json                     which trials were taken over from earlier searches, and what was left out
    imported.json                    earlier trials that teach this search: a copy of the study's file
    journal.jsonl                    the order of events of a search without rounds
    trials/<trial>/                  configuration, state, learning curve, failures and logs of one trial
    bracket=<s>/round=<i>/
        entry.json                   competitors by rank and the batches they train in, frozen when entered
        full|partial/<batch>.json    curves of a batch of trials, when trained
        draw.json                    configurations of the bracket's trials, where a model draws them
        threshold.json               reference curves, and the threshold where they alone set it
        predictor.json               the predictor fitted in this round, if one is
        decision.json                who continues from the decision point
        completion.json              the batches of those who continue, frozen when decided
        complete/<batch>.json        their curves, when trained
        promotion.json               who goes on to the next round
        thaw.json                    after all brackets: which of the trials left behind go on to the last epoch
        jobs/  logs/                 where and when each training job ran; what jobs said
    workers.done                     all of these have ended
    annealer/                        what was asked of an annealer in the network, and its answers
    annealer/sampler.json            whether the sampler repeats its answers, as found before the first epoch
    best.yaml  curves.parquet  report/
    tensorboard/<trial>/             event files of the epochs, with the key live
    export/                          what the command export wrote
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

from swift_hyperband.base.errors import UserError
from swift_hyperband.search.schedule import Round, RoundKey
from swift_hyperband.training.trial import CONFIG, EARLIER

Part = Literal["full", "partial", "complete"]
PARTS: tuple[Part, ...] = get_args(Part)
RESULTS = Path("results")
"""Holds the folders of all studies, below the working directory, where the study file does not name another folder."""

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_IN_ROUND = re.compile(r"(.+)/bracket=(\d+)/round=(\d+)/[^/]+")
_OUTPUTS = {"threshold": "threshold", "fit": "predictor", "decide": "decision", "promote": "promotion"}
"""The file that each step of a round writes, without its suffix."""


def expanded(results: str, key: str = "results") -> Path:
    """Return the folder that a key of a study names: with ~ and variables such as $SCRATCH as they are here.

    Raises
    ------
    UserError
        If a variable is not set, or ~ names nobody's home.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if not os.environ.get(name):
            raise UserError(
                f"{key}: {results} names a variable that must be set, found no {name} in the environment; "
                f"give it (export {name}=...), or name a folder in the study file"
            )
        return os.environ[name]

    path = Path(_VARIABLE.sub(value, results))
    try:
        return path.expanduser()
    except RuntimeError:
        raise UserError(
            f"{key}: {results} must begin with the home of a user of this machine, found no home of {path.parts[0]}; "
            "name a folder in the study file"
        ) from None


def is_of_environment(results: str | Path) -> bool:
    """Whether the folder that a study's key `results` names depends on who looks, and where."""
    return str(results).startswith("~") or _VARIABLE.search(str(results)) is not None


@dataclass(frozen=True)
class StudyFolder:
    """Paths in the folder of one study."""

    path: Path

    @classmethod
    def of(cls, study: str, results: str | Path = RESULTS) -> Self:
        """Return the folder of a study.

        Parameters
        ----------
        study : str
            Its name.
        results : str or Path, optional
            Its key `results`, see `expanded`.

        Raises
        ------
        UserError
            If the key names a variable that is not set.
        """
        return cls(expanded(str(results)) / study)

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
    def earlier(self) -> Path:
        return self.path / EARLIER

    @property
    def imported(self) -> Path:
        return self.path / "imported.json"

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def best(self) -> Path:
        return self.path / "best.yaml"

    @property
    def curves(self) -> Path:
        return self.path / "curves.parquet"

    @property
    def report(self) -> Path:
        return self.path / "report"

    @property
    def decider(self) -> Path:
        """Holds the lease and the log of the process that decides, with workers."""
        return self.path / "decider"

    @property
    def agenda(self) -> Path:
        return self.path / "agenda.json"

    @property
    def workers(self) -> Path:
        return self.path / "workers"

    def worker(self, name: str) -> Path:
        return self.workers / name

    def trial(self, trial: str) -> Path:
        return self.path / "trials" / trial

    def config(self, trial: str) -> Path:
        return self.trial(trial) / CONFIG

    def trials(self) -> Iterator[Path]:
        """Yield the folders of the trials, by name."""
        return (path for path in sorted(self.path.glob("trials/*")) if path.is_dir())

    def round(self, round_: Round) -> Path:
        return self.path / f"bracket={round_.bracket}" / f"round={round_.index}"

    def entry(self, round_: Round) -> Path:
        return self.round(round_) / "entry.json"

    def completion(self, round_: Round) -> Path:
        return self.round(round_) / "completion.json"

    def manifest(self, round_: Round, part: Part, batch: str) -> Path:
        return self.round(round_) / part / f"{batch}.json"

    def manifests(self, round_: Round, part: Part) -> list[Path]:
        """Return the files of a part of a round, whether they belong there or not."""
        return list(self.round(round_).glob(f"{part}/*.json"))

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

    def thaw(self, round_: Round) -> Path:
        return self.round(round_) / "thaw.json"

    def worker_done(self, name: str) -> Path:
        return self.worker(name) / "done"

    @property
    def workers_done(self) -> Path:
        return self.path / "workers.done"

    def draw(self, round_: Round) -> Path:
        return self.round(round_) / "draw.json"

    def logs(self, round_: Round) -> Iterator[tuple[Path, Path]]:
        """Yield the log of each job of a round, with the file that the job writes."""
        place = self.round(round_)
        for log in place.glob("logs/*.log"):
            job, _, batch = log.stem.partition("-")
            yield log, place / job / f"{batch}.json" if batch else place / f"{_OUTPUTS.get(job, job)}.json"

    @property
    def best_log(self) -> Path:
        """The log of the job that writes best.yaml."""
        return self.path / "logs" / "best.log"


def locate(path: Path) -> tuple[StudyFolder, RoundKey]:
    """Return the study's folder and the round of a path .../bracket=<s>/round=<i>/<anything>.

    Raises
    ------
    UserError
        If the path lies elsewhere.
    """
    found = _IN_ROUND.fullmatch(str(path))
    if found is None:
        raise UserError(f"{path}: must lie in results/<study>/bracket=<s>/round=<i>/")
    return StudyFolder(Path(found[1])), (int(found[2]), int(found[3]))
