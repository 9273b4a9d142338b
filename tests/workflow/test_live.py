"""What a user sees of a search that runs: how far it has come, in a line, and Snakemake's own words in a file."""

import os
import pty
import re
import signal
import subprocess
import threading

import pytest
from workflow_project import wait_for

from swift_hyperband.cli.live import _fitting

SLOW = {
    "search__brackets": [0],
    "target__options": {"table": "table.csv", "seconds": 0.5},
}
LINE = r"table: (\d+) of at most (\d+) epochs(; best loss [\d.]+)?(; bracket \d round \d.*)?(; \d+ jobs? running)?"


def besides(printed):
    """Return what is printed besides how far the search has come."""
    return [line for line in printed.splitlines() if not re.fullmatch(f"swift-hyperband: {LINE}", line)]


def log(project):
    (found,) = project.path.glob("logs/table-*.log")
    return found


def test_a_log_file_gets_a_line_now_and_then_and_snakemakes_words_go_to_another(project):
    project.study(**SLOW)
    printed = project.search().splitlines()
    result = printed.index("study: table")
    lines = [line for line in printed[:result] if line]
    assert lines, "a search of some seconds says something"
    found = [re.fullmatch(f"swift-hyperband: {LINE}", line) for line in lines]
    assert all(found), lines
    assert any(match[3] for match in found), lines
    assert printed[-1] == f"log of Snakemake: {log(project).relative_to(project.path)}"
    assert "Finished jobid" in log(project).read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_search_that_is_stopped_says_so_in_two_lines(project, number):
    project.study(**SLOW)
    process = project.start("swift-hyperband", "run", "--cores", "2", "best")
    wait_for(project.trains, process)
    process.send_signal(number)
    assert process.wait(timeout=240) == 128 + number
    said = besides(project.printed())
    # a busy machine may need a reminder
    assert [line for line in said if "it still runs and is sent" not in line] == [
        "swift-hyperband: is being stopped: jobs end",
        "swift-hyperband: stopped; the same command goes on",
    ]


def test_a_search_in_one_process_that_is_stopped_says_so(project):
    project.study(**SLOW)
    process = project.start("swift-hyperband", "search", "--workers", "1")
    wait_for(project.trains, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=240) == 128 + signal.SIGINT
    assert besides(project.printed()) == ["swift-hyperband: stopped; the same command goes on"]


def test_a_line_that_is_too_long_loses_whole_parts():
    line = "[##---] slow: 36 of at most 69 epochs; best loss 0.307828; bracket 2 round 0, bracket 1 round 0"
    assert _fitting(line, 200) == line
    assert _fitting(line, 80) == "[##---] slow: 36 of at most 69 epochs; best loss 0.307828"
    assert _fitting(line, 57) == "[##---] slow: 36 of at most 69 epochs; best loss 0.307828"
    assert _fitting(line, 56) == "[##---] slow: 36 of at most 69 epochs"
    assert _fitting(line, 10) == "[##---] sl"


def test_an_error_of_a_job_is_told_in_a_line_with_its_log(project):
    (project.path / "broken.py").write_text("import missing_module\n\n\nclass Net:\n    pass\n")
    project.study(target={"name": "broken.py:Net", "metric": "loss", "mode": "min"})
    first, *lines = besides(project.search(check=False))
    where = log(project).relative_to(project.path)
    assert first == f"swift-hyperband: Snakemake ended with an error; its log is {where}"
    assert lines
    assert len(lines) <= 6
    assert all(line.startswith(("  error: ", "  and ")) for line in lines), lines
    assert re.search(
        r"No module named 'missing_module'.* \(results/table/bracket=\d/round=0/logs/\w+-\w+\.log\)", lines[0]
    )


def test_an_error_of_snakemakes_own_is_told(project):
    first, *lines = besides(project.run("swift-hyperband", "run", "-c", "1", "no-such-file", check=False))
    assert "Snakemake ended with an error" in first
    assert any("No rule to produce no-such-file" in line for line in lines), lines
    assert len(lines) <= 5


def on_terminal(project, *command):
    """Run a command on a terminal; return its exit code and all that is seen there."""
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        project.command(*command), cwd=project.path, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    seen = b""
    killer = threading.Timer(300, process.kill)
    killer.start()
    while True:
        try:
            seen += os.read(terminal, 1000)
        except OSError:
            break
    os.close(terminal)
    killer.cancel()
    return process.wait(timeout=240), seen.decode()


@pytest.mark.parametrize(
    "command", [("run", "--cores", "2", "best"), ("search", "--workers", "1"), ("record", "--configurations", "4")]
)
def test_on_a_terminal_one_line_is_shown_again_and_again(project, command):
    project.study(**SLOW)
    code, seen = on_terminal(project, "swift-hyperband", *command)
    assert code == 0, seen
    shown = re.findall(r"\r\x1b\[K(\[#*-*\] table\S*: \d+ of at most \d+ epochs[^\r\n]*)", seen)
    assert len(set(shown)) > 1, seen
    assert max(map(len, shown)) < 80
    assert seen.isascii()


@pytest.mark.parametrize("command", [("search",), ("record", "--configurations", "3")])
def test_search_and_record_say_how_far_they_are_in_a_log_file(project, command):
    project.study(**SLOW)
    printed = project.run("swift-hyperband", *command, "--workers", "1")
    assert re.search(r"^swift-hyperband: table\S*: \d+ of at most \d+ epochs", printed, re.MULTILINE)
