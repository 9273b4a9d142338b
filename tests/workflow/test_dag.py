"""The questions of the Snakefile's input functions, answered from a study's folder alone."""

import pytest

from swift_hyperband.results.contents import Completion, Config, Entry
from swift_hyperband.results.decided import Promotion
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.thawed import Left, Thawed
from swift_hyperband.study.model import parse
from swift_hyperband.workflow.dag import Dag, enter


def study(**keys):
    content = {
        "name": "small",
        "target": {"name": "digits-cnn", "metric": "accuracy", "mode": "max"},
        "space": {"learning_rate": {"type": "float", "low": 0.001, "high": 1.0, "log": True}},
        "search": {"algorithm": "hyperband", "max_epochs": 9, "eta": 3, "seed": 2},
    }
    return parse(content | keys, "study.yaml")


@pytest.fixture
def folder(tmp_path):
    return StudyFolder(tmp_path / "results/small")


def dag(folder, found, looking=True):
    return Dag(found, folder, lambda: looking, lambda: True, lambda step, round_: None)


def names(paths):
    return [path.rpartition("/")[2] for path in paths]


def test_while_only_looking_an_unknown_round_has_as_many_batches_as_it_can_have(folder):
    found = dag(folder, study(batch_size=2))
    # three trials in batches of two
    assert names(found.manifests(found.schedule.by_key[2, 1], "full")) == ["planned-1-of-2.json", "planned-2-of-2.json"]
    assert names(found.manifests(found.schedule.by_key[2, 2], "full")) == ["planned-1-of-1.json"]
    assert found.manifests(found.schedule.by_key[2, 2], "complete") == []
    assert not folder.path.exists(), "looking writes nothing"


def test_a_round_that_is_entered_holds_each_trial_in_one_batch_and_is_answered_from_its_file(folder):
    found = study(batch_size=4)
    round_ = found.schedule().by_key[2, 0]
    trials = list(found.trials(2))
    batches = enter(folder, found, round_, trials)
    assert [len(batch) for batch in batches["full"].values()] == [4, 4, 1]
    assert batches["partial"] == {}
    assert Entry.read(folder.entry(round_)) == Entry(trials, batches, {"full": 1, "partial": None})
    slot, drawn = found.trials(2)[trials[0]]
    assert Config.read(folder.config(trials[0])) == Config(trials[0], 2, slot, drawn)
    # a batch size that changes counts from the next round on
    assert enter(folder, study(batch_size=1), round_, trials) == batches
    assert len(enter(folder, study(batch_size=1), round_, trials[:3])["full"]) == 3


def test_the_head_asks_for_the_batches_of_those_who_were_promoted(folder):
    found = dag(folder, study(batch_size=2), looking=False)
    first, second = found.schedule.brackets[2][:2]
    trials = list(found.study.trials(2))
    Promotion(dict.fromkeys(trials, -0.5), trials[:3]).write(folder.promotion(first), found.study.metric)
    assert len(found.manifests(second, "full")) == 2
    assert Entry.read(folder.entry(second)).competitors == trials[:3]
    assert found.previous(second) == [str(folder.promotion(first))]
    assert found.previous(first) == []


def test_a_completion_that_was_frozen_is_what_is_looked_at(folder):
    found = dag(folder, study(search={"max_epochs": 27, "eta": 3, "seed": 2}))
    round_ = next(round_ for round_ in found.schedule.rounds if round_.decision_epoch is not None)
    Completion({"x": ["a", "b"]}, round_.end).write(folder.completion(round_))
    assert names(found.manifests(round_, "complete")) == ["x.json"]


def test_a_predictor_waits_for_all_finishers_of_earlier_brackets_and_for_its_own_reference_trial(folder):
    found = dag(folder, study(search={"max_epochs": 27, "eta": 3, "seed": 2}))
    rounds = found.schedule.by_key
    # rounds that end at epoch 9
    assert found.training_rounds(rounds[1, 0]) == [
        str(folder.promotion(rounds[3, 2])),
        str(folder.promotion(rounds[2, 1])),
        str(folder.threshold(rounds[1, 0])),
    ]


def test_with_reference_trials_as_teachers_it_waits_for_those_of_earlier_brackets(folder):
    found = dag(folder, study(search={"max_epochs": 27, "eta": 3, "seed": 2}, swift={"preset": "bold"}))
    rounds = found.schedule.by_key
    assert found.training_rounds(rounds[2, 0]) == [str(folder.threshold(rounds[3, 1]))]


THAWING = {"preset": "bold", "d": 3, "thaw": 0.5}


def thawing(**keys):
    return study(search={"max_epochs": 9, "eta": 3, "seed": 2}, swift=THAWING, batch_size=1, **keys)


def test_while_only_looking_as_many_thaw_as_the_budget_pays_for(folder):
    found = dag(folder, thawing())
    round_ = found.schedule.thaw
    assert len(found.manifests(round_, "full")) == round_.trials > 1
    assert found.manifests(round_, "partial") == found.manifests(round_, "complete") == []
    assert found.ends() == [*found.last_promotions(), str(folder.promotion(round_))]
    assert dag(folder, study()).ends() == dag(folder, study()).last_promotions()
    assert not folder.path.exists(), "looking writes nothing"


def test_the_head_asks_for_the_batches_of_those_who_were_chosen(folder):
    asked = []
    found = Dag(thawing(), folder, lambda: False, lambda: True, lambda step, round_: asked.append((step, round_.key)))
    round_, trials = found.schedule.thaw, list(found.study.trials(2))[:2]
    left = dict.fromkeys(trials, Left(3, 0.5, 0.1, log=True, chance=0.3))
    Thawed(0.4, trials[::-1], left).write(folder.thaw(round_), found.study.metric)
    assert len(found.manifests(round_, "full")) == 2
    assert asked == [("thaw", round_.key)]
    assert Entry.read(folder.entry(round_)).competitors == trials[::-1]
    assert found.previous(round_) == [str(folder.thaw(round_))]
    looked = dag(folder, thawing())
    folder.entry(round_).unlink()
    assert len(looked.manifests(round_, "full")) == 2, "the choice tells the batches"
