import json
import math

import pytest
import yaml

from swift_hyperband.report import numbers
from swift_hyperband.report.numbers import Spending
from swift_hyperband.results import standing
from swift_hyperband.search.scheduled import ScheduledSearch


def files(history, name):
    """Return the files of a name in the rounds, by (bracket, round)."""
    found = {}
    for round_ in history.schedule.rounds:
        path = history.folder.round(round_) / name
        if path.exists():
            found[round_.key] = json.loads(path.read_text())
    return found


def curves(history):
    """Return the losses of every trial, by the files alone."""
    return {
        path.parent.name: [json.loads(line)["loss"] for line in path.read_text().splitlines()]
        for path in history.folder.path.glob("trials/*/curve.jsonl")
    }


def total(history):
    return sum(numbers.spending(history).values(), Spending())


def test_epochs_of_a_finished_search_add_up_to_those_of_hyperband(swift):
    found = total(swift)
    assert found.spent == sum(map(len, curves(swift).values()))
    assert found.hyperband == swift.schedule.epochs_hyperband == 357
    by_bracket = {
        bracket: sum(round_.epochs_worst for round_ in rounds) for bracket, rounds in swift.schedule.brackets.items()
    }
    assert {bracket: spent.hyperband for bracket, spent in numbers.spending(swift).items()} == by_bracket


def test_epochs_saved_are_those_of_the_trials_that_decisions_stopped(swift):
    saved, of = 0, curves(swift)
    for key, decision in files(swift, "decision.json").items():
        round_ = swift.schedule.by_key[key]
        stopped = [trial for trial, verdict in decision["verdicts"].items() if not verdict["continues"]]
        alive = [trial for trial in stopped if None not in of[trial]]
        saved += len(alive) * (round_.end - round_.decision_epoch)
    assert total(swift).saved == saved > 0


def test_epochs_that_diverged_trials_did_not_train_are_not_called_saved(swift):
    assert any(None in losses for losses in curves(swift).values())
    assert total(swift).lost > 0


def test_hyperband_saves_nothing(hyperband):
    found = total(hyperband)
    assert (found.partial, found.complete, found.saved) == (0, 0, 0)
    assert found.spent + found.lost == 69


def test_an_unfinished_search_counts_the_rounds_that_are_over(unfinished):
    over = files(unfinished, "promotion.json")
    assert 0 < len(over) < len(unfinished.schedule.rounds)
    assert total(unfinished).hyperband == sum(unfinished.schedule.by_key[key].epochs_worst for key in over)


def test_a_search_in_which_all_trials_failed_lost_every_epoch(all_failed):
    assert total(all_failed) == Spending(lost=69, hyperband=69)
    assert standing.best(all_failed) is None
    assert standing.winners(all_failed) == {}
    assert set(standing.fates(all_failed).values()) == {"failed"}


def test_the_best_is_the_one_in_best_yaml(swift):
    found = standing.best(swift)
    stored = yaml.safe_load(swift.folder.best.read_text())
    assert (found.trial, found.epoch, found.value) == (stored["trial"], 27, stored["value"])
    assert found.value == min(winner.value for winner in standing.winners(swift).values())


def test_the_best_so_far_of_an_unfinished_search_has_the_best_last_value(unfinished):
    last = {trial: losses[-1] for trial, losses in curves(unfinished).items() if None not in losses}
    found = standing.best(unfinished)
    assert last[found.trial] == found.value == min(last.values())


def test_what_became_of_a_trial_follows_from_the_decisions(swift):
    fates, of = standing.fates(swift), curves(swift)
    stopped = {
        trial
        for decision in files(swift, "decision.json").values()
        for trial, verdict in decision["verdicts"].items()
        if not verdict["continues"]
    }
    diverged = {trial for trial, losses in of.items() if None in losses}
    assert {trial for trial, fate in fates.items() if fate == "diverged"} == diverged
    assert {trial for trial, fate in fates.items() if fate == "stopped by prediction"} == stopped - diverged
    finished = {trial for trial, losses in of.items() if len(losses) == 27}
    assert {trial for trial, fate in fates.items() if fate == "finished"} == finished - diverged
    assert set(fates.values()) == {"diverged", "stopped by prediction", "finished", "not promoted"}


