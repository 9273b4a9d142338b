"""Figure 4 in small: searches that really train, in this process and by the workflow, over recorded curves."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli import main
from swift_hyperband.compare import real_runs
from swift_hyperband.report import style
from swift_hyperband.report.compare import figure4

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the workflow, curves that are also measured on a test set, and a study of them."""
    monkeypatch.chdir(tmp_path)
    for name in ("workflow", "rules", "profiles", "envs"):
        (tmp_path / name).symlink_to(ROOT / name)
    draw = random.Random(0)
    lines = ["row,epoch,loss,test_loss"]
    for row in range(120):
        end, speed = draw.uniform(0.1, 0.6), draw.uniform(0.3, 1.5)
        values = [(epoch, end + epoch**-speed) for epoch in range(1, 10)]
        lines += [f"{row},{epoch},{value},{value + 1}" for epoch, value in values]
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    study = {
        "name": "small",
        "target": {"name": "curve-table", "metric": "loss", "mode": "min", "options": {"table": "table.csv"}},
        "space": {"row": {"type": "int", "low": 0, "high": 119}},
        "search": {"max_epochs": 9, "eta": 3, "seed": 7},
        "swift": {"d": 3},
        "predictor": {"name": "last-value", "fewest_curves": 3},
    }
    (tmp_path / "config").mkdir()
    (tmp_path / "config/study.yaml").write_text(yaml.safe_dump(study))
    settings = {
        "name": "four",
        "study": "config/study.yaml",
        "seeds": [1],
        "reported": "test_loss",
        "fast": {"d": 3},
        "parallel": {"arguments": ["--cores", "2"]},
    }
    (tmp_path / "config/figure4.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path


def read(name):
    return json.loads(Path(f"results/four/{name}.json").read_text())


def test_all_searches_run_and_the_workflow_finds_what_one_process_does(here):
    command = [Path(sys.executable).with_name("swift-hyperband"), "figure4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    found = {name: read(f"{name}-1") for name in ("hyperband", "fast-hyperband", "swift-hyperband", "parallel")}
    assert found["hyperband"]["epochs"] == 69
    same = ("trial", "value", "reported", "epochs")
    assert {key: found["swift-hyperband"][key] for key in same} == {key: found["parallel"][key] for key in same}
    for result in found.values():
        assert result["reported"] == pytest.approx(result["value"] + 1)
        assert 0 <= result["training"] <= result["seconds"]
    assert Path("results/four/figure4.png").stat().st_size > 10_000
    assert "Swift-Hyperband in parallel" in Path("results/four/figure4.md").read_text()
    # nothing is repeated
    before = {path: path.stat().st_mtime_ns for path in Path("results").rglob("*-1.json")}
    assert main(["figure4"]) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_run_that_was_interrupted_goes_on_and_adds_up_its_time(here):
    settings = real_runs.load(Path("config/figure4.yaml"))
    first = real_runs.run(settings, "hyperband", 1)
    started = {path: path.read_text() for path in Path("results/four-hyperband-1").glob("trials/*/started.jsonl")}
    second = real_runs.run(settings, "hyperband", 1)
    assert {path: path.read_text() for path in started} == started
    assert (second.trial, second.epochs) == (first.trial, first.epochs)
    assert second.seconds > first.seconds


def test_where_the_best_epoch_counts_both_metrics_are_those_of_that_epoch(here):
    # from epoch 3 on every curve rises
    text = Path("table.csv").read_text().splitlines()
    rows = [line.split(",") for line in text[1:]]
    rising = [(row, epoch, float(loss) + max(0, int(epoch) - 3), epoch) for row, epoch, loss, _ in rows]
    Path("table.csv").write_text("\n".join([text[0], *(",".join(map(str, row)) for row in rising)]) + "\n")
    study = yaml.safe_load(Path("config/study.yaml").read_text())
    study["target"]["metric_at"] = "best"
    Path("config/study.yaml").write_text(yaml.safe_dump(study))
    found = real_runs.run(real_runs.load(Path("config/figure4.yaml")), "hyperband", 1)
    assert found.reported == 3
    (path,) = Path("results").glob(f"*/trials/{found.trial}/curve.jsonl")
    curve = [json.loads(line)["loss"] for line in path.read_text().splitlines()]
    assert found.value == min(curve) == curve[2]


def test_no_run_takes_epochs_over_from_an_earlier_search(here):
    study = yaml.safe_load((here / "config/study.yaml").read_text())
    (here / "config/study.yaml").write_text(yaml.safe_dump({**study, "earlier": ["results/before"]}))
    settings = real_runs.load(here / "config/figure4.yaml")
    for search in (*settings.sequential, real_runs.PARALLEL):
        assert real_runs._variant(settings, search, 1).earlier == []


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({"sequential": ["asha"]}, "sequential must be among hyperband, fast-hyperband or swift-hyperband"),
        ({"seeds": []}, "seeds"),
        ({"study": "none.yaml"}, "none.yaml: must be a study file, found no such file"),
        ({"reported": "accuracy"}, "reported: must be a metric of the target, found 'accuracy' and loss, test_loss"),
    ],
)
def test_a_mistake_is_told_in_a_line(here, change, needed):
    path = Path("config/figure4.yaml")
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))

    def run():
        real_runs.run(real_runs.load(path), "hyperband", 1)

    with pytest.raises(UserError) as caught:
        run()
    assert needed in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_time_in_which_something_trains_is_counted_once():
    assert real_runs.union([(0, 2), (1, 3), (5, 6), (5.5, 5.6)]) == 4
    assert real_runs.union([]) == 0


def test_the_picture_shows_every_seed_and_the_mean():
    results = [
        real_runs.Result(search, seed, "a", 0.5, 0.4 + seed / 10, 100 * seed, 60.0 * seed, 30.0 * seed)
        for search in ("hyperband", "parallel")
        for seed in (1, 2)
    ]
    with style.style():
        picture = figure4.draw(results, "test_accuracy")
    quality, epochs, minutes = picture.axes
    assert [tick.get_text() for tick in quality.get_yticklabels()] == ["Hyperband", "Swift-Hyperband\nin parallel"]
    assert [list(line.get_xdata()) for line in quality.lines[1::2]] == [pytest.approx([0.5, 0.6])] * 2
    assert [bar.get_width() for bar in epochs.patches] == [150, 150]
    assert [bar.get_width() for bar in minutes.patches] == [1.5, 1.5, 0.75, 0.75]
    text = figure4.table(results, "test_accuracy").splitlines()
    assert [cell.strip() for cell in text[2].split("|")[2:6]] == ["0.550", "0.500 - 0.600", "150", "1.5"]
