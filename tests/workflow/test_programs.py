"""A program in the place of a Python class, and recordings, by the workflow."""

import re
import sys

import pyarrow.parquet

PROGRAM = """
import json, math, sys
from pathlib import Path
o = dict(zip(sys.argv[1::2], sys.argv[2::2]))
rate = json.loads(Path(o["--config"]).read_text())["rate"]
begin, end = int(o["--from"]), int(o["--to"])
loss = 1.0 if o["--state-in"] == "-" else float(Path(o["--state-in"], "loss").read_text())
with open(o["--metrics"], "w") as file:
    for epoch in range(begin + 1, end + 1):
        loss -= rate * (loss - 0.1) * math.exp(-4 * rate)
        print(json.dumps({"epoch": epoch, "loss": loss}), file=file)
Path(o["--state-out"], "loss").write_text(repr(loss))
"""


def use_program(project, **keys):
    (project.path / "program.py").write_text(PROGRAM)
    project.study(
        target={"command": [sys.executable, "program.py"], "metric": "loss", "mode": "min", **keys},
        space={"rate": {"type": "float", "low": 0.01, "high": 1.0, "log": True}},
    )


def use_words(project):
    """Have a program that insists on words and texts as the study file has them."""
    study = project.path / "config/config.yaml"
    text = study.read_text().replace("- program.py\n", '- program.py\n  - --decay\n  - 1e-4\n  - "--on"\n  - yes\n')
    kinds = '  kind: {type: categorical, choices: ["1e-4", 1e-3]}\n'
    study.write_text(text.replace("\nspace:\n", f"\nspace:\n{kinds}"))
    (project.path / "program.py").write_text(
        PROGRAM + 'assert (o["--decay"], o["--on"]) == ("1e-4", "yes"), sys.argv\n'
        'assert json.loads(Path(o["--config"]).read_text())["kind"] in ("1e-4", 0.001)\n'
    )


def test_a_program_is_searched_as_a_class_is(project):
    use_program(project)
    use_words(project)
    project.run("swift-hyperband", "search")
    here = project.best(), project.decisions()
    project.results.rename(project.path / "here")
    project.search()
    assert (project.best(), project.decisions()) == here
    assert b"kind: '1e-4'" in project.best() or b"kind: 0.001" in project.best()
    assert b"state: results/table/trials/" in project.best()
    assert len([path for path in project.results.glob("trials/*/state.*") if path.is_dir()]) == 1, "the best one's"


def test_a_program_that_cannot_go_on_finds_the_same_and_its_epochs_are_told(project):
    use_program(project)
    project.run("swift-hyperband", "search")
    project.results.rename(project.path / "resumed")
    resumed = (project.path / "resumed/best.yaml").read_text()
    use_program(project, resumable=False)
    # as one that does not look at its state
    program = PROGRAM.replace('o["--state-in"] == "-"', "True")
    (project.path / "program.py").write_text(program)
    project.search()
    value = [line for line in resumed.splitlines() if line.startswith(("value", "trial"))]
    assert [line for line in project.best().decode().splitlines() if line.startswith(("value", "trial"))] == value
    assert "as the program cannot go on where it was" in project.run("swift-hyperband", "status")
    assert "again" in project.run("swift-hyperband", "plan")


def test_what_the_study_says_of_a_program_may_be_corrected_while_nothing_is_trained(project):
    (project.path / "program.py").write_text(PROGRAM.replace('"epoch"', '"step"'))
    names = ("config", "from", "to", "state_in", "state_out")
    words = [word for name in names for word in (f"--{name.replace('_', '-')}", f"{{{name}}}")]
    metrics = "{state_out}/metrics.jsonl"

    def study(epoch):
        project.study(
            target={
                "command": [sys.executable, "program.py", *words, "--metrics", metrics],
                "metrics": {"format": "jsonl", "path": metrics, "epoch": epoch},
                "metric": "loss",
                "mode": "min",
            },
            space={"rate": {"type": "float", "low": 0.01, "high": 1.0, "log": True}},
            search={"algorithm": "hyperband", "max_epochs": 3, "brackets": [1]},
            retries=0,
        )

    study("epoch")
    printed = project.run("swift-hyperband", "run", check=False)
    assert "must have the column epoch of epochs, found step, loss" in printed
    study("step")
    printed = project.run("swift-hyperband", "run")
    changed = 'target.metrics.epoch is "epoch" in the frozen study, "step" now'
    assert changed in printed
    assert "taken over, as nothing is trained yet" in printed
    assert project.best()
    study("epoch")
    printed = project.run("swift-hyperband", "run", check=False)
    assert 'keeps its definition, but target.metrics.epoch is "step" in the frozen study, "epoch" now' in printed


def test_curves_are_recorded_by_the_rule(project):
    project.study(search__max_epochs=3)
    project.run("snakemake", "record", "--config", "configurations=4", "--cores", "1")
    table = pyarrow.parquet.read_table(project.path / "results/table-curves/curves.parquet")
    assert table.num_rows == 4 * 3
    # and by a search of its own, with a job for each batch
    printed = project.run("swift-hyperband", "record", "--configurations", "6", "--cores", "1")
    assert "6 curves: results/table-curves/curves.parquet" in printed
    assert pyarrow.parquet.read_table(project.path / "results/table-curves/curves.parquet").num_rows == 6 * 3


def test_figure_4_is_part_of_the_workflow(project):
    (project.path / "config/figure4.yaml").write_text(
        "name: four\nstudy: config/config.yaml\nseeds: [1, 2]\nreported: loss\n"
    )
    printed = project.run("snakemake", "-n", "figure4")
    assert re.search(r"figure4_run +8\n", printed), printed
