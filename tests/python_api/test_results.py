"""`Results` tells what the files of a search say, of every kind of search and wherever its folder lies."""

import json
import math
import shutil

import pytest
import yaml

from swift_hyperband import Results, UserError
from swift_hyperband.base import parquet
from swift_hyperband.results.curves import write_curves
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.progress import Reader


def stored(path):
    return json.loads(path.read_text())


def test_the_best_trial_is_that_of_best_yaml(finished):
    best, file = Results.open(finished).best, yaml.safe_load((finished / "best.yaml").read_text())
    assert (best.trial, best.value, best.epoch) == (file["trial"], file["value"], file["epochs"])
    assert best.configuration == file["configuration"]
    assert best.state == next((finished / "trials" / best.trial).glob("state.*"))
    assert f"{best.value:.6g}" in repr(best)
    assert best.trial in best._repr_html_()


def test_the_best_trial_gives_its_trained_model_back(finished, crashing):
    best = Results.open(finished).best
    model = best.load()
    assert type(model).__name__ == "CurveTable"
    assert model.validate() == {"loss": best.value}
    assert Results.open(crashing).best.load().crashes is False, "of a class of the user's own, too"


def test_a_model_that_was_not_kept_is_told_in_a_line(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    results = Results.open(tmp_path / "copy")
    for state in (tmp_path / "copy").glob(f"trials/{results.best.trial}/state.*"):
        state.unlink()
    again = Results.open(tmp_path / "copy").best
    assert again.state is None
    with pytest.raises(UserError, match="must have a saved state"):
        again.load()


def test_trials_are_as_their_own_files_say(finished):
    results = Results.open(str(finished))
    assert len(results.trials) == len([*finished.glob("trials/*/config.json")])
    for trial in results.trials:
        config = stored(finished / "trials" / trial.id / "config.json")
        assert (trial.bracket, trial.slot) == (config["bracket"], config["slot"])
        assert trial.configuration == config["configuration"]
        rows = (finished / "trials" / trial.id / "curve.jsonl").read_text().splitlines()
        values = [json.loads(row)["loss"] for row in rows]
        assert [value if math.isfinite(value) else None for value in trial.values] == values
        if trial.fate == "diverged":
            assert (trial.value, trial.epoch) == (None, 0)
            assert None in values
        else:
            assert (trial.value, trial.epoch) == (values[-1], trial.epochs)
    assert {"finished", "diverged", "stopped by prediction", "not promoted"} >= {str(t.fate) for t in results.trials}
    assert results.epochs == sum(trial.epochs for trial in results.trials)
    assert results.trials.by_id(results.best.trial).value == results.best.value
    with pytest.raises(UserError, match="found 'other'"):
        results.trials.by_id("other")


def test_trials_are_ranked_with_the_winner_first_and_the_lost_ones_last(finished):
    results = Results.open(finished)
    ranked = results.trials.ranked()
    assert [trial.rank for trial in ranked] == list(range(1, len(ranked) + 1))
    assert ranked[0].id == results.best.trial
    others = [(-trial.epochs, trial.value) for trial in ranked[1:] if trial.value is not None]
    assert others == sorted(others)
    lost = [trial.value is None for trial in ranked]
    assert lost == sorted(lost)
    assert any(lost)


def test_a_table_of_pandas_has_a_row_for_each_trial(finished):
    trials = Results.open(finished).trials
    table = trials.to_pandas()
    assert list(table.index) == [trial.id for trial in trials]
    assert list(table.columns)[:4] == ["rank", "bracket", "slot", "fate"]
    assert table["config_row"].tolist() == [trial.configuration["row"] for trial in trials]
    assert table["value"].isna().sum() == sum(trial.value is None for trial in trials)
    assert table["value"][table["rank"] == 1].tolist() == [trials.ranked()[0].value]
    assert trials[:3].to_pandas().shape == (3, table.shape[1])


def test_without_pandas_one_line_says_what_is_missing(finished, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(UserError, match=r"to_pandas needs .* pip install 'swift-hyperband\[pandas\]'"):
        Results.open(finished).trials.to_pandas()


def test_curves_are_those_of_the_parquet_file(finished, tmp_path):
    write_curves(History(StudyFolder(finished)), tmp_path / "curves.parquet")
    with parquet.open_table(tmp_path / "curves.parquet") as file:
        expected = file.read()
    found = Results.open(finished).curves()
    assert found.column_names == expected.column_names
    # row by row as text: nan is not equal to itself
    assert list(map(str, found.to_pylist())) == list(map(str, expected.to_pylist()))
    assert found.to_pandas().shape == (found.num_rows, found.num_columns)


def test_rounds_hold_competitors_threshold_decisions_and_promotions(finished):
    results = Results.open(finished)
    brackets = results.brackets
    assert [bracket.number for bracket in brackets] == [3, 2, 1, 0]
    decided = 0
    for found in [found for bracket in brackets for found in bracket.rounds]:
        place = finished / f"bracket={found.bracket}/round={found.index}"
        assert list(found.competitors) == stored(place / "entry.json")["competitors"]
        assert list(found.promoted) == stored(place / "promotion.json")["promoted"]
        assert found.over
        if not (place / "decision.json").exists():
            assert (found.threshold, found.decisions) == (None, ())
            continue
        decided += 1
        decision = stored(place / "decision.json")
        assert found.threshold == decision["threshold"]
        assert {one.trial: vars(one) for one in found.decisions} == {
            trial: {
                "trial": trial,
                "seen": verdict["seen"],
                "predicted": verdict["predicted"],
                "goes_on": verdict["continues"],
            }
            for trial, verdict in decision["verdicts"].items()
        }
        assert f"{len(found.stopped)} stopped by prediction" in str(found)
    assert decided
    assert brackets[0].winner == brackets[0].rounds[-1].promoted[0]
    assert str(brackets[0].rounds[0]) in str(brackets[0])
    assert str(len(brackets[0].rounds[0].competitors)) in brackets[0]._repr_html_()
    assert results.thaw.is_thaw
    assert str(results.thaw).startswith("after all brackets: ")
    assert list(results.thaw.competitors) == stored(next(finished.glob("bracket=4/round=0/entry.json")))["competitors"]


def test_a_search_that_runs_shows_what_there_is(unfinished):
    results, progress = Results.open(unfinished), Reader(StudyFolder(unfinished)).read()
    assert not results.finished
    assert results.epochs == progress.sum("spent")
    assert (results.best.trial, results.best.value) == (progress.best.trial, progress.best.value)
    rounds = [found for bracket in results.brackets for found in bracket.rounds]
    assert sum(found.over for found in rounds) == 2
    assert any(found.competitors == () for found in rounds)
    assert any(trial.fate == "running" or trial.fate == "promoted" for trial in results.trials)
    assert results.curves().num_rows == results.epochs
    assert "not finished" in results._repr_html_()
    assert "not over" in str(next(found for found in rounds if not found.over))


def test_failed_trials_tell_their_error(crashing):
    results = Results.open(crashing)
    failed = [trial for trial in results.trials if trial.fate == "failed"]
    assert failed
    for trial in failed:
        assert (trial.value, trial.epoch, trial.epochs) == (None, 0, 0)
        assert "crashed on purpose" in trial.error
    assert results.trials.to_pandas()["fate"].eq("failed").sum() == len(failed)


def test_a_search_in_which_all_failed_has_no_best_trial(all_failed):
    results = Results.open(all_failed)
    with pytest.raises(UserError, match="has no best trial"):
        _ = results.best
    assert results._repr_html_()
    assert results.curves().num_rows == 0


def test_a_search_without_rounds_has_rungs_in_the_place_of_brackets(without_rounds):
    results = Results.open(without_rounds)
    assert (results.brackets, results.thaw) == ((), None)
    assert [rung.epoch for rung in results.rungs] == [1, 3, 9]
    assert results.best.trial in results.rungs[-1].reached
    assert len(results.trials) == len([*without_rounds.glob("trials/*/config.json")])
    assert results.finished


def test_a_folder_that_was_copied_from_another_machine_is_the_same(finished, tmp_path, monkeypatch):
    here = Results.open(finished)
    shutil.copytree(finished, tmp_path / "copy")
    monkeypatch.chdir(tmp_path)
    there = Results.open("copy")
    # as notebooks do
    monkeypatch.chdir("/")
    assert list(there.trials) == list(here.trials)
    assert there.brackets == here.brackets
    assert there.best.state.resolve().is_relative_to(tmp_path / "copy")
    assert there.curves().equals(here.curves()) or list(map(str, there.curves().to_pylist())) == list(
        map(str, here.curves().to_pylist())
    )


def test_results_change_nothing_in_the_folder(finished):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    results = Results.open(finished)
    _ = results.best, results.trials, results.brackets, results.thaw, results.curves(), repr(results)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


@pytest.mark.parametrize("made", ["nothing", "file", "folder"])
def test_what_is_no_search_is_told_in_a_line(made, tmp_path):
    place = tmp_path / "place"
    if made == "file":
        place.touch()
    if made == "folder":
        place.mkdir()
    with pytest.raises(UserError, match=r"must (be the folder of a search|hold a started search)") as told:
        Results.open(place)
    assert "\n" not in str(told.value)


def test_notebooks_show_the_best_trials(finished):
    results = Results.open(finished)
    html = results.trials._repr_html_()
    shown = [trial.id for trial in results.trials if trial.id in html]
    assert set(shown) == {trial.id for trial in results.trials.ranked()[:10]}
    assert f"{len(results.trials)} trials, the best 10" in html
    assert results.name in results._repr_html_()
