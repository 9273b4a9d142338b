"""Given configurations compete as trials of the first bracket, and what became of them is told."""

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.report.search.page import summary
from swift_hyperband.results import first, journal
from swift_hyperband.results.contents import Config
from swift_hyperband.results.freeze import check_frozen, load_frozen, load_study
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.space.draw import draw, trial_id
from swift_hyperband.study.model import parse
from swift_hyperband.training.trial import started
from swift_hyperband.workflow.driver import run_search

ROWS, EPOCHS = 40, 9


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study over curves of which a smaller row is better, from the first epoch on."""
    monkeypatch.chdir(tmp_path)
    lines = [f"{row},{epoch},{row / 100 + 1 / epoch}" for row in range(ROWS) for epoch in range(1, EPOCHS + 1)]
    (tmp_path / "table.csv").write_text("row,epoch,loss\n" + "\n".join(lines) + "\n")

    def study(swift=None, **search):
        raw = {
            "name": "given",
            "target": {"name": "curve-table", "metric": "loss", "mode": "min", "options": {"table": "table.csv"}},
            "space": {"row": {"type": "int", "low": 0, "high": ROWS - 1}},
            "search": {"max_epochs": EPOCHS, "eta": 3, "seed": 3, **search},
            "swift": swift or {},
            "predictor": {"name": "last-value"},
        }
        return parse(raw, "study.yaml")

    return study


def configurations(folder):
    """Return the row of each trial by its bracket and slot."""
    found = [Config.read(folder.config(path.name)) for path in folder.trials()]
    return {(one.bracket, one.slot): one.configuration["row"] for one in found}


SEARCHES = {
    "swift": ({}, 2),
    "hyperband": ({"algorithm": "hyperband"}, 2),
    "bracket 1": ({"brackets": [1]}, 1),
    "random": ({"algorithm": "random", "trials": 6}, 0),
    "asha": ({"algorithm": "asha"}, 2),
    "fast": ({"algorithm": "fast-hyperband"}, 2),
    "adaptive": ({"algorithm": "adaptive-hyperband"}, 2),
    "tpe": ({"sampling": "tpe"}, 0),
    "asha with tpe": ({"algorithm": "asha", "sampling": "tpe"}, 2),
}


@pytest.mark.parametrize(("search", "bracket"), SEARCHES.values(), ids=SEARCHES)
def test_they_have_the_first_slots_of_the_first_bracket_and_may_win(study, tmp_path, search, bracket):
    # no draw of these searches has row 0
    given = study(first=[{"row": 39}, {"row": 0}], **search)
    folder = StudyFolder(tmp_path / "given")
    found = run_search(given, folder, workers=2)
    rows = configurations(folder)
    assert (rows[bracket, 0], rows[bracket, 1]) == (39, 0)
    if not ALGORITHMS[given.search.algorithm].synchronous:
        # whose trials begin in the order of their ids otherwise
        events = journal.read(folder.journal)
        begun = list(dict.fromkeys(event.name for event in events if event.kind == "ask"))
        assert set(begun[:2]) == {trial_id(3, bracket, 0), trial_id(3, bracket, 1)}
    if "tpe" not in str(search):
        drawn = {place: draw(given.search_space(), 3, *place)["row"] for place in rows}
        assert {place for place in rows if rows[place] != drawn[place]} == {(bracket, 0), (bracket, 1)}
    assert Config.read(folder.config(found.best[0])).configuration == {"row": 0}
    history, winner = History(folder), trial_id(3, bracket, 1)
    assert first.given(history) == [trial_id(3, bracket, 0), winner]
    told = f"2 given configurations; the best of them is trial {winner}, loss 0.111111 at epoch 9: "
    # a model may find the same
    told += "the best of all" if found.best[0] == winner else "finished"
    assert first.note(history) == told
    assert f"First: {told}." in summary(history, [])


def test_they_compete_in_widened_brackets_too(study):
    size = {"max_epochs": 27, "brackets": [2, 1, 0]}
    plain, bold = (study({"preset": "bold", "d": 3}, first=first, **size) for first in ([], [{"row": 7}]))
    assert bold.schedule().by_key[2, 0].extra > 0
    assert list(bold.trials(2)) == list(plain.trials(2))
    assert bold.trials(2) == plain.trials(2) | {trial_id(3, 2, 0): (0, {"row": 7})}
    other = study({"preset": "bold"}, first=[{"row": 7}], seed=4)
    assert other.trials(2)[trial_id(4, 2, 0)] == (0, {"row": 7})


def test_they_define_the_study_and_studies_without_them_are_as_before(study, tmp_path):
    assert "first" not in study().definition()["search"]
    given = study(first=[{"row": 5.0}])
    assert given.definition()["search"]["first"] == [{"row": 5}]
    assert parse(given.definition(), "study.json").definition() == given.definition()
    folder = StudyFolder(tmp_path / "given")
    run_search(given, folder, workers=1)
    assert load_study(folder).definition() == load_frozen(folder).definition
    with pytest.raises(UserError, match=r"a study keeps its definition, but search\.first"):
        check_frozen(folder, study(first=[{"row": 6}]))


def test_one_that_is_not_the_best_is_told_with_its_fate(study, tmp_path):
    folder = StudyFolder(tmp_path / "given")
    run_search(study(first=[{"row": 39}], algorithm="hyperband"), folder, workers=1)
    told = f"1 given configuration; it is trial {trial_id(3, 2, 0)}, loss 1.39 at epoch 1: not promoted"
    assert first.note(History(folder)) == told
    assert not started(folder.trial(trial_id(3, 2, 0))).repeated
    without = StudyFolder(tmp_path / "none")
    run_search(study(), without, workers=1)
    assert first.note(History(without)) is None


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([{"row": 40}], "search.first[0].row must be a whole number from 0 to 39, found 40"),
        ([{"row": 1}, {"rw": 2}], "search.first[1].rw names no hyperparameter of the space; did you mean row?"),
        ([{"row": 1}, {"row": 1.0}], "search.first[1] must be another configuration than that of [0], found the same"),
        ([{"row": row} for row in range(10)], "search.first must hold at most 9 configurations, as so many start in"),
        ([5], "search.first[0] must be a mapping of keys, found 5"),
        ({"row": 1}, "search.first must be a list, found a mapping"),
        ([{"row": [1]}], "search.first[0].row must be text, a number or true/false, found [1]"),
    ],
)
def test_a_mistake_is_told_with_its_place(study, given, line):
    with pytest.raises(UserError) as error:
        study(first=given)
    assert str(error.value).splitlines()[0].startswith(f"study.yaml: {line}")
