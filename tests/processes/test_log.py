"""The log of a start: bounded, whole when it is closed, and the last ones only."""

import logging
import os

import pytest

from swift_hyperband.processes import log


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Wait for all of a log, however slow the machine is."""
    monkeypatch.setattr(log, "DRAINED", 60.0)


def written(folder, *chunks, copy=None):
    started = log.start(folder, "a start", copy)
    for chunk in chunks:
        os.write(started.descriptor, chunk)
    started.close()
    return log.text(started.path)


def test_a_log_begins_with_what_was_started_and_holds_what_was_printed(tmp_path):
    assert written(tmp_path, b"one\n", b"tw", b"o\n") == "one\ntwo\n"
    first = (tmp_path / "logs/start-1.txt").read_text().splitlines()[0]
    assert f": a start; process {os.getpid()} on host {os.uname().nodename}" in first


def test_each_start_has_a_log_of_its_own_and_the_last_ones_are_kept(tmp_path):
    assert log.last(tmp_path) is None
    for _ in range(log.KEPT + 2):
        written(tmp_path, b"x\n")
    names = {path.name for path in (tmp_path / "logs").iterdir()}
    assert names == {f"start-{number}.txt" for number in range(3, log.KEPT + 3)}
    assert log.last(tmp_path) == tmp_path / f"logs/start-{log.KEPT + 2}.txt"


def test_a_log_that_grows_too_long_keeps_its_beginning_and_its_end(tmp_path):
    line = b"%06d of many lines of this length\n"
    text = written(
        tmp_path, *(b"".join(line % number for number in range(at, at + 1000)) for at in range(0, 40000, 1000))
    )
    assert len(text) < log.LIMIT
    assert text.startswith("000000 of")
    assert text.endswith("039999 of many lines of this length\n")
    assert text.count("bytes are left out here") == 1


def test_a_copy_holds_all_that_a_log_leaves_out(tmp_path):
    copy = tmp_path / "prints.txt"
    data = b"0123456789abcde\n" * 50_000
    assert len(written(tmp_path, data, copy=copy)) < len(data)
    assert copy.read_bytes() == data


@pytest.mark.parametrize(
    ("chunks", "text"),
    [
        ([b" 1 %\r 2 %\r 3 %\n", b"done\n"], " 3 %\ndone\n"),
        ([b"lines of Windows\r\n"], "lines of Windows\n"),
    ],
)
def test_of_a_line_that_is_printed_over_itself_the_last_state_counts(tmp_path, chunks, text):
    assert written(tmp_path, *chunks) == text


def test_what_a_process_prints_while_it_is_captured_is_in_its_log(tmp_path, capfd):
    with log.captured(tmp_path, "a start") as started:
        print("by print")
        os.system("echo by a program")
        logging.getLogger("swift_hyperband").info("to whoever started it")
        started.write("by itself\n")
    print("afterwards")
    assert sorted(log.text(started.path).splitlines()) == ["by a program", "by itself", "by print"]
    out, err = capfd.readouterr()
    assert (out, err) == ("afterwards\n", "swift-hyperband: to whoever started it\n")
