"""`swift-hyperband replay` as its users call it."""

import csv
import json
import re

import numpy as np
import pytest

from swift_hyperband import cli
from swift_hyperband.search.algorithms import ALGORITHMS


@pytest.fixture
def table(tmp_path):
    """Write a long table of 60 curves, 27 epochs, two hyperparameters; return its path."""
    rng = np.random.default_rng(0)
    path = tmp_path / "curves.csv"
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["config_id", "lr", "width", "epoch", "error"])
        for row in range(60):
            lr, width = 10 ** rng.uniform(-4, -1), int(rng.integers(4, 64))
            end, speed = 0.1 + abs(np.log10(lr) + 2.5) / 10, rng.uniform(0.5, 1.5)
            for epoch in range(1, 28):
                lines.writerow([f"c{row}", lr, width, epoch, end + epoch**-speed])
    return path


def replay(*arguments):
    return cli.main(["replay", *map(str, arguments)])


def test_json_has_what_programs_need(table, capsys):
    assert replay(table, "--search", "swift-hyperband", "--seeds", 3, "--max-epochs", 27, "--eta", 3, "--json") == 0
    found = json.loads(capsys.readouterr().out)["runs"]
    assert [run["seed"] for run in found] == [0, 1, 2]
    keys = {"seed", "best", "regret", "epochs", "hyperband_best", "hyperband_epochs", "fits", "cpu_s", "makespan"}
    for run in found:
        assert keys <= run.keys()
        assert run["hyperband_epochs"] == 357 > run["epochs"] == run["makespan"]


def test_people_read_a_table_with_intervals(table, capsys):
    assert replay(table, "--seeds", 4) == 0
    printed = capsys.readouterr().out
    assert "Swift-Hyperband on curves: 60 curves of error (min)" in printed
    assert "± 95 %" in printed
    assert "epochs saved against Hyperband" in printed
    line = next(line for line in printed.splitlines() if line.startswith("verdict: "))
    assert re.match("verdict: (better than|level with|worse than) Hyperband: regret .* of the seeds, at", line)
    assert re.search(
        r"^kill risk: a prediction stopped the winner of Hyperband in \d of 4 seeds; "
        r"by the predictions and their errors \d+\.\d%$",
        printed,
        re.MULTILINE,
    )
    assert replay(table, "--seeds", 2, "--search", "hyperband") == 0
    assert "verdict" not in capsys.readouterr().out


def test_the_best_epoch_of_each_curve_may_count(tmp_path, capsys):
    # each curve rises again after its minimum at epoch 4
    lines = [f"c{row},{row},{epoch},{row + abs(epoch - 4)}" for row in range(1, 41) for epoch in range(1, 10)]
    (tmp_path / "rising.csv").write_text("\n".join(["config_id,lr,epoch,error", *lines]) + "\n")
    found = {}
    for at in ("last", "best"):
        search = ["--search", "random", "--trials", 40, "--seeds", 1, "--metric-at", at]
        assert replay(tmp_path / "rising.csv", *search, "--json") == 0
        (found[at],) = json.loads(capsys.readouterr().out)["runs"]
    assert (found["last"]["best"], found["best"]["best"]) == (1 + 5, 1), "of the row that is best in both"
    assert found["last"]["regret"] == found["best"]["regret"] == 0
    assert replay(tmp_path / "rising.csv", "--seeds", 1, "--metric-at", "best") == 0
    assert "error at the best epoch" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        replay(tmp_path / "rising.csv", "--metric-at", "first")
    assert "argument --metric-at: invalid choice: 'first'" in capsys.readouterr().err


@pytest.mark.parametrize("search", sorted({*ALGORITHMS} - {"swift-hyperband"}))
def test_every_search_can_be_replayed_on_a_cluster(table, search, capsys):
    options = ["--workers", 8, "--pace", "heavy-tailed", "--start-seconds", 2, "--failures-per-hour", 1]
    assert replay(table, "--search", search, "--seeds", 2, *options, "--json") == 0
    for run in json.loads(capsys.readouterr().out)["runs"]:
        assert run["makespan"] > run["epochs"] / 8
        assert 0 < run["utilisation"] < 1


