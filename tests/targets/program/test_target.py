"""Programs as targets: the segment command, and the template around an existing program."""

import json
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import write_json
from swift_hyperband.study.files import check_own_files
from swift_hyperband.study.model import load, parse
from swift_hyperband.targets import COMMAND, load_class
from swift_hyperband.training import batch, kept_states, segment
from swift_hyperband.training.clock import Clock
from swift_hyperband.training.sealed import sealed_json
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import damages, read_rows, started, state_of

SEGMENT = """\
import argparse, json, os, pathlib, sys
p = argparse.ArgumentParser()
for name in ("config", "from", "to", "state-in", "state-out", "metrics", "seed"):
    p.add_argument("--" + name)
o = vars(p.parse_args())
assert os.environ["SWIFT_TO"] == o["to"]
rate = json.loads(pathlib.Path(o["config"]).read_text())["rate"]
loss = 1.0 if o["state_in"] == "-" else float(pathlib.Path(o["state_in"], "loss").read_text())
with open("starts", "a") as starts:
    print(o["from"], o["to"], file=starts)
with open(o["metrics"], "a") as metrics:
    for epoch in range(int(o["from"]) + 1, int(o["to"]) + 1):
        loss *= rate
        if epoch == int(os.environ.get("FAIL_AT", 0)):
            print("out of ideas", file=sys.stderr)
            sys.exit(int(os.environ["FAIL_WITH"]))
        known = epoch < int(os.environ.get("NAN_AT", 99))
        print(json.dumps({"epoch": epoch, "loss": loss if known else float("nan")}), file=metrics, flush=True)
pathlib.Path(o["state_out"], "loss").write_text(str(loss))
"""
EXISTING = """\
import sys
lr, epochs, state, out = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
begin, loss = (0, 1.0) if state == "none" else map(float, open(state + "/model").read().split())
with open(out + "/history.csv", "w") as history:
    print("epoch,val_loss,note", file=history)
    for epoch in range(int(begin), epochs):
        loss *= lr
        print(f"{epoch},{loss},fine", file=history)
        print(f"epoch {epoch + 1}: loss {loss}")
open(out + "/model", "w").write(f"{epochs} {loss}")
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # which other tests may have imported; a job that starts programs has none, and keeps its state as JSON
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    Path("segment.py").write_text(SEGMENT)
    Path("existing.py").write_text(EXISTING)
    return tmp_path


def settings(metric="loss", space=None, **target):
    given = {"command": [sys.executable, "segment.py"], **target}
    content = {
        "name": "program",
        "target": {**given, "metric": metric, "mode": "min"},
        "space": space or {"rate": {"type": "float", "low": 0.1, "high": 0.9}},
        "search": {"max_epochs": 9, "eta": 3},
    }
    return TrainingSettings.from_study_json(parse(content, "study.yaml").definition(), retries=1)


TEMPLATE = {
    "command": [sys.executable, "existing.py", "{rate}", "{to}", "{state_in}", "{state_out}"],
    "first_command": [sys.executable, "existing.py", "{rate}", "{to}", "none", "{state_out}"],
    "metrics": {"format": "csv", "path": "{state_out}/history.csv", "epoch": "epoch", "counts_from_zero": True},
}


def trial(name="a", rate=0.5):
    folder = Path("trials") / name
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", {"configuration": {"rate": rate}})
    return folder


def train(given, epochs, folder=None, clock=None):
    segment.train(folder or trial(), given, load_class(COMMAND), epochs, clock)


def losses(metric="loss"):
    return [row[metric] for row in read_rows(Path("trials/a"))]


def starts():
    return Path("starts").read_text().split("\n")[:-1]


# --- the segment command -----------------------------------------------------------------------------------------


def test_one_start_trains_as_far_as_wanted_and_the_next_goes_on_from_its_state():
    train(settings(), 3)
    train(settings(), 5)
    assert losses() == [0.5**epoch for epoch in range(1, 6)]
    assert starts() == ["0 3", "3 5"]
    assert started(Path("trials/a")).repeated == 0
    assert json.loads(Path("trials/a/state.json").read_text())["parts"]["target"]["state"] == "state.5"


def test_a_program_may_be_started_anew_for_every_few_epochs():
    train(settings(piece=2), 5)
    assert starts() == ["0 2", "2 4", "4 5"]
    assert losses() == [0.5**epoch for epoch in range(1, 6)]


@pytest.mark.parametrize("damage", ["flip", "file gone", "folder gone"])
def test_a_program_whose_state_is_damaged_is_started_anew_to_the_same_values(damage):
    train(settings(), 3)
    folder = Path("trials/a")
    if damage == "flip":
        (folder / "state.3" / "loss").write_text("0.135")
    elif damage == "file gone":
        (folder / "state.3" / "loss").unlink()
    else:
        shutil.rmtree(folder / "state.3")
    train(settings(), 5)
    assert losses() == [0.5**epoch for epoch in range(1, 6)]
    assert starts() == ["0 3", "0 5"]
    (line,) = damages(folder)
    assert line.startswith("state.json is damaged, as state.3")


def test_the_folder_of_the_start_that_trained_the_best_epoch_is_kept():
    given, folder = settings(metric_at="best", piece=2), trial(rate=1.5)
    train(given, 6, folder)
    assert losses() == [1.5**epoch for epoch in range(1, 7)], "the first is the best"
    assert sorted(path.name for path in folder.glob("state.*")) == [
        "state.2",
        "state.6",
        "state.best.json",
        "state.json",
    ]
    assert kept_states.model(folder, given.counted) == folder / "state.2"
    assert kept_states.unsound(folder, given.counted) is None
    (folder / "state.2/loss").write_text("0")
    assert kept_states.unsound(folder, given.counted) == (
        folder / "state.best.json",
        "state.2/loss is not what was saved",
    )
    train(given, 8, folder)
    assert starts() == ["0 2", "2 4", "4 6", "0 2", "2 4", "4 6", "6 8"], "it starts anew"
    assert kept_states.unsound(folder, given.counted) is None


def test_a_program_that_gets_better_and_better_keeps_one_folder():
    given, folder = settings(metric_at="best", piece=2), trial(rate=0.5)
    train(given, 4, folder)
    assert sorted(path.name for path in folder.glob("state.*")) == ["state.4", "state.best.json", "state.json"]
    assert kept_states.model(folder, given.counted) == folder / "state.4"


def test_what_a_start_measured_is_not_trained_again_after_a_kill(monkeypatch):
    given = settings()
    # as a kill after two of four epochs leaves it: the program's state is ahead of the curve
    train(given, 4)
    folder = Path("trials/a")
    content = json.loads((folder / "state.json").read_text())
    rows = {str(epoch): {"loss": 0.5**epoch} for epoch in (3, 4)}
    content["curve"] = content["curve"][:2]
    content["parts"]["target"] |= {"epoch": 2, "rows": rows}
    del content["sha256"]
    (folder / "state.json").write_text(sealed_json(content))
    (folder / "curve.jsonl").write_text("".join((folder / "curve.jsonl").read_text().splitlines(keepends=True)[:2]))
    train(given, 4)
    assert losses() == [0.5, 0.25, 0.125, 0.0625]
    assert starts() == ["0 4"]


def test_an_error_is_told_with_the_last_lines_and_counts_as_a_crash(monkeypatch, capfd):
    monkeypatch.setenv("FAIL_AT", "2")
    monkeypatch.setenv("FAIL_WITH", "3")
    found = batch.train_batch(Path(), settings(), [trial().name], 3)
    assert found["a"].status == "failed"
    assert "exit code 3 of " in capfd.readouterr().err
    assert "out of ideas" in json.loads(Path("trials/a/failures.json").read_text())["error"]


def test_exit_code_75_asks_for_another_start_and_counts_for_nothing(monkeypatch):
    monkeypatch.setenv("FAIL_AT", "2")
    monkeypatch.setenv("FAIL_WITH", "75")
    with pytest.raises(UserError, match="asks to be started again"):
        train(settings(), 3)
    assert not Path("trials/a/failures.json").exists()
    assert state_of(Path("trials/a"), "loss").status == "ok"


def test_a_value_that_is_not_finite_ends_the_trial(monkeypatch):
    monkeypatch.setenv("NAN_AT", "3")
    train(settings(), 5)
    assert state_of(Path("trials/a"), "loss").status == "diverged"
    assert len(losses()) == 3


def test_a_metric_and_epochs_that_are_missing_are_told():
    Path("segment.py").write_text("print('hello')\n")
    with pytest.raises(segment.CrashError):
        train(settings(), 2)
    error = json.loads(Path("trials/a/failures.json").read_text())["error"]
    assert re.search(r"metrics\.start-\w+\.jsonl must hold the program's metrics, found no such file", error)
    with pytest.raises(UserError, match=r"target\.command: must start, found No such file or directory: nothing"):
        train(settings(command="nothing at all"), 2)


def test_a_job_with_little_time_measures_an_epoch_first_and_then_starts_as_many_as_fit(monkeypatch):
    clock = Clock.of(1000.0)
    train(settings(), 4, clock=clock)
    assert starts() == ["0 1", "1 4"]


def test_the_program_ends_with_what_started_it():
    Path("segment.py").write_text("import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(100)\n")
    child = os.fork()
    if child == 0:
        train(settings(), 2)
        os._exit(0)
    while not (Path("pid").exists() and Path("pid").read_text()):
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    program = int(Path("pid").read_text())
    end = time.monotonic() + 10
    while Path(f"/proc/{program}/stat").exists() and time.monotonic() < end:
        if Path(f"/proc/{program}/stat").read_text().split()[2] in "ZX":
            break
        time.sleep(0.01)
    else:
        assert not Path(f"/proc/{program}").exists()


def test_a_program_that_trains_earlier_epochs_again_is_told_so():
    given = settings()
    train(given, 1)
    Path("segment.py").write_text(SEGMENT.replace('range(int(o["from"]) + 1', "range(1"))
    with pytest.raises(segment.CrashError):
        train(given, 3)
    error = json.loads(Path("trials/a/failures.json").read_text())["error"]
    assert error.startswith("the program must train from epoch 2 on, found epoch 1 in ")
    assert error.endswith("; does it read --from? else set target.resumable: false")
    # one that cannot go on is asked to train them again
    Path("trials/a/failures.json").unlink()
    train(settings(resumable=False), 3)
    assert len(losses()) == 3


OUTLIVES = """\
import os, subprocess, sys, time
if sys.argv[1] == "outlives":
    metrics, state = sys.argv[2:]
    while not os.path.exists("end"):
        print("epoch 1: loss 777", flush=True)
        with open(metrics, "a") as file:
            print('{"epoch": 1, "loss": 777}', file=file)
        if os.path.isdir(state):
            open(state + "/left", "w").close()
        time.sleep(0.01)
