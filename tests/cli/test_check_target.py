"""`swift-hyperband check-target` finds what would cost money: one mistake for each way to forget something."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from swift_hyperband.base.shipped import page
from swift_hyperband.cli import main
from swift_hyperband.search.plan import Plan
from swift_hyperband.study.model import load
from swift_hyperband.training.check import contract as checked

TORCH = """
import torch


class Mine:
    def setup(self, configuration, context):
        self.model = torch.nn.Linear(4, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=configuration["rate"] / 10, momentum=0.9)
        self.scheduler = torch.optim.lr_scheduler.MultiStepLR(self.optimizer, [5])
        self.x = torch.randn(64, 4)

    def train_epoch(self, epoch):
        for rows in torch.randperm(64).split(16):
            self.optimizer.zero_grad()
            (self.model(self.x[rows]) - self.x[rows].sum(1, keepdim=True)).square().mean().backward()
            self.optimizer.step()
        self.scheduler.step()

    def validate(self):
        return {"loss": (self.model(self.x) - self.x.sum(1, keepdim=True)).square().mean().item()}
"""
FORGETS = """
    def state_dict(self):
        return {name: getattr(self, name).state_dict() for name in KEPT}

    def load_state_dict(self, state):
        for name in KEPT:
            getattr(self, name).load_state_dict(state[name])
"""
PLAIN = """
import math
import random


class Mine:
    def setup(self, configuration, context):
        self.loss = 1.0
        self.own = random.Random(1)

    def train_epoch(self, epoch):
        self.loss *= random.uniform(0.5, 1.0)

    def validate(self):
        return {"loss": self.loss}

    def state_dict(self):
        return {"loss": self.loss}

    def load_state_dict(self, state):
        self.loss = state["loss"]
"""
PROGRAM = """
import json, sys, time
from pathlib import Path
o = dict(zip(sys.argv[1::2], sys.argv[2::2]))
begin, end = int(o["--from"]), int(o["--to"])
loss = 1.0 if o["--state-in"] == "-" or IGNORES else float(Path(o["--state-in"], "loss").read_text())
with open(o["--metrics"], "w") as file:
    for epoch in range(begin + 1, end + 1):
        loss *= 0.5
        print(json.dumps({"epoch": epoch, "loss": loss, "clock": time.time()}), file=file)
Path(o["--state-out"], "loss").write_text(str(loss))
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def check(capsys, code=None, *arguments, metric="loss", **target):
    """Check a target; return what was printed, and the exit code."""
    if code is not None:
        Path("mine.py").write_text(code)
        target["name"] = "mine.py:Mine"
    study = {
        "name": "mine",
        "target": {**target, "metric": metric, "mode": "min"},
        "space": {"rate": {"type": "float", "low": 0.1, "high": 0.9}},
        "search": {"max_epochs": 9, "eta": 3},
        "swift": {"d": 3, "thaw": 0.0},
        "predictor": {"fewest_curves": 3},
    }
    Path("study.yaml").write_text(yaml.safe_dump(study))
    found = main(["check-target", "study.yaml", *arguments])
    return capsys.readouterr().out, found


def test_a_good_target_passes_and_its_study_has_a_price(capsys):
    printed, code = check(capsys, TORCH)
    assert code == 0, printed
    assert "loss is 0." in printed
    assert "2 epochs come out as 1 + 1 in new processes, bit for bit" in printed
    assert "on the CPU" in printed
    assert "the study: " in printed
    assert not Path("results").exists()


def test_a_forgotten_optimiser_is_found(capsys, checks_fork):
    printed, code = check(capsys, f'KEPT = ("model", "scheduler")\n{TORCH}{FORGETS}')
    assert code == 1
    assert "FAIL" in printed
    assert "2 epochs must come out as 1 + 1 in new processes, found that loss is " in printed
    assert "self.optimizer is another" in printed


def test_a_forgotten_scheduler_is_found_before_it_shows_in_the_metric(capsys, checks_fork):
    printed, code = check(capsys, f'KEPT = ("model", "optimizer")\n{TORCH}{FORGETS}')
    assert code == 1
    assert "everything with a state must be restored, found that self.scheduler is another" in printed
    assert "by luck" in printed


def test_a_random_generator_that_lives_over_epochs_is_found(capsys):
    printed, code = check(capsys, PLAIN.replace("random.uniform(", "self.own.uniform("))
    assert code == 1
    assert "self.own, a random generator, is another" in printed
    assert "draw from the global generators" in printed


def test_a_generator_that_changes_nothing_is_no_mistake(capsys):
    assert check(capsys, PLAIN)[1] == 0


