"""A study as a whole: its size, its trials and what defines it."""

import json
from pathlib import Path

import pytest

from swift_hyperband.base.metric import Metric
from swift_hyperband.space.parameters import Float
from swift_hyperband.study.model import NOT_DEFINING, Study, load, parse

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT / "config" / "config.yaml"


def categorical(*choices):
    return {"type": "categorical", "choices": list(choices)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"space": {True: categorical(1)}}, "space must have text as keys, found true; put it in quotes"),
        (
            {"space__2nd": categorical(1)},
            "space.2nd must be named by letters, digits and _, not starting with a digit, found '2nd'",
        ),
        ({"space": {}}, "space must hold at least one entry, found none"),
        ({"constraints": "a < b"}, "constraints must be a list, found 'a < b'"),
        (
            {"constraints": ["dropout < 0.5", "droput < 1"]},
            "constraints[1] must name hyperparameters of the space, found 'droput' in 'droput < 1'; "
            "did you mean dropout?",
        ),
        (
            {"constraints": ["dropout = 0.5"]},
            "constraints[0] must be an expression such as 'a * b <= 200', found 'dropout = 0.5'; write == to compare",
        ),
        (
            {"constraints": ["dropout < 0"]},
            "constraints must leave room in the space, found none in 1000 draws, most of which broke 'dropout < 0'; "
            "loosen it or change the ranges",
        ),
    ],
)
def test_a_study_that_could_not_be_drawn_or_finished_is_one_line_with_its_key(message, changes, expected):
    assert message(**changes) == f"study.yaml: {expected}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"space__ ": categorical(1)}, "space.' ' must be named by letters, digits and _, not starting with a digit, "),
        ({"space__" + "x" * 101: categorical(1)}, f"space.{'x' * 77}... must have a name of at most 100 characters"),
        (
            {"search__max_epochs": 10**7},
            "search.max_epochs must make a search of at most 1000000 trials, found 7453491 ",
        ),
        (
            {"search__max_epochs": 10**7, "swift__preset": "bold"},
            "search.max_epochs must make a search of at most 1000000 trials, found 7453534 ",
        ),
        (
            {"search__max_epochs": 2**63 - 1, "search__eta": 2},
            "search.max_epochs must make a search of at most 1000000 ",
        ),
        (
            {"search__algorithm": "random", "search__trials": 10**7},
            "search.trials must make a search of at most 1000000 trials, found 10000000",
        ),
        ({"space": {f"x{n}": categorical(1) for n in range(1001)}}, "space must hold at most 1000 entries, found 1001"),
        ({"constraints": ["dropout < 1"] * 1001}, "constraints must hold at most 1000 entries, found 1001"),
        (
            {"space__and": categorical(1), "constraints": ["dropout < 1"]},
            "space.and must have another name, as it is a word of constraints; rename it",
        ),
    ],
)
def test_a_study_that_could_not_be_drawn_or_finished_is_one_line_with_its_key_however_odd(message, changes, expected):
    found = message(**changes)
    assert found.startswith(f"study.yaml: {expected}")
    assert found.isprintable()


def test_the_default_study_is_a_search_of_49_configurations_that_can_save_epochs(study):
    found = load(DEFAULT)
    schedule = found.schedule()
    assert found.name == "digits"
    assert found.target.name == "digits-cnn"
    assert found.metric == Metric("accuracy", "max")
    assert (schedule.configurations, schedule.epochs_hyperband, schedule.epochs_best) == (49, 357, 307)
    bold = study(swift__preset="bold").schedule()
    assert (bold.configurations, bold.epochs_hyperband, bold.epochs_best) == (60, 357, 255)
    assert found.search_space().hyperparameters == {
        "learning_rate": Float(1e-3, 1.0, log=True),
        "weight_decay": Float(1e-6, 1e-1, log=True),
        "dropout": Float(0.0, 0.8),
    }


def test_the_metric_is_known_without_dumping_the_study(monkeypatch):
    found = load(DEFAULT)
    monkeypatch.setattr(Study, "model_dump", None)
    assert found.metric.loss(0.9) == -0.9


def test_hyperband_stops_nobody_by_prediction(study):
    assert study(search__algorithm="hyperband").schedule().epochs_best == 357


def test_trials_start_in_their_slots_and_come_by_id(study):
    found = study(search__brackets=[3, 1])
    trials = found.trials(3)
    assert list(trials) == sorted(trials)
    assert sorted(slot for slot, _ in trials.values()) == list(range(27))
    assert set(trials).isdisjoint(found.trials(1))
    assert trials != study(search__seed=2).trials(3)
    assert all(configuration.keys() == found.space.keys() for _, configuration in trials.values())


def test_a_search_of_a_hundred_thousand_trials_is_loaded_and_planned(study):
    for preset, configurations in {"default": 140_731, "bold": 140_761}.items():
        found = study(search__max_epochs=10**5, search__eta=2, constraints=["dropout < 0.7"], swift__preset=preset)
        assert found.schedule().configurations == configurations


def test_a_study_is_read_back_from_its_definition_and_settings(study):
    found = study(
        space__optimizer=categorical("sgd", "adam", 3, 0.5, True),
        space__momentum={"type": "float", "low": 0, "high": 1, "when": {"optimizer": ["sgd", 3]}},
        constraints=["momentum < 0.9"],
        batch_size=4,
        target__options={"size": 300, "nested": {"rate": [1e-3, None]}},
    )
    stored = json.loads(json.dumps({**found.definition(), **found.settings()}))
    assert parse(stored, "study.json") == found
    assert found.definition().keys().isdisjoint(NOT_DEFINING)
    assert found.settings().keys() == NOT_DEFINING


def test_resources_retries_batch_size_and_kept_states_do_not_define_a_study(study):
    other = study(resources={"workers": 7, "gpus": 1}, retries=0, batch_size=3, keep_states=True)
    assert other.definition() == study().definition()
    assert other.settings() != study().settings()


def test_the_order_of_keys_and_the_name_of_a_preset_do_not_define_a_study(changed, study):
    turned = parse(dict(reversed(changed().items())), "study.yaml")
    assert turned.definition() == study().definition()
    spelled_out = study(swift=study().definition()["swift"])
    assert spelled_out.definition() == study().definition()