def test_trials_of_rounds_that_are_not_over_are_running_unless_a_prediction_stopped_them(unfinished):
    fates, over = standing.fates(unfinished), files(unfinished, "promotion.json")
    decisions = files(unfinished, "decision.json")
    for key, entry in files(unfinished, "entry.json").items():
        if key not in over:
            verdicts = decisions.get(key, {"verdicts": {}})["verdicts"]
            stopped = {trial for trial, verdict in verdicts.items() if not verdict["continues"]}
            going = [trial for trial in entry["competitors"] if trial not in stopped]
            assert {fates[trial] for trial in going} <= {"running", "waiting", "diverged"}
            assert {fates[trial] for trial in stopped} <= {"stopped by prediction", "diverged"}
    # those that have not begun wait
    idle = {trial for trial in fates if not (unfinished.folder.trial(trial) / "started.jsonl").exists()}
    assert {trial for trial, fate in fates.items() if fate == "waiting"} == idle


def test_crashed_trials_have_failed(crashing):
    fates = standing.fates(crashing)
    crashed = {path.parent.name for path in crashing.folder.path.glob("trials/*/failures.json")}
    assert {trial for trial, fate in fates.items() if fate == "failed"} == crashed
    assert crashed


def test_predictions_are_checked_by_what_the_trials_reached(swift):
    expected = []
    for key, decision in files(swift, "decision.json").items():
        for trial, verdict in decision["verdicts"].items():
            losses = curves(swift)[trial][: swift.schedule.by_key[key].end]
            if verdict["continues"] and verdict["predicted"] is not None and losses[-1] is not None:
                expected.append((key[0], verdict["seen"], verdict["predicted"], losses[-1]))
    found = [(pair.bracket, pair.seen, pair.predicted, pair.reached) for pair in numbers.predictions(swift)]
    assert found == expected
    assert len(found) >= 3


def test_hyperband_has_no_predictions(hyperband):
    assert numbers.predictions(hyperband) == []


def test_r2_is_1_for_perfect_predictions_and_0_for_the_mean():
    assert numbers.r2([1, 2, 6], [1, 2, 6]) == 1
    assert numbers.r2([3, 3, 3], [1, 2, 6]) == 0
    assert numbers.r2([1, 2, 3], [1, 2, 6]) == pytest.approx(1 - 9 / 14)
    assert math.isnan(numbers.r2([1, 2], [3, 3]))


def test_spearman_looks_at_ranks_and_averages_ties():
    assert numbers.spearman([1, 2, 3], [1, 10, 1e6]) == pytest.approx(1)
    assert numbers.spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4
    assert numbers.spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert math.isnan(numbers.spearman([1, 1, 1], [1, 2, 3]))
    assert math.isnan(numbers.spearman([1], [1]))


@pytest.mark.parametrize("best", [False, True])
def test_the_predicted_kill_risk_is_that_of_a_replay_of_the_same_search(searches, best):
    # brackets of several rounds with decisions, so that trials go on in one round and are stopped in a later one
    keys = {"target__metric_at": "best"} if best else {}
    history = searches.run(
        f"killing-{best}".lower(), search__max_epochs=27, swift__thaw=0.04, swift__margin=0.1, **keys
    )
    study = history.study
    trials = {bracket: list(study.trials(bracket)) for bracket in study.schedule().brackets}
    search = ScheduledSearch(study.schedule(), trials, study.rules())
    losses = {trial: study.metric.losses(found.values("loss")) for trial, found in history.trials.items()}
    while asked := search.ask():
        for trial, epochs in asked:
            search.tell(trial, losses[trial][:epochs])
    assert search.finished
    later = [found.stopped for found in history.rounds.values() if found.schedule.index > 0]
    assert any(later)
    found = numbers.predicted_kill_risk(history)
    assert found == pytest.approx(search.kill_risk, rel=1e-9)
    assert 0 < found < 0.5


def test_a_search_without_decisions_predicts_no_kill_risk(hyperband):
    assert numbers.predicted_kill_risk(hyperband) is None