def test_a_metric_that_is_not_there_is_told(capsys):
    printed, code = check(capsys, PLAIN, metric="accuracy")
    assert code == 1
    error = "target Mine: validate() must return the metric 'accuracy', found 'loss'"
    assert [line for line in printed.splitlines() if line][2:] == [
        f"FAIL     training  must get through 1 epoch, found: {error}",
        f"the target does not keep its contract; {page('targets-your-own.md')} tells what it is",
    ]


def test_a_metric_that_is_no_number_from_the_start_is_told(capsys):
    printed, code = check(
        capsys, PLAIN.replace('{"loss": self.loss}\n\n    def state', '{"loss": math.nan}\n\n    def state')
    )
    assert code == 1
    assert "loss must be finite after the first epoch, found that it is not" in printed


def test_a_target_that_ignores_from_where_it_goes_on_is_found(capsys):
    Path("program.py").write_text(f"IGNORES = True\n{PROGRAM}")
    printed, code = check(capsys, command=[sys.executable, "program.py"])
    assert code == 1
    assert "the second epoch came out as the first: is the state read again (--state-in, --from)?" in printed
    Path("program.py").write_text(f"IGNORES = False\n{PROGRAM}")
    assert check(capsys, command=[sys.executable, "program.py"])[1] == 0
    # one that cannot go on has nothing to read
    Path("program.py").write_text(f"IGNORES = True\n{PROGRAM}")
    printed, code = check(capsys, command=[sys.executable, "program.py"], resumable=False)
    assert code == 0
    assert "trained again" in printed


def test_a_program_that_trains_every_epoch_from_the_first_is_found(capsys):
    program = PROGRAM.replace('int(o["--from"])', "0")
    Path("program.py").write_text(f"IGNORES = True\n{program}")
    printed, code = check(capsys, command=[sys.executable, "program.py"])
    assert code == 1
    assert "the program must train from epoch 2 on, found epoch 1 in " in printed
    assert "does it read --from? else set target.resumable: false" in printed
    assert check(capsys, command=[sys.executable, "program.py"], resumable=False)[1] == 0


def test_a_target_is_imported_with_the_threads_and_the_settings_that_a_job_has(capsys, monkeypatch):
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CUBLAS_WORKSPACE_CONFIG")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    looks = f"import os\nfound = [os.environ.get(name) for name in {names}]\n"
    looks += 'assert found == ["3"] * 3 + [":4096:8"], found\n'
    printed, code = check(capsys, looks + PLAIN, threads=3)
    assert code == 0, printed


def test_of_a_device_nothing_is_said_where_it_is_not_known(capsys):
    printed, code = check(capsys, PLAIN)
    assert code == 0
    assert re.search(r"a job takes [\d.]+ s until its first epoch\n", printed)
    Path("program.py").write_text(f"IGNORES = False\n{PROGRAM}")
    printed, code = check(capsys, command=[sys.executable, "program.py"])
    assert code == 0
    assert re.search(r"a job takes [\d.]+ s until it starts the program\n", printed)
    assert "CPU" not in printed


@pytest.mark.parametrize("resumable", [True, False])
def test_what_a_program_takes_to_start_does_not_count_for_every_epoch(capsys, resumable):
    Path("program.py").write_text(f"import time\ntime.sleep(1.5)\nIGNORES = False\n{PROGRAM}")
    printed, code = check(capsys, command=[sys.executable, "program.py"], resumable=resumable)
    assert code == 0
    epoch, start = map(
        float, re.search(r"takes ([\d.e-]+) s, and a start of the program ([\d.e-]+) s", printed).groups()
    )
    # were the start not counted by itself, it would be half of it with two epochs
    assert 0 < epoch < start / 2
    assert start > 1


def test_with_one_epoch_a_start_an_epoch_takes_all_of_it(capsys):
    Path("program.py").write_text(f"import time\ntime.sleep(0.5)\nIGNORES = False\n{PROGRAM}")
    printed, code = check(capsys, command=[sys.executable, "program.py"], piece=1)
    assert code == 0
    assert float(re.search(r"epoch +takes ([\d.e-]+) s\n", printed)[1]) > 0.5


