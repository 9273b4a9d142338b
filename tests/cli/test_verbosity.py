"""The options --verbose and --quiet: every command takes them, and they decide what is said beside the result."""

import pytest

from swift_hyperband.cli import COMMANDS, main

STUDY = """
name: small
target: {name: curve-table, metric: loss, mode: min, options: {table: curves.csv}}
space: {row: {type: int, low: 0, high: 19}}
search: {algorithm: hyperband, max_epochs: 4, eta: 2, brackets: [1], seed: 1}
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return a folder with a study over recorded curves."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{row},{epoch},{1 / epoch + row / 100}" for row in range(20) for epoch in range(1, 5)]
    (tmp_path / "curves.csv").write_text("row,epoch,loss\n" + "\n".join(rows) + "\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


@pytest.mark.parametrize("command", [[name] for name in COMMANDS] + [["job", "train"], ["annealer", "check"], []])
def test_every_command_takes_them(capsys, command):
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    shown = capsys.readouterr().out
    assert "-v, --verbose" in shown
    assert "--quiet" in shown


@pytest.mark.parametrize("words", [["-v", "plan"], ["plan", "-v"], ["-v", "plan", "--verbose"]])
def test_they_stand_before_or_behind_the_name_of_the_command(study, capfd, words):
    assert main([*words, "study.yaml", "--json"]) == 0


def test_both_at_once_are_refused(study, capsys):
    with pytest.raises(SystemExit):
        main(["plan", "-v", "--quiet"])
    assert "not allowed with" in capsys.readouterr().err


def test_more_is_said_of_a_search_for_debugging_and_nothing_where_it_is_to_be_quiet(study, capfd):
    assert main(["search", "study.yaml", "-v"]) == 0
    said = capfd.readouterr()
    assert "swift-hyperband: results/small: lease taken\n" in said.err
    assert "training to epoch 2 in process " in said.err
    assert "best configuration: results/small/best.yaml" in said.out
    (study / "study.yaml").write_text(STUDY.replace("small", "other"))
    assert main(["search", "study.yaml", "--quiet"]) == 0
    said = capfd.readouterr()
    assert said.err == ""
    assert "best configuration: results/other/best.yaml" in said.out
