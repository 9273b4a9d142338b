"""Results of searches, damaged: a search started again ends with the same bits, or one line names a file."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_hyperband import cli
from swift_hyperband.base.errors import UserError, about_disk
from swift_hyperband.cli.status_screen import screen
from swift_hyperband.processes import head, lease
from swift_hyperband.results import repair
from swift_hyperband.results.curves import write_curves
from swift_hyperband.results.freeze import freeze
from swift_hyperband.results.history import History
from swift_hyperband.results.jobs import read as read_jobs
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.progress import Reader
from swift_hyperband.study.model import Study, parse
from swift_hyperband.workflow import driver
from swift_hyperband.workflow.dag import Dag

MOST = int(os.environ.get("FUZZ_EXAMPLES", "15"))
WAYS = ("delete", "empty", "cut", "other JSON", "change", "folder", "flip", "zeros", "swap", "older", "crlf")
THAWING = {"d": 3, "decision_fraction": 0.3, "extra": 0, "thaw": 0.3, "thaw_chance": 0.01}
VALUES = (None, [], {}, "x", True, -1, 1e300)
MODEL = """\
import torch

class Tiny:
    def setup(self, configuration, context):
        torch.set_num_threads(1)
        self.model = torch.nn.Linear(3, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=configuration["lr"], momentum=0.9)

    def train_epoch(self, epoch):
        inputs = torch.randn(8, 3)
        self.optimizer.zero_grad()
        (self.model(inputs) - inputs.sum(dim=1, keepdim=True)).square().mean().backward()
        self.optimizer.step()

    def validate(self):
        return {"loss": (self.model.weight - 1).square().mean()}
"""


@dataclass(frozen=True)
class Finished:
    """A search in a folder, and what it found, or would have found where it was stopped."""

    place: Path
    study: Study
    search: Callable[[Study], object]
    files: tuple[str, ...]
    found: dict[str, Any]


def finished(place: Path, how: Callable[[Study], object], **keys: Any) -> Finished:
    content = {
        "name": "found",
        "target": {"name": "curve-table", "metric": "loss", "mode": "min", "options": {"table": "table.csv"}},
        "space": {"row": {"type": "int", "low": 0, "high": 99}},
        "search": {"algorithm": "swift-hyperband", "max_epochs": 9, "eta": 3, "seed": 2},
        "swift": {"d": 3, "decision_fraction": 0.3, "extra": 0},
        "predictor": {"name": "last-value"},
        "retries": 0,
    }
    draw = random.Random(1)
    lines = ["row,epoch,loss"]
    for row in range(100):
        end, speed = draw.uniform(0.1, 0.9), draw.uniform(0.5, 1.5)
        # one row in ten diverges
        last = draw.randint(1, 6) if row % 10 == 0 else 9
        lines += [f"{row},{epoch},{end + epoch**-speed if epoch <= last else ''}" for epoch in range(1, 10)]
    (place / "table.csv").write_text("\n".join(lines) + "\n")
    (place / "tiny.py").write_text(MODEL)
    os.chdir(place)
    study = parse(content | keys, "study.yaml")
    how(study)
    folder = Path("results/found")
    write_curves(History(StudyFolder(folder)), folder / "curves.parquet")
    return Finished(place, study, how, files_of(folder), found(folder))


def files_of(folder: Path) -> tuple[str, ...]:
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return tuple(file for file in files if not file.endswith("started.jsonl"))


class StopError(Exception):
    """The search was stopped."""


def stopped(search: Finished, place: Path, rounds: int) -> Finished:
    """Return the same search as it was when so many of its rounds were over."""
    ignored = shutil.ignore_patterns("results")
    shutil.copytree(search.place, place, ignore=ignored, dirs_exist_ok=True)
    os.chdir(place)
    over: list[object] = []

    def count(round_: object) -> None:
        over.append(round_)
        if len(over) == rounds:
            raise StopError

    with pytest.raises(StopError):
        in_one_process(search.study, count)
    return replace(search, place=place, files=files_of(Path("results/found")))


def in_one_process(study: Study, on_round: Callable[[object], None] | None = None) -> None:
    """Run a search as `swift-hyperband search` does, and give back what it holds."""
    folder = StudyFolder(Path("results") / study.name)
    held = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "become_head", lambda folder: held.append(head.lead(folder)))
        # a damaged lease counts as one of another machine
        patch.setattr(head, "SILENT_AFTER", 0.3)
        patch.setitem(lease.acquire.__kwdefaults__, "stale_after", 0.3)
        try:
            driver.run_search(study, folder, 1, on_round)
        finally:
            for one in held:
                one.release()


class Workflow:
    """The workflow's jobs as Snakemake starts them, but without it: what is missing is made, after its inputs."""

    def __init__(self, study: Study) -> None:
        self.folder = StudyFolder(Path("results") / study.name)
        self.dag = Dag(study, self.folder, lambda: False, lambda: True, lambda *_: None)
        with head.lead(self.folder.path):
            freeze(self.folder, study)
            repair.mend(self.folder, study)
            # as Snakemake asks for what every job needs before any starts
            for round_ in self.dag.schedule.all_rounds:
                for part in ("full", "partial", "complete"):
                    with contextlib.suppress(UserError):
                        self.dag.manifests(round_, part)
            self.make(self.folder.best, "best", self.dag.ends())

    def make(self, path: Path, job: str, needed: list[str]) -> None:
        """Make a file and what it needs, unless it is there."""
        if path.exists():
            return
        for need in needed:
            self.need(Path(need))
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = cli.main(["job", job, str(path)])
        if code:
            raise UserError(said.getvalue().strip().splitlines()[-1])

    def need(self, path: Path) -> None:
        """Make a file of a round."""
        if path.exists():
            return
        rounds = self.dag.schedule.all_rounds
        round_ = next(round_ for round_ in rounds if self.folder.round(round_) in path.parents)
        if path.parent != self.folder.round(round_):
            self.make(path, "train", [])
            return
        dag, point = self.dag, round_.decision_epoch
        if path.stem == "thaw":
            self.make(path, "thaw", dag.left_behind())
            return
        for before in dag.previous(round_):
            self.need(Path(before))
        full = dag.manifests(round_, "full")
        if path.stem == "threshold":
            self.make(path, "threshold", full)
        elif path.stem == "predictor":
            self.make(path, "fit", dag.training_rounds(round_))
        elif path.stem == "decision":
            threshold = str(self.folder.threshold(round_))
            self.make(path, "decide", [threshold, dag.predictor(round_), *dag.manifests(round_, "partial")])
        else:
            for decision in dag.decision(round_):
                self.need(Path(decision))
            self.make(path, "promote", [*full, *(dag.manifests(round_, "complete") if point is not None else [])])