def test_the_price_has_every_start_of_a_program_in_it(capsys, monkeypatch):
    def price(measured, **target):
        monkeypatch.setattr(checked, "check", lambda *_: measured)
        printed, code = check(capsys, **target)
        assert code == 0
        return re.search(r"(\d+) to (\d+) epochs.*, (\S+ \S+?) to (\S+ \S+?) of training", printed).groups()

    program = {"command": "program"}
    least, most, *_ = price(checked.Measured(0.0, 1.0), **program)
    # with one epoch a start the program starts as often as there are epochs
    assert price(checked.Measured(0.0, 1e-9, 60.0), **program, piece=1) == (least, most, f"{least} min", f"{most} min")
    # else once for each training of a trial, of which a job has several
    _, _, cheapest, dearest = price(checked.Measured(0.0, 1e-9, 60.0), **program)
    plan = Plan(load(Path("study.yaml")).schedule(), "auto", workers=2)
    jobs, starts = plan.trainings("worst")
    assert dearest == f"{starts} min"
    assert cheapest == f"{plan.trainings('best')[1]} min"
    assert jobs < starts < int(most)


def test_a_class_whose_state_is_never_read_is_found(capsys):
    printed, code = check(
        capsys, PLAIN.replace('self.loss = state["loss"]', "pass").replace("random.uniform(0.5, 1.0)", "0.5")
    )
    assert code == 1
    assert "the second epoch came out as the first: is the state read again?" in printed
    assert "--tolerance" not in printed


def test_a_crash_is_told_with_its_error(capsys):
    printed, code = check(capsys, PLAIN.replace("self.loss *=", "self.los *="))
    assert code == 1
    assert "must get through 1 epoch, found: mine.py:12 in train_epoch: AttributeError: 'Mine' object has no" in printed
    traceback = printed.partition("Traceback (most recent call last):\n")[2].splitlines()
    assert traceback[0] == f'  File "{Path("mine.py").resolve()}", line 12, in train_epoch'
    assert "AttributeError: 'Mine' object has no attribute 'los'" in traceback


def test_a_crash_in_a_library_in_c_names_the_line_that_called_it(capsys):
    printed, code = check(capsys, PLAIN.replace("self.loss *=", "__import__('ctypes').string_at(0) *") + "\n")
    assert code == 1
    assert "found: mine.py:12 in train_epoch: its process was ended by SIGSEGV" in printed


SEEDED = """
import json, random, sys
from pathlib import Path
o = dict(zip(sys.argv[1::2], sys.argv[2::2]))
begin, end = int(o["--from"]), int(o["--to"])
loss = 1.0 if o["--state-in"] == "-" else float(Path(o["--state-in"], "loss").read_text())
random.seed(42)
with open(o["--metrics"], "w") as file:
    for epoch in range(begin + 1, end + 1):
        loss *= random.uniform(0.5, 0.6)
        print(json.dumps({"epoch": epoch, "loss": loss}), file=file)
Path(o["--state-out"], "loss").write_text(str(loss))
"""


def test_of_a_program_that_seeds_itself_it_is_said_what_that_means_and_how_it_passes(capsys):
    Path("program.py").write_text(SEEDED)
    printed, code = check(capsys, command=[sys.executable, "program.py"])
    assert code == 1
    assert "a program that seeds itself where it begins must seed each epoch (seed + epoch)" in printed
    assert (
        "the search runs all the same, but a trial's curve then depends on where its rounds, and kills, cut" in printed
    )
    tolerance = re.search(r"--tolerance ([\d.e-]+) lets it pass", printed)[1]
    assert 0 < float(tolerance) < 0.2
    printed, code = check(capsys, None, "--tolerance", tolerance, command=[sys.executable, "program.py"])
    assert code == 0, printed
    assert f"within {tolerance}" in printed
    # seeded by the epoch, it needs none
    Path("program.py").write_text(SEEDED.replace("loss *=", "random.seed(epoch); loss *="))
    assert check(capsys, command=[sys.executable, "program.py"])[1] == 0


def test_a_schedule_over_this_rounds_epochs_is_found_and_one_over_the_whole_search_passes(capsys):
    cosine = PLAIN.replace(
        "self.loss *= random.uniform(0.5, 1.0)", "self.loss *= 1 - 0.1 * math.cos(epoch / self.context.until)"
    ).replace("self.loss = 1.0\n", "self.loss = 1.0\n        self.context = context\n")
    printed, code = check(capsys, cosine)
    assert code == 1
    assert "spread schedules over context.max_epochs, not context.until" in printed
    assert check(capsys, cosine.replace(".until", ".max_epochs"))[1] == 0


def test_what_cannot_be_exact_may_differ_by_a_tolerance(capsys):
    noisy = PLAIN.replace(
        'return {"loss": self.loss}', 'import os\n        return {"loss": self.loss + 1e-9 * (os.getpid() % 1000)}'
    )
    assert check(capsys, noisy)[1] == 1
    printed, code = check(capsys, None, "--tolerance", "1e-3", name="mine.py:Mine")
    assert code == 0, printed
    assert "within 0.001" in printed
