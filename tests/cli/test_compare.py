"""`swift-hyperband compare` as a user runs it: its files, Ctrl-C and going on."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml

from swift_hyperband.cli import main

EPOCHS = 27
SEARCHES = [
    {"label": "Hyperband", "search": "hyperband"},
    {"label": "Swift", "search": "swift-hyperband", "swift": {"d": 3, "thaw": 0}, "predictor": {"fewest_curves": 3}},
    {"label": "Fast", "search": "fast-hyperband", "fast": {"d": 5}},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two tables of curves and a comparison of three searches over them."""
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    (tmp_path / "curves").mkdir()
    for name, sign in (("falling", 1), ("rising", -1)):
        lines = [f"config_id,speed,epoch,{'loss' if sign > 0 else 'accuracy'}"]
        for row in range(60):
            end, speed = draw.uniform(0.1, 0.6), draw.uniform(0.3, 1.5)
            lines += [f"{row},{speed},{epoch},{sign * (end + epoch**-speed)}" for epoch in range(1, EPOCHS + 1)]
        (tmp_path / f"curves/{name}.csv").write_text("\n".join(lines) + "\n")
    write(tmp_path)
    return tmp_path


def write(folder, **keys):
    content = {
        "name": "small",
        "seeds": 3,
        "tables": [
            {"name": "Falling", "path": "falling.csv", "max_epochs": EPOCHS, "eta": 3},
            {"name": "Rising", "path": "rising.csv", "max_epochs": EPOCHS, "eta": 3},
        ],
        "searches": SEARCHES,
        "predictions": {"splits": 3, "trained": 10, "qsvr": False},
    } | keys
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/compare.yaml").write_text(yaml.safe_dump(content))


