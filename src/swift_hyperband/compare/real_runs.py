"""Searches that really train, one after another or by the workflow: their winners, epochs and times.

The counterpart of figure 4 of García Amboage et al., EPJ Web of Conferences 295, 12005 (2024): Hyperband,
Fast-Hyperband and Swift-Hyperband train one trial after another in one process, and the workflow runs Swift-Hyperband
in parallel. All meet the same configurations, and the same configuration trains to the same curve in each of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field

from swift_hyperband.base.errors import InvalidKeysError, UserError
from swift_hyperband.base.files import read_json, write_json, write_text
from swift_hyperband.base.metric import RESERVED
from swift_hyperband.base.wording import one_of, shown
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.results.begin import begin
from swift_hyperband.results.contents import Config
from swift_hyperband.results.layout import RESULTS, StudyFolder
from swift_hyperband.results.progress import Reader
from swift_hyperband.results.trials import nothing_left
from swift_hyperband.search.algorithms import ALGORITHMS, Family
from swift_hyperband.search.fast_hyperband import FastSettings
from swift_hyperband.study import model as studies
from swift_hyperband.study import reader
from swift_hyperband.study.checks import slug
from swift_hyperband.study.model import Study
from swift_hyperband.study.section import FromKeys, Section, validated
from swift_hyperband.training.batch import train_batch
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import CURVE, STARTED

PARALLEL = "parallel"
"""The run by the workflow, beside the names of searches."""
SEQUENTIAL = [name for name, row in ALGORITHMS.items() if row.family in (Family.HYPERBAND, Family.FAST_HYPERBAND)]
"""Algorithms that can train one trial after another: those with brackets of rounds."""


def _sequential(names: list[str]) -> list[str]:
    for name in names:
        if name not in SEQUENTIAL:
            raise InvalidKeysError(("", f"must be among {one_of(SEQUENTIAL)}, found {shown(name)}"))
    return names


def _name(value: object) -> object:
    return slug(value) if isinstance(value, str) else value


class ParallelRun(Section):
    """The run by the workflow."""

    workers: int = Field(default=2, ge=1, description="Training jobs side by side.")
    arguments: list[str] = Field(default_factory=list, description="Of 'swift-hyperband run'.")


class RealRuns(Section):
    """Which searches run, over which study."""

    name: Annotated[str, BeforeValidator(_name)] = Field(description="Names the folder results/<name>.")
    study: str = Field(description="The study file.")
    seeds: list[int] = Field(min_length=1, description="Of configurations and trainings; all searches meet them all.")
    reported: str = Field(description="The metric of the winner that is reported, on data that no search sees.")
    sequential: Annotated[list[str], BeforeValidator(_sequential)] = Field(
        default_factory=lambda: list(SEQUENTIAL),
        description="Searches that train one trial after another.",
    )
    fast: Annotated[FastSettings, FromKeys()] = Field(
        default_factory=FastSettings, description="Settings of Fast-Hyperband."
    )
    parallel: ParallelRun = Field(default_factory=ParallelRun, description="Swift-Hyperband by the workflow.")

    @property
    def runs(self) -> list[tuple[str, int]]:
        """Every run: a search and a seed, the seeds one after another."""
        return [(search, seed) for seed in self.seeds for search in [*self.sequential, PARALLEL]]

    def result(self, search: str, seed: int) -> Path:
        """Return the file of a run's result."""
        return RESULTS / self.name / f"{search}-{seed}.json"


@dataclass(frozen=True)
class Result:
    """What a run found and took.

    Attributes
    ----------
    search : str
    seed : int
    trial : str
        The winner.
    value, reported : float
        Its metric by which the search chose, and the one that is reported, after the epoch that counts.
    epochs : int
    seconds : float
        From start to end, without times in which the run was interrupted.
    training : float
        Seconds in which at least one trial trained: the rest is what starting, waiting and deciding take.
    """

    search: str
    seed: int
    trial: str
    value: float
    reported: float
    epochs: int
    seconds: float
    training: float


def load(path: Path) -> RealRuns:
    """Read the file that says what runs.

    Raises
    ------
    UserError
        A line for each mistake.
    """
    return validated(RealRuns, reader.read(path), str(path))