def test_workers_that_train_ahead_give_the_same_result_sooner_and_show_what_was_in_vain(table, capsys):
    runs = []
    for speculate in ([], ["--speculate"]):
        options = ["--seeds", 2, "--workers", 64, "--preset", "bold", *speculate]
        assert replay(table, *options, "--json") == 0
        runs.append(json.loads(capsys.readouterr().out)["runs"])
    same = ("best", "epochs", "fits")
    for waiting, ahead in zip(*runs, strict=True):
        assert [waiting[key] for key in same] == [ahead[key] for key in same]
        assert ahead["makespan"] < waiting["makespan"]
        assert waiting["used_ahead"] == waiting["in_vain"] == 0 < ahead["used_ahead"]
    assert replay(table, *options) == 0
    assert "in vain" in capsys.readouterr().out
    assert replay(table, "--workers", 4, "--speculate", -1) == 2
    assert "--speculate must be true, false or a number of at least 0, found -1" in capsys.readouterr().err


def test_a_gantt_picture_is_drawn(table, tmp_path, capsys):
    picture = tmp_path / "gantt.png"
    assert replay(table, "--search", "asha", "--seeds", 1, "--workers", 4, "--gantt", picture) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_any_setting_can_be_given(table, capsys):
    epochs = []
    for margin in (0, 5):
        assert replay(table, "--seeds", 3, "--set", f"swift.margin={margin}", "--json") == 0
        epochs.append(sum(run["epochs"] for run in json.loads(capsys.readouterr().out)["runs"]))
    assert epochs[0] < epochs[1]


def test_configurations_can_come_from_a_study(table, tmp_path, capsys):
    study = tmp_path / "study.yaml"
    study.write_text(
        "name: s\ntarget: {name: curve-table, metric: error, mode: min}\nsearch: {max_epochs: 27}\n"
        "space:\n  lr: {type: float, low: 1.0e-4, high: 0.1, log: true}\n  width: {type: int, low: 4, high: 64}\n"
    )
    assert replay(table, "--study", study, "--seeds", 2, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 2


def test_our_own_curves_can_be_replayed(tmp_path, capsys):
    import pyarrow
    import pyarrow.parquet

    rows = [
        {
            "study": "s",
            "trial": f"t{row}",
            "config_lr": row / 10,
            "epoch": epoch,
            "metric_accuracy": 1 - 1 / (row + epoch),
        }
        for row in range(30)
        for epoch in range(1, 10)
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "curves.parquet")
    assert replay(tmp_path / "curves.parquet", "--mode", "max", "--search", "hyperband", "--seeds", 2, "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["best"] == pytest.approx(1 - 1 / 38)


@pytest.mark.parametrize(("workers", "told"), [(4, False), (5, True)])
def test_a_user_is_told_when_workers_are_too_many_for_a_choice_of_brackets(table, workers, told, capsys):
    words = ["--search", "adaptive-hyperband", "--seeds", 1, "--workers", workers]
    assert replay(table, *words, "--set", "adaptive.choice=hyper-tune", "--json") == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert any("with more than 4 workers all brackets run in Hyperband's order" in note for note in notes) == told
    assert not any("is drawn" in note and "times" in note for note in notes)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "adaptive.choice=best"], "--set adaptive.choice must be correlation or hyper-tune, found 'best'"),
        (["--set", "adaptive.budget=0.5"], "--set adaptive.budget must be at least 1, found 0.5"),
        (["--max-epochs", "28"], "between 1 and 27, where the table ends, found 28"),
        (["--seeds", "0"], "--seeds must be at least 1, found 0"),
        (["--set", "margin=1"], "--set must be swift.KEY=VALUE, predictor.KEY=VALUE, fast.KEY=VALUE or"),
        (["--set", "swift.margn=1"], "swift.margn is not a key"),
        (["--workers", "0"], "--workers must be at least 1, found 0"),
        (["--metric", "accuracy"], "accuracy"),
        (["--trials", "5"], "--trials must be left out with algorithm swift-hyperband"),
    ],
)
def test_a_mistake_is_told_in_a_line(table, arguments, told, capsys):
    assert replay(table, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert told in error
    assert error.count("\n") == 1


def test_ctrl_c_keeps_what_is_done(table, capsys, monkeypatch):
    from swift_hyperband.replay import runs

    honest = runs.Replay.runs

    def interrupted(self, recipe, seeds, cluster=None):
        yield from honest(self, recipe, range(2), cluster)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs.Replay, "runs", interrupted)
    assert replay(table, "--seeds", 1000, "--json") == 130
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 2