def found(folder: Path) -> dict[str, Any]:
    """Return what a search found, without times."""
    curves = {
        str(path): [
            {key: value for key, value in json.loads(line).items() if key != "seconds"}
            for line in path.read_text().splitlines()
        ]
        for path in sorted(folder.glob("trials/*/curve.jsonl"))
    }
    best = yaml.safe_load((folder / "best.yaml").read_text())
    rounds = {
        str(path): {key: value for key, value in json.loads(path.read_text()).items() if key not in ("time", "inputs")}
        for path in sorted(folder.glob("bracket=*/round=*/*.json"))
    }
    return {"curves": curves, "best": best, "rounds": rounds, "state": state_bits(Path(best["state"]))}


def state_bits(path: Path) -> Any:
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        return [content["parts"], len(content["curve"])]
    import torch

    content = torch.load(path, weights_only=True)
    if "optimizer" not in content["parts"]:
        # of a target without torch, saved by a process that had imported it
        return [content["parts"], len(content["curve"])]
    momentum = content["parts"]["optimizer"]["state"][0]["momentum_buffer"]
    return [content["parts"]["model"]["weight"].tolist(), momentum.tolist(), len(content["curve"])]


def damage(path: Path, way: str, draw: random.Random) -> list[Path]:
    """Damage a file in one way; return it, and what else was damaged with it."""
    data = path.read_bytes()
    at = draw.randrange(max(1, len(data)))
    if way == "delete":
        path.unlink()
    elif way == "empty":
        path.write_bytes(b"")
    elif way == "cut":
        path.write_bytes(data[:at])
    elif way == "folder":
        path.unlink()
        path.mkdir()
    elif way == "other JSON":
        path.write_text(json.dumps(draw.choice(VALUES)))
    elif way == "swap":
        # as when a copy of many files goes wrong: sound, and another's
        others = sorted(other for other in path.parents[1].glob(f"*/{path.name}") if other.is_file() and other != path)
        if others:
            other = draw.choice(others)
            path.write_bytes(other.read_bytes())
            other.write_bytes(data)
            return [path, other]
    elif way == "older":
        path.write_bytes(b"".join(data.splitlines(keepends=True)[: -draw.randint(1, 3)]))
    elif way == "crlf":
        path.write_bytes(data.replace(b"\n", b"\r\n"))
    elif way == "change" and data:
        path.write_text(changed(data.decode(errors="replace"), path.suffix, draw))
    elif path.suffix in (".pt", ".parquet") or path.name == "state.json":
        block = bytes(64) if way == "zeros" else bytes([data[at] ^ 1 << draw.randrange(8)]) if data else b""
        path.write_bytes(data[:at] + block + data[at + len(block) :])
    return [path]


def changed(text: str, suffix: str, draw: random.Random) -> str:
    """Return JSON or YAML with a key taken away, or a value of another type in its place."""
    if suffix == ".jsonl":
        lines = text.splitlines()
        place = draw.randrange(len(lines))
        lines[place] = changed(lines[place], ".json", draw)
        return "\n".join(lines) + "\n"
    try:
        content = yaml.safe_load(text) if suffix == ".yaml" else json.loads(text)
    except ValueError:
        return "{}"
    inner = content
    while isinstance(inner, dict | list) and inner:
        key = draw.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        if draw.random() < 0.3 or not isinstance(inner[key], dict | list) or not inner[key]:
            if draw.random() < 0.4:
                del inner[key]
            else:
                other = [value for value in VALUES if type(value) is not type(inner[key])]
                inner[key] = draw.choice(other)
            break
        inner = inner[key]
    return yaml.safe_dump(content) if suffix == ".yaml" else json.dumps(content)