def run(settings: RealRuns, search: str, seed: int) -> Result:
    """Run a search to its end and write its result; started again, it goes on where it was.

    Raises
    ------
    UserError
        If the study does not hold, or every trial failed.
    """
    study = _variant(settings, search, seed)
    folder = StudyFolder.of(study.name, study.results)
    folder.path.mkdir(parents=True, exist_ok=True)
    with _clocked(folder.path / "elapsed.json") as elapsed:
        if search == PARALLEL:
            trial, epochs = _by_workflow(settings, study, folder)
        else:
            trial, epochs = _one_after_another(settings, search, study, folder)
    rows = _rows(folder.trial(trial) / CURVE)
    trained = rows[: study.search.max_epochs]
    won = trained[study.metric.epoch([row[study.metric.name] for row in trained]) - 1]
    if won.get(settings.reported) is None:
        metrics = ", ".join(key for key in won if key not in RESERVED)
        raise UserError(f"reported: must be a metric of the target, found {settings.reported!r} and {metrics}")
    values = won[study.target.metric], won[settings.reported]
    found = Result(search, seed, trial, *values, epochs, elapsed(), _training(folder.path))
    write_json(settings.result(search, seed), asdict(found))
    return found


def read(settings: RealRuns) -> list[Result]:
    """Return the results that are there, in the order of `RealRuns.runs`."""
    paths = [settings.result(search, seed) for search, seed in settings.runs]
    return [Result(**read_json(path)) for path in paths if path.exists()]


def _variant(settings: RealRuns, search: str, seed: int) -> Study:
    path = Path(settings.study)
    content = dict(reader.read(path))
    given = content.get("search")
    if not isinstance(given, Mapping):
        return studies.parse(content, str(path))
    algorithm = "swift-hyperband" if search == PARALLEL else ALGORITHMS[search].study
    content["name"] = f"{settings.name}-{search}-{seed}"
    # each run trains all of its epochs itself
    content.pop("earlier", None)
    content["search"] = {**given, "algorithm": algorithm, "seed": seed}
    if search == PARALLEL:
        resources = content.get("resources")
        content["resources"] = {
            **(resources if isinstance(resources, Mapping) else {}),
            "workers": settings.parallel.workers,
        }
    return studies.parse(content, str(path))


def _one_after_another(settings: RealRuns, name: str, study: Study, folder: StudyFolder) -> tuple[str, int]:
    """Train what a search asks for, one trial at a time; return the winner and how many epochs it took."""
    definition = study.definition()
    begin(folder, definition["target"])
    training = TrainingSettings.from_study_json(definition, study.retries, study.save_every, study.give_up_after)
    recipe = Recipe(ALGORITHMS[name].label, name, study.frozen(), settings.fast)
    trials = {bracket: study.trials(bracket) for bracket in recipe.schedule.brackets}
    for bracket, drawn in trials.items():
        for trial, (slot, configuration) in drawn.items():
            path = folder.config(trial)
            if not path.exists():
                Config(trial, bracket, slot, configuration).write(path)
    search = recipe.start({bracket: list(drawn) for bracket, drawn in trials.items()})
    while not search.finished:
        (wanted,) = search.ask(1)
        found = train_batch(folder.path, training, [wanted.trial], wanted.epochs)[wanted.trial]
        search.tell(wanted.trial, study.metric.losses(found.values[: wanted.epochs]))
    if search.best is None:
        raise UserError(nothing_left(folder, study.target.metric))
    return search.best[0], search.epochs


def _by_workflow(settings: RealRuns, study: Study, folder: StudyFolder) -> tuple[str, int]:
    """Run the workflow to its end; return the winner and how many epochs it took."""
    path = folder.path / "workflow.yaml"
    write_text(path, json.dumps({**study.definition(), **study.settings()}, indent=1) + "\n")
    command = [sys.executable, "-m", "swift_hyperband", "run", "--configfile", str(path)]
    subprocess.run([*command, *settings.parallel.arguments, "best"], check=False)
    if not folder.best.exists():
        raise UserError(f"{folder.path}: the workflow must end with a best configuration, and did not; run it again")
    progress = Reader(folder).read()
    assert progress is not None
    return str(yaml.safe_load(folder.best.read_text(encoding="utf-8"))["trial"]), progress.sum("spent")


@contextmanager
def _clocked(path: Path) -> Iterator[Any]:
    """Add the time in the context to what earlier starts took; the context gives a function that returns the sum."""
    before = float(read_json(path)) if path.exists() else 0.0
    began = time.monotonic()

    def elapsed() -> float:
        return before + time.monotonic() - began

    try:
        yield elapsed
    finally:
        write_json(path, elapsed())


def _rows(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _training(folder: Path) -> float:
    """Return in how many seconds at least one trial trained."""
    stretches = []
    for trial in folder.glob("trials/*"):
        if not (trial / CURVE).exists():
            continue
        seconds = {int(row["epoch"]): row["seconds"] for row in _rows(trial / CURVE)}
        # an epoch that was started twice counts from its last start
        starts = {int(row["epoch"]): row["time"] for row in _rows(trial / STARTED)}
        stretches += [(begin, begin + seconds[epoch]) for epoch, begin in starts.items() if epoch in seconds]
    return union(stretches)


def union(stretches: Sequence[tuple[float, float]]) -> float:
    """Return the length of the union of stretches of time."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(stretches):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