def test_the_command_line_knows_every_format():
    from swift_hyperband.cli.replay import FORMATS
    from swift_hyperband.replay.tables import reader

    # written out there, so that a command imports no more than it needs
    assert reader.FORMATS == FORMATS


def test_curves_of_a_search_are_left_out_with_the_reason_and_so_few_rows_are_told(tmp_path, capsys):
    path = tmp_path / "curves.csv"
    lines = [
        f"{row},{epoch},{row / 60 + epoch / 100}" for row in range(60) for epoch in range(1, 10 if row % 8 == 0 else 4)
    ]
    path.write_text("\n".join(["row,epoch,accuracy", *lines]) + "\n")
    assert replay(path, "--max-epochs", 9, "--seeds", 3) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "52 of 60 curves end before epoch 9, as those of trials do that a search stopped" in printed
    assert "'swift-hyperband record' makes them" in printed
    assert "8 curves are too few for figures that say anything of others" in printed
    assert "-" not in printed.partition("epochs saved against Hyperband: ")[2][:1]
    assert replay(path, "--max-epochs", 9, "--seeds", 3, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["notes"]) >= 3
    assert all(run["epochs"] <= run["hyperband_epochs"] == 69 for run in found["runs"])


@pytest.mark.parametrize("mode", ["min", "max"])
def test_values_near_the_largest_number_are_replayed(tmp_path, capsys, mode):
    path = tmp_path / "curves.csv"
    lines = [
        f"{row},{epoch},{(-1) ** row * 1.7e308 / (1 + row % 7) / epoch}" for row in range(40) for epoch in range(1, 10)
    ]
    path.write_text("\n".join(["row,epoch,loss", *lines]) + "\n")
    assert replay(path, "--mode", mode, "--seeds", 4) == 0
    assert "e+307" in capsys.readouterr().out
    assert replay(path, "--mode", mode, "--seeds", 4, "--json") == 0
    best = {json.dumps(run["best"]) for run in json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["runs"]}
    assert best <= {json.dumps((-1) ** row * 1.7e308 / (1 + row % 7) / 9) for row in range(40)}


def test_a_table_with_repeated_rows_flatters_what_a_model_draws_and_says_so(table, capsys):
    cells = table.read_text().splitlines()
    again = [line.replace("c0,", "again,", 1) for line in cells if line.startswith("c0,")]
    table.write_text("\n".join([*cells, *again]) + "\n")
    told = "1 of 61 rows repeat the configuration of an earlier row: a model"
    assert replay(table, "--seeds", 2, "--search", "hyperband", "--sampling", "tpe", "--json") == 0
    assert any(note.startswith(told) for note in json.loads(capsys.readouterr().out)["notes"])
    assert replay(table, "--seeds", 2, "--search", "hyperband", "--sampling", "tpe") == 0
    assert told in " ".join(capsys.readouterr().out.split())
    assert replay(table, "--seeds", 2, "--search", "hyperband") == 0
    assert told not in " ".join(capsys.readouterr().out.split())
