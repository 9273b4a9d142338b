"""`snakemake compare`, run for real over two small tables."""

import os
import random
import signal
import time

import pyarrow.parquet
import pytest
import yaml

EPOCHS = 27
SEARCHES = [
    {"label": "Hyperband", "search": "hyperband"},
    {"label": "Swift", "search": "swift-hyperband", "swift": {"d": 3, "thaw": 0}, "predictor": {"fewest_curves": 3}},
    {"label": "Fast", "search": "fast-hyperband", "fast": {"d": 5}},
]


@pytest.fixture
def compare(project):
    """A project with a comparison of three searches over two tables; call it to change keys of the file."""
    draw = random.Random(0)
    (project.path / "curves").mkdir()
    for name in ("one", "two"):
        lines = ["config_id,speed,epoch,loss"]
        for row in range(60):
            end, speed = draw.uniform(0.1, 0.6), draw.uniform(0.3, 1.5)
            lines += [f"{row},{speed},{epoch},{end + epoch**-speed}" for epoch in range(1, EPOCHS + 1)]
        (project.path / f"curves/{name}.csv").write_text("\n".join(lines) + "\n")

    def write(**keys):
        content = {
            "name": "small",
            "seeds": 3,
            "tables": [
                {"name": name, "path": f"{name}.csv", "max_epochs": EPOCHS, "eta": 3, "source": f"https://{name}.org"}
                for name in ("one", "two")
            ],
            "searches": SEARCHES,
            "predictions": {"splits": 2, "trained": 10, "qsvr": False},
        } | keys
        (project.path / "config/compare.yaml").write_text(yaml.safe_dump(content))

    write()
    return write


def made(project):
    return project.path / "results/compare/small"


def jobs(printed):
    """Return how many jobs of each rule a dry run announces."""
    lines = printed.partition("Job stats:")[2].partition("Reasons:")[0].splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in lines if line.startswith("compare")}


ALL = {"compare_runs": 2, "compare_report": 1, "compare": 1}
"""All searches and predictors of a table that take little time share a job."""


def test_one_command_makes_figure_and_tables_and_again_does_nothing(project, compare):
    assert jobs(project.run("snakemake", "-n", "compare")) == ALL
    project.run("snakemake", "compare", "--cores", "2")
    names = {"figure3.png", "table1.csv", "table1.md", "summary.csv", "summary.md", "verdicts.csv", "runs.parquet"}
    assert names <= {path.name for path in made(project).iterdir()}
    assert pyarrow.parquet.read_metadata(made(project) / "runs.parquet").num_rows == 2 * 3 * 3
    assert "Nothing to be done" in project.run("snakemake", "compare", "--cores", "2")

    # what a change does not concern is not done again
    compare(searches=[*SEARCHES, {"label": "ASHA", "search": "asha"}])
    assert jobs(project.run("snakemake", "-n", "compare")) == ALL | {"compare_runs": 2}
    compare(seeds=4)
    assert jobs(project.run("snakemake", "-n", "compare")) == ALL | {"compare_runs": 2}


def test_ctrl_c_keeps_what_jobs_have_done_and_the_same_command_does_the_rest(project, compare):
    compare(seeds=50)
    process = project.start("snakemake", "compare", "--cores", "2", "--nolock")
    while not list(made(project).glob("runs/*--fast.parquet")):
        assert process.poll() is None, project.printed()
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) != 0
    kept = {
        path: pyarrow.parquet.read_table(path).to_pylist() for path in (made(project) / "runs").glob("*--fast.parquet")
    }
    project.run("snakemake", "compare", "--cores", "2", "--nolock")
    for path, rows in kept.items():
        # the CPU time of a run that is done again is another one
        assert pyarrow.parquet.read_table(path).to_pylist()[: len(rows)] == rows
    assert pyarrow.parquet.read_metadata(made(project) / "runs.parquet").num_rows == 2 * 3 * 50


def test_an_absent_table_is_skipped_with_a_line_and_all_absent_is_one_line(project, compare):
    (project.path / "curves/two.csv").unlink()
    printed = project.run("snakemake", "-n", "compare")
    assert printed.count("two: skipped, there is no curves/two.csv; get it from https://two.org\n") == 1
    assert jobs(printed) == ALL | {"compare_runs": 1}
    (project.path / "curves/one.csv").unlink()
    printed = project.run("snakemake", "compare", "--cores", "1", check=False)
    assert "error: config/compare.yaml: at least one of its tables must be in the folder curves, found none" in printed
    assert "Traceback" not in printed
    assert "MissingInput" not in printed


def test_a_mistake_in_the_file_of_the_comparison_is_one_line_and_no_matter_of_searches(project, compare):
    compare(seeds="many")
    printed = project.run("snakemake", "compare", "--cores", "1", check=False)
    assert "error: config/compare.yaml: seeds must be a whole number, found 'many'" in printed
    assert "Traceback" not in printed
    assert "Job stats" in project.run("snakemake", "-n")


def test_why_a_job_failed_is_shown(project, compare):
    (project.path / "curves/two.csv").unlink()
    (project.path / "curves/one.csv").write_text("config_id,epoch,loss\n1,1,x\n")
    printed = project.run("snakemake", "compare", "--cores", "2", check=False)
    assert "error: config/compare.yaml: tables[0]: curves/one.csv: " in printed
    assert "Traceback" not in printed
