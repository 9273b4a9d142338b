"""What a trial prints lies in its folder, a log for each start."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.processes import log

if TYPE_CHECKING:
    import pytest
    from conftest import Study

HERE = Path(__file__).parent


def logged(study: Study, start: int = 1, trial: str = "a") -> str:
    return (study.trial(trial) / f"logs/start-{start}.txt").read_text()


def test_everything_that_a_start_prints_is_in_its_log_and_nothing_of_it_elsewhere(
    study: Study,
) -> None:
    study = study.of("Printing", "log_targets.py")
    study.add("a")
    printed = ""
    for epochs in (1, 3):
        out, err = study.start(["a"], epochs).communicate(timeout=60)
        printed += out + err
    first, second = logged(study), logged(study, 2)
    ways = ("print", "stderr", "a warning", "a descriptor", "a program", "a library in C")
    for way in ways:
        assert f"by {way}\n" in first
    assert "log_targets.py:" in first, "the warning names its place"
    assert first.startswith("# ")
    assert "trial a, epochs 1 to 1; process " in first
    assert "epoch 1 by print" in first
    assert "epoch 2 by print" not in first
    assert "trial a, epochs 2 to 3; process " in second
    assert second.count(" by print") == 2
    assert printed
    assert "by " not in printed


def test_a_flood_of_prints_keeps_its_beginning_and_its_end(study: Study) -> None:
    study = study.of("Flooding", "log_targets.py")
    study.add("a")
    found = study.train_here("a", 2)
    assert len(found.values) == 2
    text = logged(study)
    assert len(text) <= log.LIMIT
    lines = text.splitlines()
    assert lines[1:3] == ["the first line", "line 0 of two hundred thousand that nobody wants to read"]
    assert lines[-2:] == ["line 199999 of two hundred thousand that nobody wants to read", "the last line"]
    assert text.count("bytes are left out here") == 1
    assert all(line.startswith(("line ", "the ", "# ", "[")) for line in lines if line), "no line is torn"


def test_a_progress_bar_is_a_line(study: Study) -> None:
    study = study.of("Barred", "log_targets.py")
    study.add("a")
    study.train_here("a", 1)
    lines = logged(study).splitlines()
    assert lines[-3:] == ["100%|" + "#" * 100, "and a line that ends as on Windows", "after it"]
    assert len(lines) <= 5


def test_a_log_can_be_followed_while_the_trial_trains(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = study.of("Waiting", "log_targets.py")
    study.add("a")
    process = study.start(["a"], 1)
    try:
        path = study.trial("a") / "logs/start-1.txt"
        while process.poll() is None and not (path.exists() and path.read_text().endswith("waits\n")):
            time.sleep(0.01)
        assert process.poll() is None
    finally:
        Path("go").touch()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_of_a_killed_start_what_it_printed_is_there(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = study.of("Waiting", "log_targets.py")
    study.add("a")
    process = study.start(["a"], 1)
    study.wait_for_epoch("a", 1)
    while "waits" not in logged(study):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    Path("go").touch()
    assert study.train_here("a", 1).status == "ok"
    assert logged(study).endswith("waits\n")
    assert logged(study, 2).endswith("waits\n")


def test_what_a_trial_leaves_running_holds_nobody_up(study: Study) -> None:
    study = study.of("LeavingBehind", "log_targets.py")
    study.add("a")
    assert study.train_here("a", 1).status == "ok"
    os.kill(int((study.trial("a") / "left").read_text()), signal.SIGKILL)


def test_the_logs_of_the_last_starts_are_kept(study: Study) -> None:
    folder = study.add("a")
    for epochs in range(1, log.KEPT + 3):
        study.train_here("a", epochs)
    numbers = sorted(int(path.stem.removeprefix("start-")) for path in (folder / "logs").iterdir())
    assert numbers == list(range(3, log.KEPT + 3))
    assert log.last(folder) == folder / f"logs/start-{log.KEPT + 2}.txt"


def test_a_crash_names_the_place_in_the_users_own_file_and_the_log(
    study: Study, capfd: pytest.CaptureFixture[str]
) -> None:
    study = study.of("FailingInLibrary", "log_targets.py").with_(retries=1)
    study.add("a")
    assert study.train_here("a", 1).status == "failed"
    lines = (HERE / "log_targets.py").read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "json.loads(" in line)
    place = f"tests/training/log_targets.py:{number}"
    error = f"{place} in helper: JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2"
    record = study.failures("a")
    assert record["error"].startswith(error)
    assert record["log"] == "logs/start-2.txt"
    assert "Traceback (most recent call last):" in record["traceback"]
    printed = capfd.readouterr().err.splitlines()
    assert len(printed) == 2
    assert printed[1].startswith(f"swift-hyperband: trial a: crash 2 after epoch 0, it counts as failed: {error}")
    assert printed[1].endswith(f"; log: {study.trial('a')}/logs/start-2.txt")
    assert "Traceback (most recent call last):" in logged(study)
    assert "json/decoder.py" in logged(study)


def test_a_crash_of_what_has_closed_its_streams_is_told_and_logged(study: Study) -> None:
    study = study.of("Closing", "log_targets.py").with_(retries=0)
    study.add("a")
    assert study.train_here("a", 1).status == "failed"
    assert study.failures("a")["error"].endswith("in train_epoch: ValueError: after closing")
    assert logged(study).splitlines()[-1] == "ValueError: after closing"
    assert "segment.py" not in logged(study)