else:
    metrics, state = sys.argv[1:]
    if not os.path.exists("started"):
        open("started", "w").close()
        subprocess.Popen([sys.executable, __file__, "outlives", metrics, state], start_new_session=True)
        while not os.path.exists(state + "/left"):
            time.sleep(0.01)
        sys.exit(75)
    time.sleep(0.3)
    print("epoch 1: loss 0.5", flush=True)
    with open(metrics, "a") as file:
        print('{"epoch": 1, "loss": 0.5}', file=file)
    time.sleep(0.3)
"""


@pytest.mark.parametrize(
    "metrics",
    [
        {"format": "jsonl", "path": "{metrics}", "epoch": "epoch"},
        {"format": "regex", "pattern": r"^epoch (?P<epoch>\d+): loss (?P<loss>\S+)$"},
    ],
)
def test_what_a_killed_start_left_running_cannot_write_into_the_next_one(metrics):
    Path("outlives.py").write_text(OUTLIVES)
    given = settings(command=[sys.executable, "outlives.py", "{metrics}", "{state_out}"], metrics=metrics)
    try:
        with pytest.raises(UserError, match="asks to be started again"):
            train(given, 1)
        train(given, 1)
        assert losses() == [0.5]
        assert list(Path("trials/a/state.1").iterdir()) == []
    finally:
        Path("end").touch()


def test_what_killed_starts_left_behind_is_removed():
    folder = trial()
    (folder / ".state.3.0a1b2c3d.tmp").mkdir()
    (folder / ".state.3.0a1b2c3d.tmp/loss").write_text("1")
    (folder / "metrics.start-0a1b2c3d.jsonl").write_text("{}")
    train(settings(), 2)
    train(settings(), 3)
    assert not list(folder.glob(".state.*"))
    assert len(list(folder.glob("metrics.*"))) == 1


def program(name, text, mode=0o755):
    Path(name).write_bytes(text)
    Path(name).chmod(mode)
    return f"./{name}"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (
            lambda: "no-such-program",
            "no-such-program; the search path (PATH) has none",
        ),
        (lambda: "./no-such-program", "found No such file or directory: ./no-such-program; looked for in "),
        (lambda: program("mine", b"#!/bin/sh\n")[2:], "it lies in the working directory: write ./mine"),
        (
            lambda: program("mine", b"#!/bin/sh\n", 0o644),
            "no permission to execute mine: ./mine; 'chmod +x mine'",
        ),
        (
            lambda: program("mine", b"#!/no/python\n"),
            "no interpreter '/no/python': ./mine; correct the first line",
        ),
        (lambda: program("mine", b"#!/bin/sh\r\n:\r\n"), "lines end as on Windows (dos2unix mends it)"),
        (lambda: program("mine", b"echo hello\n"), "found that mine is no program: ./mine; a script must begin with a"),
        (lambda: str(Path.cwd()), "is a folder: "),
    ],
)
def test_a_program_that_cannot_be_started_is_told_with_its_reason_and_counts_for_nothing(command, error):
    with pytest.raises(UserError) as caught:
        train(settings(command=command()), 2)
    assert str(caught.value).startswith("target.command: must start, found ")
    assert error in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not Path("trials/a/failures.json").exists()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "def f():\n    raise RuntimeError('no\\nluck')\nf()\n",
            "exit code 1 of {}: segment.py:2 in f: RuntimeError",
        ),
        ("import ctypes\nctypes.string_at(0)\n", "segment.py:2 in <module>: ended by SIGSEGV of {}: "),
        ("print('no data'); raise SystemExit(3)", "exit code 3 of {}: no data"),
        ("import os; os.kill(os.getpid(), 9)", "ended by SIGKILL of {}: nothing"),
    ],
)
def test_a_crash_of_a_program_is_told_in_a_line_with_its_place_and_log(text, error, capfd):
    Path("segment.py").write_text(text)
    with pytest.raises(segment.CrashError):
        train(settings(), 2)
    told = json.loads(Path("trials/a/failures.json").read_text())["error"]
    assert told.startswith(error.format(f"{sys.executable} segment.py"))
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.endswith("; log: trials/a/logs/start-1.txt")


def test_what_a_program_prints_is_in_the_logs_of_its_starts():
    Path("segment.py").write_text(f"{SEGMENT}print('trained to', o['to'])\nprint('odd', file=sys.stderr)\n")
    train(settings(piece=2), 4)
    logs = [Path(f"trials/a/logs/start-{number}.txt").read_text().splitlines() for number in (1, 2)]
    assert logs[0][1:] == ["trained to 2", "odd"]
    assert logs[1][1:] == ["trained to 4", "odd"]
    assert "trial a, epochs 3 to 4, " in logs[1][0]
    assert not list(Path("trials/a").glob("said*"))


def test_metrics_are_found_in_all_that_a_program_prints_though_its_log_keeps_the_ends_alone():
    Path("flood.py").write_text(
        "for epoch in range(1, 4):\n    print('x' * 99 * 5000)\n    print(f'epoch {epoch}: loss {0.5**epoch}')\n"
        "    print('y\\n' * 250_000)\n"
    )
    metrics = {"format": "regex", "pattern": r"^epoch (?P<epoch>\d+): loss (?P<loss>\S+)$"}
    train(settings(command=[sys.executable, "flood.py", "{to}"], metrics=metrics), 3)
    assert losses() == [0.5, 0.25, 0.125]
    assert Path("trials/a/logs/start-1.txt").stat().st_size <= 512_000
    assert not list(Path("trials/a").glob("prints*"))


# --- the template ------------------------------------------------------------------------------------------------


def test_an_existing_program_goes_on_and_its_table_is_read():
    given = settings("val_loss", **TEMPLATE)
    train(given, 3)
    train(given, 5)
    assert losses("val_loss") == [0.5**epoch for epoch in range(1, 6)]


def test_a_program_that_cannot_go_on_begins_anew_and_its_epochs_are_counted():
    command = [sys.executable, "existing.py", "{rate}", "{to}", "none", "{state_out}"]
    given = settings("val_loss", command=command, metrics=TEMPLATE["metrics"], resumable=False)
    train(given, 3)
    train(given, 5)
    assert losses("val_loss") == [0.5**epoch for epoch in range(1, 6)]
    assert started(Path("trials/a")).repeated == 3
    assert not [path for path in Path("trials/a").glob("state.*") if path.is_dir()]


def test_a_program_is_told_how_far_the_whole_search_trains_and_not_only_this_round():
    command = [*TEMPLATE["first_command"][:2], "{rate}", "{to}", "none", "{state_out}", "--schedule={max_epochs}"]
    told = "print(sys.argv[5], __import__('os').environ['SWIFT_MAX_EPOCHS'], file=open('told', 'w'))"
    Path("existing.py").write_text(f"{EXISTING}{told}")
    train(settings("val_loss", **{**TEMPLATE, "command": command, "first_command": None}), 3)
    assert Path("told").read_text() == "--schedule=9 9\n"


def test_a_hyperparameter_may_be_called_as_the_number_of_epochs_is():
    command = [*TEMPLATE["first_command"], "{max_epochs}"]
    space = {"rate": {"type": "float", "low": 0.1, "high": 0.9}, "max_epochs": {"type": "int", "low": 20, "high": 30}}
    Path("existing.py").write_text(f"{EXISTING}print(sys.argv[5], file=open('told', 'w'))")
    given = settings("val_loss", space, **{**TEMPLATE, "first_command": command})
    folder = trial()
    write_json(folder / "config.json", {"configuration": {"rate": 0.5, "max_epochs": 25}})
    train(given, 3, folder)
    assert Path("told").read_text() == "25\n"


def test_metrics_are_found_in_what_the_program_prints():
    metrics = {"format": "regex", "pattern": r"^epoch (?P<epoch>\d+): loss (?P<val_loss>\S+)$"}
    train(settings("val_loss", **{**TEMPLATE, "metrics": metrics}), 3)
    assert losses("val_loss") == [0.5, 0.25, 0.125]


def test_metrics_are_found_in_a_file_that_is_named_by_a_hyperparameter():
    Path("existing.py").write_text(EXISTING.replace('"/history.csv"', 'f"/history-{sys.argv[1]}.csv"'))
    metrics = {**TEMPLATE["metrics"], "path": "{state_out}/history-{rate}.csv"}
    train(settings("val_loss", **{**TEMPLATE, "metrics": metrics}), 3)
    assert losses("val_loss") == [0.5, 0.25, 0.125]


# --- which metrics are of which start ----------------------------------------------------------------------------

LOGS = """\
import sys
begin, end, folder, out, mode = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
log = folder + "/log.csv"
rows = [f"{epoch},{1 / (epoch + 1)}\\n" for epoch in range(1, end + 1)]
if mode in ("appends", "appends anew"):
    anew = mode == "appends anew"
    with open(log, "a") as file:
        file.write("epoch,loss\\n")
        file.writelines(f"{epoch - begin * anew},{1 / (epoch + 1)}\\n" for epoch in range(begin + 1, end + 1))