def lines(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def rows(folder):
    """Return all rows that are kept, by file and seed."""
    return {
        (path.name, row["seed"]): row
        for path in (folder / "results/compare/small").rglob("*--*.parquet")
        for row in pyarrow.parquet.read_table(path).to_pylist()
    }


def times(folder):
    return {path: path.stat().st_mtime_ns for path in (folder / "results/compare/small").rglob("*--*.parquet")}


def test_one_command_writes_figure_tables_and_all_runs(folder, capsys):
    assert main(["compare", "--cores", "1"]) == 0
    made = folder / "results/compare/small"
    assert (made / "figure3.png").read_bytes().startswith(b"\x89PNG")
    runs = pyarrow.parquet.read_table(made / "runs.parquet")
    assert runs.column_names[:6] == ["table", "search", "algorithm", "seed", "best", "regret"]
    assert runs.num_rows == 2 * 3 * 3
    rows = lines(made / "summary.csv")
    assert [(row["table"], row["search"]) for row in rows] == [
        (table, search["label"]) for table in ("Falling", "Rising") for search in SEARCHES
    ]
    assert float(rows[1]["saved"]) > 0
    summary, table1 = ((made / f"{name}.md").read_text() for name in ("summary", "table1"))
    assert "## Falling: loss, smaller is better" in summary
    assert "## Rising: accuracy, larger is better" in summary
    assert "R² of linear (default)" in table1
    assert len(lines(made / "table1.csv")) == 2 * 4
    printed = capsys.readouterr().out
    assert str(made.relative_to(folder)) in printed
    # Hyperband is not compared with itself
    assert [row["verdict"] for row in rows[::3]] == ["", ""]
    assert {row["verdict"] for row in rows[1::3] + rows[2::3]} <= {"better", "level", "worse"}
    assert all(0 <= float(row["kill_risk"]) <= 1 for row in rows[1::3] + rows[2::3])
    assert rows[0]["kill_risk"] == ""
    assert "kill risk (predicted)" in summary
    predicted = [row["kill_risk_predicted"] for row in rows[:3]]
    # a search without rounds predicts none
    assert [predicted[0], predicted[2]] == ["", ""]
    assert 0 <= float(predicted[1]) < 0.5
    verdicts = lines(made / "verdicts.csv")
    assert [row["search"] for row in verdicts] == ["Swift", "Fast"]
    assert all(int(row["better"]) + int(row["level"]) + int(row["worse"]) == 2 for row in verdicts)
    shares = [1 - float(row["saved"]) for row in rows if row["search"] == "Swift"]
    assert float(verdicts[0]["epochs"]) == pytest.approx(sum(shares) / 2)
    for text in (summary, printed):
        assert "over 2 tables" in text
        assert f"{verdicts[0]['worst_table']}:" in text


def test_a_baseline_that_beats_another_search_is_named(folder, capsys):
    # until the last epoch the order of the curves is the wrong one
    draw = random.Random(1)
    cells = ["config_id,speed,epoch,loss"]
    for row in range(60):
        end = draw.uniform(0.1, 0.6)
        losses = [2 - end + 1 / epoch for epoch in range(1, EPOCHS)] + [end]
        cells += [f"{row},{row},{epoch},{loss}" for epoch, loss in enumerate(losses, 1)]
    (folder / "curves/crossing.csv").write_text("\n".join(cells) + "\n")
    searches = [
        {"label": "Random", "search": "random", "trials": 3, "baseline": True},
        {"label": "Hyperband", "search": "hyperband"},
        {"label": "Misled", "search": "asha", "brackets": [3]},
    ]
    table = {"name": "Crossing", "path": "crossing.csv", "max_epochs": EPOCHS, "eta": 3}
    write(folder, tables=[table], searches=searches)
    assert main(["compare", "--cores", "1", "--seeds", "8"]) == 0
    made = folder / "results/compare/small"
    assert [row["beaten_by"] for row in lines(made / "summary.csv")] == ["", "", "Random"]
    assert "Crossing: Misled is beaten by Random (regret -" in capsys.readouterr().out
    assert "\nMisled is beaten by Random (regret -" in (made / "summary.md").read_text()


def test_a_table_with_repeated_rows_flatters_what_a_model_draws_and_says_so(folder, capsys):
    cells = (folder / "curves/falling.csv").read_text().splitlines()
    again = [line.replace("3,", "again,", 1) for line in cells if line.startswith("3,")]
    (folder / "curves/repeating.csv").write_text("\n".join([*cells, *again]) + "\n")
    tables = [
        {"name": name, "path": f"{name.lower()}.csv", "max_epochs": EPOCHS, "eta": 3}
        for name in ("Repeating", "Rising")
    ]
    write(folder, tables=tables, searches=[*SEARCHES[:1], {"label": "TPE", "search": "hyperband", "sampling": "tpe"}])
    assert main(["compare", "--cores", "1"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Repeating: TPE: 1 of 61 rows repeat the configuration of an earlier row" in printed
    assert "Rising: TPE:" not in printed


def test_the_same_command_again_does_nothing_and_more_seeds_only_add(folder):
    main(["compare", "--cores", "1"])
    before = times(folder)
    assert len(before) == 14
    main(["compare", "--cores", "1"])
    assert times(folder) == before
    main(["compare", "--cores", "1", "--seeds", "4"])
    changed = {path.parent.name for path, time in times(folder).items() if time != before[path]}
    assert changed == {"runs"}


def test_only_one_unit_is_made_where_only_is_given(folder):
    assert main(["compare", "--cores", "1", "--only", "runs/falling--swift"]) == 0
    made = [path.name for path in (folder / "results/compare/small").rglob("*.*")]
    assert made == ["falling--swift.parquet"]
    assert main(["compare", "--only", "runs/falling--no"]) == 2
    assert main(["compare", "--cores", "1", "--only", "runs/falling--swift", "runs/rising--swift"]) == 0
    made = {path.name for path in (folder / "results/compare/small").rglob("*.*")}
    assert made == {"falling--swift.parquet", "rising--swift.parquet"}


def test_an_absent_table_is_skipped_with_one_line_and_all_absent_is_one_error(folder, capsys):
    (folder / "curves/rising.csv").unlink()
    assert main(["compare", "--cores", "1", "--seeds", "1"]) == 0
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["Rising: skipped, there is no curves/rising.csv"]
    assert main(["compare", "--curves", "nowhere"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: config/compare.yaml: at least one of its tables must be in the folder nowhere")
    assert len(error.splitlines()) == 1


def test_a_table_that_is_too_short_is_told_with_file_and_key(folder, capsys):
    table = {"name": "Falling", "path": "falling.csv", "max_epochs": 81, "eta": 3}
    write(folder, tables=[table])
    assert main(["compare"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: config/compare.yaml: tables[0]: falling: the last epoch of a replay must lie")
    assert len(error.splitlines()) == 1


def test_a_simulated_cluster_adds_makespan_and_utilisation(folder):
    write(folder, cluster={"workers": 8, "pace": "heavy-tailed"}, searches=SEARCHES[:1])
    assert main(["compare", "--cores", "1"]) == 0
    assert "makespan" in (folder / "results/compare/small/summary.md").read_text()


@pytest.mark.parametrize("cores", ["1", "2"])
def test_ctrl_c_keeps_what_is_done_in_one_line_and_the_same_command_does_the_rest(folder, cores):
    seeds = 50
    write(folder, seeds=seeds)
    command = [Path(sys.executable).with_name("swift-hyperband"), "compare", "--cores", cores]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell that runs the tests in the background makes everything below it deaf to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not list(folder.rglob("runs/*.parquet")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    printed, error = process.communicate(timeout=30)
    kept, wanted = rows(folder), 2 * (3 * seeds + 4 * 3)
    assert (process.returncode, printed) == (130, "")
    made = "results/compare/small"
    assert error == f"stopped: {len(kept)} of {wanted} runs are kept in {made}; the same command goes on\n"
    assert 0 < len(kept) < wanted
    # in this process, which has imported what two new ones would
    assert main(["compare", "--cores", "1"]) == 0
    done = rows(folder)
    assert len(done) == wanted
    # the CPU time of a run that is done again is another one
    assert {key: done[key] for key in kept} == kept
    assert not list(folder.rglob("*.tmp"))


def test_workers_die_with_a_parent_that_is_killed(folder):
    psutil = pytest.importorskip("psutil")
    write(folder, seeds=100_000)
    command = [Path(sys.executable).with_name("swift-hyperband"), "compare", "--cores", "2"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    parent = psutil.Process(process.pid)
    while len(workers := [child for child in parent.children() if "spawn_main" in " ".join(child.cmdline())]) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(2)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    for worker in alive:
        worker.kill()
    assert not alive
