"""The workflow with real torch training, and with targets that crash."""

import json
import signal

import pytest
import yaml
from workflow_project import wait_for

CRASHING = """
import os


class Net:
    def setup(self, configuration, context):
        self.x = configuration["x"]

    def train_epoch(self, epoch):
        if self.x < 0.2:
            raise ValueError("this configuration cannot be trained")
        if self.x < 0.4:
            os.abort()

    def validate(self):
        return {"loss": self.x}

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass
"""


def use_target(project, text, high):
    (project.path / "net.py").write_text(text)
    target = {"name": "net.py:Net", "metric": "loss", "mode": "min"}
    project.study(target=target, space={"x": {"type": "float", "low": 0.0, "high": high}})


def test_a_search_on_real_training_ends_with_a_state_and_a_report(project):
    project.study(
        target={"name": "digits-cnn", "metric": "accuracy", "mode": "max", "options": {"train_size": 64}},
        space={"learning_rate": {"type": "float", "low": 0.01, "high": 0.3, "log": True}},
        search__max_epochs=4,
        search__eta=2,
        predictor__name="svr",
    )
    printed = project.run("swift-hyperband", "run", "--cores", "2")
    best = yaml.safe_load(project.best())
    assert best["trial"] in printed
    assert (project.path / best["state"]).exists()
    assert best["value"] > 0.3, "chance is 0.1"
    assert {path.name for path in (project.results / "report").iterdir()} == {
        "brackets.png",
        "learning_curves.png",
        "predictions.png",
        "epochs.png",
        "jobs.png",
        "index.html",
        "summary.rst",
    }
    project.run("snakemake", "--report", "report.html")
    report = (project.path / "report.html").read_text()
    assert 100_000 < len(report) < 8e6
    assert "Swift-Hyperband found accuracy" in report


def test_crashing_trials_count_as_worst_and_do_not_stop_the_search(project):
    use_target(project, CRASHING, high=1.0)
    project.search()
    assert yaml.safe_load(project.best())["value"] >= 0.4
    failures = [json.loads(path.read_text()) for path in project.results.glob("trials/*/failures.json")]
    assert {failure["starts"] for failure in failures} == {3}
    assert any("cannot be trained" in failure["error"] for failure in failures)
    assert any("SIGABRT" in failure["error"] for failure in failures)


BROKEN = """
from pathlib import Path


class Net:
    def setup(self, configuration, context):
        self.x, self.epoch = configuration["x"], 0

    def train_epoch(self, epoch):
        if not Path("mended").exists():
            raise RuntimeError("there is no such layer")
        self.epoch = epoch

    def validate(self):
        return {"loss": self.x / self.epoch}

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]
"""


def test_where_every_trial_crashes_alike_nothing_is_tried_again_until_it_is_mended(project):
    use_target(project, BROKEN, high=1.0)
    # a round of few trials may be over before five have crashed
    project.study(**yaml.safe_load((project.path / "config/config.yaml").read_text()), batch_size=2)
    for command in (["swift-hyperband", "run"], ["snakemake"]):
        printed = project.run(*command, "--cores", "2", "--retries", "3", check=False)
        error = "in train_epoch: RuntimeError: there is no such layer; log: results/table/trials/"
        told = [line for line in printed.splitlines() if line.startswith("swift-hyperband: results/") and error in line]
        assert len(told) == 1, printed
        assert "Traceback" not in printed
        records = [json.loads(path.read_text()) for path in project.results.glob("trials/*/failures.json")]
        assert 5 <= len(records) <= 8
        assert sum(record["starts"] for record in records) < 3 * len(records)
    (project.path / "mended").touch()
    project.run("snakemake", "--cores", "2")
    found = yaml.safe_load(project.best())
    assert found["value"] == pytest.approx(found["configuration"]["x"] / 9)
    assert not list(project.results.glob("trials/*/failures.json"))


def test_a_search_whose_code_was_edited_half_way_does_not_go_on_without_a_word(project):
    (project.path / "mended").touch()
    use_target(project, BROKEN, high=1.0)
    project.study(**yaml.safe_load((project.path / "config/config.yaml").read_text()), search__max_epochs=3)
    # a first start that was stopped after some epochs
    process = project.start("swift-hyperband", "search", "config/config.yaml")
    wait_for(project.trains, process)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=240)
    assert not (project.results / "best.yaml").exists()
    (project.path / "net.py").write_text(BROKEN.replace("self.x / self.epoch", "2 * self.x / self.epoch"))
    for command in (["snakemake"], ["swift-hyperband", "run"]):
        printed = project.run(*command, "--cores", "2", check=False)
        told = [line for line in printed.splitlines() if "the model's code changed since trials were trained" in line]
        assert len(told) == 1, printed
        assert "net.py was edited" in told[0]
        assert "--allow-changed-code" in told[0]
        assert "Traceback" not in printed
    project.run("swift-hyperband", "run", "--cores", "2", "--allow-changed-code")
    assert (project.results / "best.yaml").exists()
    # to look at what is finished nobody is asked
    (project.path / "net.py").write_text(BROKEN)
    project.run("snakemake", "--cores", "2")


def test_a_search_in_which_every_trial_fails_says_so_in_one_line(project):
    use_target(project, CRASHING, high=0.19)
    project.study(**yaml.safe_load((project.path / "config/config.yaml").read_text()), give_up_after=0)
    project.search(check=False)
    log = (project.results / "logs/best.log").read_text()
    assert log.startswith("error: results/table: every trial failed")
    assert "cannot be trained" in log
    assert "Traceback" not in log


def test_a_target_that_cannot_be_imported_is_one_line_and_costs_nothing(project):
    use_target(project, CRASHING.replace("import os\n", "import os, nonsense\n"), high=1.0)
    project.search(check=False)
    logs = [path.read_text() for path in project.results.glob("bracket=*/round=*/logs/*.log")]
    assert any("nonsense" in log for log in logs)
    assert not any("Traceback" in log for log in logs)
    assert not list(project.results.glob("trials/*/failures.json"))
    use_target(project, CRASHING, high=1.0)
    project.search()