if mode == "whole" or (mode == "forgets" and not begin):
    with open(log, "w") as file:
        file.writelines(["epoch,loss\\n", *rows])
if mode == "reports every second":
    with open(log, "a") as file:
        file.write("epoch,loss\\n")
        file.writelines(row for epoch, row in enumerate(rows, 1) if epoch > begin and epoch % 2 == 0)
print(begin, end, file=open("starts", "a"))
"""


def logging(mode, epoch, **more):
    Path("logs.py").write_text(LOGS)
    return settings(
        command=[sys.executable, "logs.py", "{from}", "{to}", "{folder}", "{state_out}", mode],
        metrics={"format": "csv", "path": "{folder}/log.csv", "epoch": epoch, **more},
    )


RIGHT = [1 / (epoch + 1) for epoch in range(1, 10)]


@pytest.mark.parametrize("epoch", ["epoch", None])
@pytest.mark.parametrize("mode", ["appends", "whole"])
def test_of_a_log_that_all_starts_write_each_takes_its_own_epochs(mode, epoch):
    given = logging(mode, epoch)
    for until in (1, 3, 9):
        train(given, until)
    assert losses() == RIGHT


@pytest.mark.parametrize("epoch", ["epoch", None])
def test_a_log_that_is_written_anew_from_the_first_epoch_may_begin_as_it_did(epoch):
    given = logging("whole", epoch)
    given.options["command"]["resumable"] = False
    for until in (1, 3, 9):
        train(given, until)
    assert losses() == RIGHT
    assert not Path("trials/a/failures.json").exists()


def test_a_log_that_was_copied_with_the_state_and_not_gone_on_with_is_refused():
    Path("logs.py").write_text(
        "import pathlib, shutil, sys\n"
        "state, out = sys.argv[1:]\n"
        "if state == '-':\n"
        "    pathlib.Path(out, 'log.csv').write_text('loss\\n0.5\\n0.4\\n')\n"
        "else:\n"
        "    shutil.copy(state + '/log.csv', out)\n"
    )
    command = [sys.executable, "logs.py", "{state_in}", "{state_out}"]
    given = settings(command=command, metrics={"format": "csv", "path": "{state_out}/log.csv"})
    train(given, 2)
    with pytest.raises(segment.CrashError):
        train(given, 4)
    error = json.loads(Path("trials/a/failures.json").read_text())["error"]
    assert (
        "log.csv must be written by each start of the program, found the same values as before; where that is right"
        in error
    )
    assert losses() == [0.5, 0.4]


def test_a_start_that_counts_its_epochs_anew_goes_on_where_the_one_before_ended():
    given = logging("appends anew", "epoch", counts_anew=True)
    train(given, 3)
    train(given, 5)
    assert losses() == RIGHT[:5]


@pytest.mark.parametrize("epoch", ["epoch", None])
def test_a_log_that_a_start_forgets_to_write_is_no_measurement(epoch):
    given = logging("forgets", epoch)
    train(given, 3)
    with pytest.raises(segment.CrashError):
        train(given, 5)
    error = json.loads(Path("trials/a/failures.json").read_text())["error"]
    assert "log.csv must be written by each start of the program, found that this one left the file as it was" in error
    assert losses() == RIGHT[:3]


def test_a_program_that_reports_every_second_epoch_is_told_its_own_epochs_and_the_search_counts_reports():
    given = logging("reports every second", "epoch", every=2)
    train(given, 2)
    train(given, 4)
    assert losses() == RIGHT[1:8:2]
    assert starts() == ["0 4", "4 8"]


def test_the_last_report_counts_on_over_starts():
    Path("logs.py").write_text(LOGS)
    given = logging("reports every second", "epoch", missing="last")
    # the first report is of the second epoch
    with pytest.raises(segment.CrashError):
        train(given, 1)
    Path("logs.py").write_text(LOGS.replace("epoch % 2 == 0", "epoch % 2 == 1"))
    for until in (1, 3, 4, 6):
        train(given, until)
    assert losses() == [RIGHT[place] for place in (0, 0, 2, 2, 4, 4)]


def test_what_a_library_wrote_is_found_below_the_state_by_its_name():
    Path("logs.py").write_text(
        "import pathlib, sys\n"
        "place = pathlib.Path(sys.argv[2], 'lightning_logs/version_0/metrics.csv')\n"
        "place.parent.mkdir(parents=True)\n"
        "rows = [f'{e},,0.{e}\\n{e},1,\\n' for e in range(int(sys.argv[1]))]\n"
        "place.write_text('epoch,train_loss,val_loss\\n' + ''.join(rows))\n"
    )
    command = [sys.executable, "logs.py", "{to}", "{state_out}"]
    train(settings("val_loss", command=command, metrics={"writer": "lightning"}), 3)
    assert losses("val_loss") == [0.0, 0.1, 0.2]


def test_null_in_the_metrics_of_a_segment_command_is_a_value_that_is_not_finite():
    Path("segment.py").write_text(SEGMENT.replace('loss if known else float("nan")', "loss if known else None"))
    os.environ["NAN_AT"] = "3"
    try:
        train(settings(), 5)
    finally:
        del os.environ["NAN_AT"]
    assert losses() == [0.5, 0.25, None]


# --- mistakes in the study file ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "needed"),
    [
        ({"command": None}, "target.name or command must be given, and one of them, found neither"),
        ({"name": "digits-cnn"}, "target.name or command must be given, and one of them, found both"),
        ({**TEMPLATE, "command": "x {rte}"}, "target.command must have names in braces that are rate, from, to, "),
        ({"command": "x {rate}"}, "names in braces that are left out, as there is no target.metrics, found {rate}"),
        (
            {"name": "digits-cnn", "command": None, "piece": 3},
            "target.piece is for a program, given by command, and name",
        ),
        (
            {**TEMPLATE, "space": {name: {"type": "int", "low": 1, "high": 9} for name in ("rate", "seed")}},
            "space.seed must have another name than what target.command has (from, to, state_in, ",
        ),
        ({**TEMPLATE, "metrics": {"format": "regex", "pattern": "("}}, "must be a regular expression, found: "),
        ({**TEMPLATE, "metrics": {"format": "regex"}}, "must have a named group for each metric, such as (?P<loss>"),
    ],
)
def test_a_mistake_is_told_with_its_key(target, needed):
    with pytest.raises(UserError) as caught:
        settings(**target)
    assert needed in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_where_nothing_is_filled_in_a_hyperparameter_may_have_any_name():
    space = {"seed": {"type": "int", "low": 1, "high": 9}}
    assert settings(space=space).target == COMMAND


def test_a_file_that_all_trials_would_write_to_side_by_side_is_refused_at_load():
    content = {
        "name": "shared",
        "target": {"command": "x {rate} {to}", "metrics": {"format": "csv", "path": "log-{to}.csv"}, "metric": "loss"},
        "space": {"rate": {"type": "float", "low": 0.1, "high": 0.9}},
        "search": {"max_epochs": 9},
    }
    content["target"]["mode"] = "min"
    Path("study.yaml").write_text(json.dumps(content))
    with pytest.raises(
        UserError, match=r"target\.metrics\.path must name a file of each trial's own, with {state_out}, "
    ):
        load(Path("study.yaml"))
    Path("study.yaml").write_text(json.dumps({**content, "resources": {"workers": 1}}))
    assert load(Path("study.yaml")).target.metrics.path == "log-{to}.csv"
    side_by_side = {**content, "resources": {"workers": 1, "side_by_side": 2}}
    Path("study.yaml").write_text(json.dumps(side_by_side))
    with pytest.raises(UserError, match="which several write to side by side"):
        load(Path("study.yaml"))
    content["target"]["metrics"]["path"] = "log-{rate}.csv"
    Path("study.yaml").write_text(json.dumps(content))
    assert load(Path("study.yaml")).resources.workers == 2


@pytest.mark.parametrize("path", ["log-{rate:.1f}.csv", "{kind}/log.csv", "{seed}/log-{to}.csv", "**/log.csv"])
def test_a_file_that_trials_with_the_same_value_would_write_to_is_refused(path):
    content = {
        "name": "shared",
        "target": {
            "command": "x {rate} {to}",
            "metrics": {"format": "csv", "path": path},
            "metric": "a",
            "mode": "min",
        },
        "space": {
            "rate": {"type": "float", "low": 0.1, "high": 0.9},
            "kind": {"type": "categorical", "choices": ["sgd", "adam"]},
        },
        "search": {"max_epochs": 9},
        "resources": {"workers": 1},
    }
    study = parse(content, "study.yaml")
    check_own_files(study, "study.yaml", 1)
    with pytest.raises(UserError, match=r"^study\.yaml: target\.metrics\.path must name a file of each trial's own"):
        check_own_files(study, "study.yaml", 2)
