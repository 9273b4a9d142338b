"""Searches that were really run, by the plain driver over made-up curves, each once for all tests."""

import random

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import parse
from swift_hyperband.workflow.driver import run_search

ROWS, EPOCHS = 300, 27

CRASHING = """\
from swift_hyperband.targets.recorded import CurveTable

class Crashing(CurveTable):
    def setup(self, configuration, context):
        super().setup(configuration, context)
        self.crashes = configuration["row"] % 5 == 0 or context.options.get("all", False)

    def train_epoch(self, epoch):
        if self.crashes:
            raise RuntimeError("crashed on purpose")
        super().train_epoch(epoch)
"""


class StopHereError(Exception):
    pass


class Searches:
    """Runs searches in a folder of their own."""

    def __init__(self, path):
        self.path = path
        self.table()
        (path / "crashing.py").write_text(CRASHING)

    def table(self, name="curves.csv", metrics=("loss",)):
        """Write falling losses, the same in each metric; in one row of eight they diverge within eight epochs."""
        draw = random.Random(1)
        lines = [",".join(["row", "epoch", *metrics])]
        for row in range(ROWS):
            end, start, speed = draw.uniform(0.1, 0.9), draw.uniform(1.0, 2.0), draw.uniform(0.5, 1.5)
            last = draw.randint(0, 7) if row % 8 == 0 else EPOCHS
            for epoch in range(1, EPOCHS + 1):
                loss = end + start * epoch**-speed
                values = ["" if epoch > last else str(loss)] * len(metrics)
                lines.append(",".join([str(row), str(epoch), *values]))
        (self.path / name).write_text("\n".join(lines) + "\n")

    def run(self, name, rounds=None, **keys):
        """Run a search, to its end or until so many rounds are over; search__seed=3 sets a key of the study."""
        content = {
            "name": name,
            "target": {
                "name": "curve-table",
                "metric": "loss",
                "mode": "min",
                "options": {"table": str(self.path / "curves.csv")},
            },
            "space": {"row": {"type": "int", "low": 0, "high": ROWS - 1}},
            "search": {"max_epochs": 9, "eta": 3, "seed": 2},
            "swift": {"d": 3, "decision_fraction": 0.3, "thaw": 0.0},
            "predictor": {"fewest_curves": 3},
            "retries": 0,
            "give_up_after": 0,
        }
        for key, value in keys.items():
            *sections, last = key.split("__")
            place = content
            for section in sections:
                place = place[section]
            place[last] = value
        folder = StudyFolder(self.path / "results" / name)
        study, over = parse(content, "test"), []

        def stop(record):
            over.append(record)
            if len(over) == rounds:
                raise StopHereError

        try:
            run_search(study, folder, 2, stop)
        except StopHereError:
            pass
        except UserError as error:
            # a search in which nothing is left has files as any other
            assert "every trial failed" in str(error)  # noqa: PT017
        return History(folder)

    def run_crashing(self, name, **keys):
        return self.run(name, target__name=f"{self.path}/crashing.py:Crashing", **keys)


@pytest.fixture(scope="session")
def searches(tmp_path_factory):
    return Searches(tmp_path_factory.mktemp("searches"))


@pytest.fixture(scope="session")
def swift(searches):
    """A finished search of 49 trials in which some diverge and many are stopped."""
    return searches.run("swift", search__max_epochs=27)


@pytest.fixture(scope="session")
def hyperband(searches):
    return searches.run("hyperband", search__algorithm="hyperband")


@pytest.fixture(scope="session")
def unfinished(searches):
    return searches.run("unfinished", rounds=2)


@pytest.fixture(scope="session")
def crashing(searches):
    """A finished search in which one trial in five crashes in its first epoch."""
    return searches.run_crashing("crashing")


@pytest.fixture(scope="session")
def all_failed(searches):
    return searches.run_crashing("all-failed", target__options__all=True)


@pytest.fixture(scope="session")
def not_begun(searches):
    """A search that was started, and killed before a trial finished its first epoch."""
    history = searches.run("not-begun", rounds=1)
    for path in history.folder.path.glob("trials/*/curve.jsonl"):
        path.unlink()
    for path in history.folder.path.glob("bracket=*/round=*/*.json"):
        if path.name != "entry.json":
            path.unlink()
    return History(history.folder)


@pytest.fixture(scope="session")
def thawed(searches):
    """A finished search in which trials trained on after all brackets, one of which won."""
    keys = {"preset": "bold", "d": 3, "decision_fraction": 0.3, "extra": 0, "thaw": 0.5, "thaw_chance": 0.01}
    return searches.run("thawed", search__seed=9, swift=keys)


@pytest.fixture(params=["swift", "thawed", "hyperband", "unfinished", "crashing", "all_failed", "not_begun"])
def history(request):
    """Every kind of search in turn."""
    return request.getfixturevalue(request.param)
