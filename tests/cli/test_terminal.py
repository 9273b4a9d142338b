"""What is printed where a terminal knows ASCII only."""

import io
import sys

import pytest

from swift_hyperband import cli

STUDY = """\
name: täble
target: {name: curve-table, metric: "err·é 损", mode: min, options: {table: curves.csv}}
space: {row: {type: int, low: 0, high: 29}}
search: {max_epochs: 9, eta: 3}
"""


# the second is what Python makes of the locale C
@pytest.fixture(params=["strict", "surrogateescape"])
def terminal(request, tmp_path, monkeypatch):
    """Return what runs a command on a terminal of ASCII, and what it printed."""
    (tmp_path / "study.yaml").write_text(STUDY.replace("täble", "table"), encoding="utf-8")
    lines = [f"{row},{epoch},{(row + 1) / epoch}" for row in range(30) for epoch in range(1, 10)]
    text = "\n".join(["row,epoch,err·é 损", *lines])
    (tmp_path / "curves.csv").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=request.param) for _ in range(2)]
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        code = cli.main(list(arguments))
        for stream in streams:
            stream.flush()
        return code, "".join(stream.buffer.getvalue().decode("ascii", "surrogateescape") for stream in streams)

    return run


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["plan", "study.yaml"], "17 configurations in 3 brackets"),
        (["replay", "curves.csv", "--mode", "min", "--seeds", "3"], "+- 95 %"),
        (["replay", "curves.csv", "--metric", "é", "--mode", "min"], "must have a column of the metric"),
    ],
)
def test_every_command_prints_what_it_can(terminal, arguments, printed):
    _, text = terminal(*arguments)
    assert printed in text


def test_a_search_and_its_status_are_told_in_letters_that_there_are(terminal):
    code, text = terminal("search", "study.yaml")
    assert code == 0
    assert "best configuration: results" in text
    code, text = terminal("status", "study.yaml")
    assert code == 0
    assert "err-? ?" in text
    assert "bracket" in text


def test_a_file_whose_name_is_no_text_here_is_named_by_its_bytes(terminal, tmp_path):
    name = "t\udce4ble.csv"
    (tmp_path / "curves.csv").rename(tmp_path / name)
    (tmp_path / "study.yaml").write_text(STUDY.replace("täble", "table").replace("curves.csv", "absent.csv"))
    assert terminal("replay", name, "--mode", "min", "--seeds", "3")[1].startswith("\nSwift-Hyperband on t\udce4ble: ")