def told(call: Callable[[], object]) -> str | None:
    """Return the line of the error that a call ends with, as the command line prints it."""
    try:
        call()
    except UserError as error:
        return str(error)
    except OSError as error:
        return about_disk(error)
    return None


def names(line: str, files: list[str]) -> bool:
    """Whether a line names one of the files, or the folder of one that lies in a folder of the study's."""
    parts = {part for file in files for part in (file, file.rpartition("/")[0]) if part}
    return "\n" not in line and any(part in line for part in parts)


def look(folder: StudyFolder) -> None:
    """Look at a search as `status` does."""
    progress = Reader(folder).read()
    screen(folder, progress)
    if progress is not None:
        json.dumps(progress.to_json())
    read_jobs(folder.path)


def try_one(base: Finished, place: Path, damaged: list[tuple[str, str]], seed: int) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(base.place, place)
    os.chdir(place)
    folder, draw = StudyFolder(Path("results/found")), random.Random(seed)
    files = []
    for file, way in damaged:
        if (folder.path / file).is_file():
            files += [str(one.relative_to(folder.path)) for one in damage(folder.path / file, way, draw)]
    line = told(lambda: look(folder))
    assert line is None or names(line, files), line
    for _ in range(2):
        line = told(lambda: base.search(base.study))
        if line is not None:
            assert names(line, files), line
            return
        assert found(folder.path) == base.found
    write_curves(History(folder), folder.curves)
    look(folder)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    before = Path.cwd()
    yield tmp_path_factory
    os.chdir(before)


@pytest.fixture(scope="module")
def table_search(home: pytest.TempPathFactory) -> Finished:
    return finished(home.mktemp("table"), in_one_process)


@pytest.fixture(scope="module")
def stopped_search(home: pytest.TempPathFactory, table_search: Finished) -> Finished:
    return stopped(table_search, home.mktemp("stopped"), 3)


@pytest.fixture(scope="module")
def workflow_search(home: pytest.TempPathFactory) -> Finished:
    return finished(home.mktemp("workflow"), Workflow, swift=THAWING)


@pytest.fixture(scope="module")
def thawed_search(home: pytest.TempPathFactory) -> Finished:
    return finished(home.mktemp("thawed"), in_one_process, swift=THAWING)


@pytest.fixture(scope="module")
def torch_search(home: pytest.TempPathFactory) -> Finished:
    import torch

    torch.set_num_threads(1)
    return finished(
        home.mktemp("torch"),
        in_one_process,
        target={"name": "tiny.py:Tiny", "metric": "loss", "mode": "min"},
        space={"lr": {"type": "float", "low": 0.001, "high": 0.1}},
        search={"algorithm": "random", "trials": 2, "max_epochs": 2, "eta": 2, "seed": 2},
        swift={},
        keep_states=True,
    )


def damages(search: Finished) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.tuples(st.sampled_from(search.files), st.sampled_from(WAYS)), min_size=1, max_size=3)


def run(search: Finished, place: Path, examples: int) -> None:
    @settings(settings.get_profile("fuzz"), max_examples=examples)
    @given(damaged=damages(search), seed=st.integers(0, 2**32))
    def same_or_told(damaged: list[tuple[str, str]], seed: int) -> None:
        try_one(search, place, damaged, seed)

    same_or_told()


def test_a_damaged_search_ends_with_the_same_bits_or_one_line_that_names_a_file(
    table_search: Finished, tmp_path: Path
) -> None:
    run(table_search, tmp_path / "damaged", MOST)


def test_a_damaged_search_that_was_stopped_does_so_too(stopped_search: Finished, tmp_path: Path) -> None:
    run(stopped_search, tmp_path / "damaged", MOST)


def test_a_damaged_search_of_the_workflow_does_so_too(workflow_search: Finished, tmp_path: Path) -> None:
    run(workflow_search, tmp_path / "damaged", MOST)


def test_a_damaged_search_in_which_trials_thawed_does_so_too(thawed_search: Finished, tmp_path: Path) -> None:
    thaw = next(file for file in thawed_search.files if file.endswith("thaw.json"))
    assert json.loads((thawed_search.place / "results/found" / thaw).read_text())["chosen"]
    run(thawed_search, tmp_path / "damaged", MOST)
    for way in ("delete", "empty", "cut", "other JSON", "change", "folder"):
        for seed in range(2):
            try_one(thawed_search, tmp_path / "damaged", [(thaw, way)], seed)


@pytest.mark.skipif(sys.platform != "linux", reason="trials are forked")
def test_a_damaged_search_with_states_of_torch_does_so_too(torch_search: Finished, tmp_path: Path) -> None:
    run(torch_search, tmp_path / "damaged", max(5, MOST // 5))


def test_entries_of_two_rounds_in_each_others_place_are_told_and_made_again(
    table_search: Finished, tmp_path: Path
) -> None:
    try_one(table_search, tmp_path / "damaged", [("bracket=2/round=0/entry.json", "swap")], 0)
