import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.space.parameters import Categorical, Float, Int
from swift_hyperband.study.documents import BEGIN, END, README, SCHEMA, json_schema, keys_table, write_docs
from swift_hyperband.study.frozen import differences
from swift_hyperband.study.model import NOT_DEFINING, Study, load, parse
from swift_hyperband.targets import BUILT_IN

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT / "config" / "config.yaml"


def changed(**changes):
    """Return the default study's mapping with keys set (a__b stands for a.b) or, with None, taken out."""
    raw = yaml.safe_load(DEFAULT.read_text())
    for path, value in changes.items():
        *sections, key = path.split("__")
        part = raw
        for section in sections:
            part = part.setdefault(section, {})
        if value is None:
            del part[key]
        else:
            part[key] = value
    return raw


def study(**changes):
    return parse(changed(**changes), "study.yaml")


def message(**changes) -> str:
    with pytest.raises(UserError) as error:
        study(**changes)
    return str(error.value)


def categorical(*choices):
    return {"type": "categorical", "choices": list(choices)}


# the default study, presets


def test_the_default_study_is_a_search_of_60_configurations_that_can_save_epochs():
    found = load(DEFAULT)
    schedule = found.schedule()
    assert found.name == "digits"
    assert found.target.name == "digits-cnn"
    assert found.metric == Metric("accuracy", "max")
    assert (schedule.configurations, schedule.epochs_hyperband) == (60, 357)
    assert schedule.epochs_best < 0.8 * 357
    assert found.search_space().hyperparameters == {
        "learning_rate": Float(1e-3, 1.0, log=True),
        "weight_decay": Float(1e-6, 1e-1, log=True),
        "dropout": Float(0.0, 0.8),
    }


def test_the_metric_is_known_without_dumping_the_study(monkeypatch):
    found = load(DEFAULT)
    monkeypatch.setattr(Study, "model_dump", None)
    assert found.metric.loss(0.9) == -0.9


def test_the_published_preset_is_that_of_the_paper():
    found = study(swift__preset="published")
    rules, schedule = found.rules(), found.schedule()
    assert schedule.epochs_best == 351
    assert (rules.swift.threshold, rules.swift.threshold_quantile, rules.swift.margin) == ("quantile", 0.25, 0.0)
    assert (found.swift.d, found.swift.k, found.swift.decision_fraction, found.swift.share_curves) == (
        15,
        0.5,
        0.5,
        True,
    )
    predictor = rules.predictor
    assert (predictor.name, predictor.target, predictor.features, predictor.scaling) == (
        "svr",
        "value",
        "values",
        "minmax",
    )
    assert (predictor.C, predictor.nu) == (1.0, 0.5)


def test_a_preset_fills_only_what_is_left_out():
    found = study(swift={"preset": "published", "d": 10}, predictor={"name": "last-value"})
    assert (found.swift.d, found.swift.decision_fraction) == (10, 0.5)
    assert (found.predictor.name, found.predictor.scaling) == ("last-value", "minmax")


def test_swift_and_predictor_may_be_left_out():
    assert study(swift=None) == study()


def test_hyperband_stops_nobody_by_prediction():
    assert study(search__algorithm="hyperband").schedule().epochs_best == 357


# types


@pytest.mark.parametrize("written", ["1e-3", "1E-3", "1.e-3", "0.001", "+.1e-2"])
def test_numbers_may_be_written_with_an_exponent(tmp_path, written):
    path = tmp_path / "study.yaml"
    text = DEFAULT.read_text()
    text = text.replace("low: 1.0e-3", f"low: {written}").replace("options: {}", f"options: {{rate: [{written}]}}")
    path.write_text(text.replace("dropout:", f"batch: {{type: categorical, choices: [{written}, 1e5]}}\n  dropout:"))
    found = load(path)
    assert found.search_space().hyperparameters["learning_rate"] == Float(1e-3, 1.0, log=True)
    assert found.search_space().hyperparameters["batch"] == Categorical((0.001, 1e5))
    assert found.target.options == {"rate": [0.001]}


def test_conditions_may_be_written_as_a_value_or_a_list():
    extra = {"rate": categorical(1e-3, 0.1), "kind": categorical("a", True, 3)}
    for given, expected in [
        ({"rate": 1e-3}, {"rate": (0.001,)}),
        ({"kind": ["a", True], "rate": 0.1}, {"kind": ("a", True), "rate": (0.1,)}),
    ]:
        width = {"type": "int", "low": 1, "high": 9, "when": given}
        found = study(space={**extra, "width": width}).search_space().hyperparameters["width"]
        assert found == Int(1, 9, when=expected)


def test_names_that_look_like_numbers_stay_names():
    assert study(name="1e3").name == "1e3"


def test_trials_start_in_their_slots_and_come_by_id():
    found = study(search__brackets=[3, 1])
    trials = found.trials(3)
    assert list(trials) == sorted(trials)
    assert sorted(slot for slot, _ in trials.values()) == list(range(27))
    assert set(trials).isdisjoint(found.trials(1))
    assert trials != study(search__seed=2).trials(3)
    assert all(configuration.keys() == found.space.keys() for _, configuration in trials.values())


# targets


def test_a_target_in_a_file_is_found_without_importing_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("from other import Theirs\n\nclass Mine:\n    pass\n\nraise SystemExit\n")
    assert study(target__name="mine.py:Mine").target.name == "mine.py:Mine"
    assert study(target__name="mine.py:Theirs").target.name == "mine.py:Theirs"
    assert study(target__name="mine:Mine").target.name == "mine:Mine"
    assert study(target__name="json.decoder:JSONDecoder").target.name == "json.decoder:JSONDecoder"
    Path("broken.py").write_text("class Mine\n")
    for name, expected in [
        ("mine.py:Mime", "must name a class of mine.py, found 'Mime'; did you mean Mine?"),
        ("other.py:Mine", f"must be in a file that exists, found no other.py in {tmp_path}"),
        ("broken.py:Mine", "must be in a Python file, found that broken.py is none: "),
        ("unheard_of.models:Mine", "found no package 'unheard_of' for 'unheard_of.models:Mine'"),
        ("digit-cnn", "found 'digit-cnn'; did you mean digits-cnn?"),
        ("mine.py", "curve-table, path/to/file.py:Class or package.module:Class, found 'mine.py'"),
    ]:
        found = message(target__name=name)
        assert found.startswith("study.yaml: target.name ")
        assert expected in found
        assert "\n" not in found


# mistakes: one line each


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # the ten of a user who edits the file in a hurry
        (
            {"space__dropout__hihg": 0.9, "space__dropout__high": None},
            "space.dropout.hihg is not a key; did you mean high?",
        ),
        ({"search__eta": "three"}, "search.eta must be a whole number, found 'three'"),
        ({"space__dropout__low": 0.9}, "space.dropout.low must be below high (0.8), found 0.9"),
        ({"space__weight_decay__low": 0}, "space.weight_decay.low must be above 0 where log is true, found 0"),
        ({"search__eta": 1}, "search.eta must be at least 2, found 1"),
        ({"search__max_epochs": 2}, "search.max_epochs must be at least eta (3), found 2"),
        (
            {"target__name": "digits"},
            f"target.name must be {', '.join(BUILT_IN)}, path/to/file.py:Class or package.module:Class, "
            "found 'digits'; did you mean digits-cnn?",
        ),
        ({"target__mode": "maximum"}, "target.mode must be min or max, found 'maximum'; did you mean max?"),
        (
            {"target__metric": None},
            "target.metric must be given, found nothing (The metric of the target that is optimised)",
        ),
        (
            {"space__momentum": {"type": "float", "low": 0, "high": 1, "when": {"optimiser": "sgd"}}},
            "space.momentum.when.optimiser names no hyperparameter of the space",
        ),
        # keys
        ({"serach": {}, "search": None}, "serach is not a key; did you mean search?"),
        (
            {"predictor__kernel": "rbf"},
            "predictor.kernel is not a key; the keys here are name, target, features, scaling, C, nu, fewest_curves, "
            "far, qsvr, sampler",
        ),
        # a key that the preset fills
        ({"swift__D": 3}, "swift.D is not a key; did you mean d?"),
        # numbers with which a fit would overflow, or never end
        ({"predictor__C": 1e308}, "predictor.C must be at most 1000000, found 1e+308"),
        (
            {"predictor__sampler": {"chain_strength": 1e300}},
            "predictor.sampler.chain_strength must be at most 1000000, found 1e+300",
        ),
        ({"predictor__qsvr": {"base": 1e300}}, "predictor.qsvr.base must be at most 100, found 1e+300"),
        ({"predictor__qsvr": {"offset": -1e308}}, "predictor.qsvr.offset must be at least -12, found -1e+308"),
        ({"predictor__qsvr": {"epsilon": 1e308}}, "predictor.qsvr.epsilon must be at most 1000000, found 1e+308"),
        ({"target": ["digits-cnn"]}, "target must be a mapping of keys, found ['digits-cnn']"),
        ({"space": {True: categorical(1)}}, "space must have text as keys, found true; put it in quotes"),
        (
            {"space__2nd": categorical(1)},
            "space.2nd must be named by letters, digits and _, not starting with a digit, found '2nd'",
        ),
        ({"space": {}}, "space must hold at least one entry, found none"),
        # types
        ({"search__eta": True}, "search.eta must be a whole number, found true"),
        ({"search__eta": 2.5}, "search.eta must be a whole number, found 2.5"),
        ({"search__eta": "3"}, "search.eta must be a whole number, found '3'"),
        ({"space__dropout__low": False}, "space.dropout.low must be a number, found false"),
        ({"space__dropout__low": "zero"}, "space.dropout.low must be a number, found 'zero'"),
        ({"space__dropout__high": float("inf")}, "space.dropout.high must be a finite number, found inf"),
        ({"space__dropout__log": 1}, "space.dropout.log must be true or false, found 1"),
        (
            {"space__dropout__type": "flaot"},
            "space.dropout.type must be float, int or categorical, found 'flaot'; did you mean float?",
        ),
        ({"space__dropout__type": None}, "space.dropout.type must be float, int or categorical, found nothing"),
        ({"space__dropout": 0.5}, "space.dropout must be a mapping of keys, found 0.5"),
        ({"name": 12}, "name must be text, found 12; put it in quotes"),
        (
            {"name": "My study"},
            "name must be small letters, digits, _ and -, as it names the folder of the results, found 'My study'",
        ),
        (
            {"batch_size": "atuo"},
            "batch_size must be auto, a whole number of at least 1 or a time such as 30min, found 'atuo'",
        ),
        ({"batch_size": 0}, "batch_size must be auto, a whole number of at least 1 or a time such as 30min, found 0"),
        ({"target__metric": "epoch"}, "target.metric must be a metric that the target reports, found 'epoch'"),
        (
            {"target__options": {"a": {"b": {1: 2}}}},
            "target.options.a.b must have text as keys, found 1; put it in quotes",
        ),
        # bounds
        ({"swift__k": 0}, "swift.k must be above 0, found 0"),
        ({"swift__k": 1.5}, "swift.k must be at most 1, found 1.5"),
        ({"swift__d": 2}, "swift.d must be at least 3, found 2"),
        ({"resources__workers": 0}, "resources.workers must be at least 1, found 0"),
        ({"search__brackets": [4]}, "search.brackets must be from 0 to 3 for max_epochs 27 and eta 3, found 4"),
        ({"search__brackets": [1, 1]}, "search.brackets must hold each bracket once, found 1 twice"),
        ({"search__brackets": []}, "search.brackets must hold at least one bracket, found none; leave it out for all"),
        ({"search__brackets": [0, "all"]}, "search.brackets[1] must be a whole number, found 'all'"),
        # choices, conditions, constraints
        ({"space__o": categorical()}, "space.o.choices must hold at least one entry, found none"),
        ({"space__o": categorical("a", "a")}, "space.o.choices must hold different values, found 'a' and 'a'"),
        (
            {"space__o": categorical("a", ["b"])},
            "space.o.choices[1] must be text, a number or true/false, found ['b']",
        ),
        (
            {"space__o": categorical("sgd", "adam"), "space__dropout__when": {"o": "sdg"}},
            "space.dropout.when.o must be sgd or adam, found 'sdg'; did you mean sgd?",
        ),
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
def test_a_mistake_is_told_in_one_line_with_its_key(changes, expected):
    assert message(**changes) == f"study.yaml: {expected}"


def ranged(low, high, kind="float", **more):
    return {"space__x": {"type": kind, "low": low, "high": high, **more}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # ranges that cannot be drawn from
        (ranged(-1e308, 1e308), "space.x.low must be less than 1.8e+308 below high (1e+308), or nothing can be drawn "),
        (ranged(5e-324, 1.0, log=True), "space.x.low must be 0 or at least 2.2e-308 in size, as smaller numbers are "),
        (ranged(-1.0, -1e-310), "space.x.high must be 0 or at least 2.2e-308 in size"),
        (
            ranged(1.0, 1.0000000000000002),
            "space.x.low must lie further below high (1.0000000000000002), as a computer ",
        ),
        (ranged(1e16, 1e16 + 100), "space.x.low must lie further below high (1.00000000000001e+16)"),
        (ranged(1e300, 1.00000000001e300, log=True), "space.x.low must lie further below high (1.00000000001e+300)"),
        (
            ranged(0, 2**53, "int"),
            "space.x.low must be less than 9007199254740992 (2^53) below high (9007199254740992)",
        ),
        (ranged(1, 2**50, "int", log=True), "space.x.high must be at most 140737488355328 where log is true"),
        # whole numbers beyond 64 bits, wherever they stand
        (ranged(0, 10**20, "int"), "space.x.high must be a whole number of at most 64 bits, or a real one such as "),
        (ranged(0, 10**20), "space.x.high must be a whole number of at most 64 bits, or a real one such as 1.0e+20"),
        (ranged(0, 10**400, "int"), "space.x.high must be a whole number of at most 64 bits, or a real one such as "),
        ({"space__x": categorical(1, -(2**63) - 1)}, "space.x.choices[1] must be a whole number of at most 64 bits"),
        ({"space__dropout__when": {"x": 2**64}}, "space.dropout.when.x must be a whole number of at most 64 bits"),
        ({"search__seed": 2**63}, "search.seed must be a whole number of at most 64 bits"),
        ({"search__trials": 2**63}, "search.trials must be a whole number of at most 64 bits"),
        ({"target__options": {"a": [{"b": 2**64}]}}, "target.options.a[0].b must be a whole number of at most 64 bits"),
        (
            {"space__x": categorical(0.5, 2**53 + 1)},
            "space.x.choices must hold whole numbers of at most 9007199254740992",
        ),
        # what is one value in a table
        ({"space__x": categorical(1, True)}, "space.x.choices must hold different values, found 1 and true"),
        ({"space__x": categorical(1, 1.0)}, "space.x.choices must hold different values, found 1 and 1.0"),
        (
            {"space__x": categorical(1, "1")},
            "space.x.choices must hold values that differ as text, too, as they are one ",
        ),
        # text that nothing can hold
        ({"space__x": categorical("a\0", "b")}, "space.x.choices[0] must be text without the character 0"),
        (
            {"space__x": categorical("\ud800", "b")},
            "space.x.choices[0] must be text without the character 0 and without ",
        ),
        ({"target__metric": "a\nb"}, "target.metric must be at most 100 characters that can be printed, found 'a\\nb'"),
        (
            {"name": "a\nb"},
            "name must be small letters, digits, _ and -, as it names the folder of the results, found 'a\\nb'",
        ),
        ({"": 1}, "'' is not a key; the keys here are name, target, "),
        ({"space__ ": categorical(1)}, "space.' ' must be named by letters, digits and _, not starting with a digit, "),
        ({"a\nb": 1}, "a\\nb is not a key; the keys here are name, target, "),
        ({"space__" + "x" * 101: categorical(1)}, f"space.{'x' * 77}... must have a name of at most 100 characters"),
        (
            {"target__name": "__main__:Model"},
            "target.name must lie in an installed package or in the working directory",
        ),
        ({"target__name": f"{'a' * 5000}.py:Model"}, "target.name must be in a file that exists, found no aaa"),
        # sizes
        (
            {"search__max_epochs": 10**7},
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
        ({"swift__extra": 1e300}, "swift.extra must be at most 100, found 1e+300"),
        ({"batch_size": "9" * 400 + "min"}, "batch_size must be at most 525600min, found '999"),
        ({"space": {f"x{n}": categorical(1) for n in range(1001)}}, "space must hold at most 1000 entries, found 1001"),
        ({"constraints": ["dropout < 1"] * 1001}, "constraints must hold at most 1000 entries, found 1001"),
        # one line for keys that may hold one of several kinds
        (
            {"predictor__qsvr": {"gamma": "scal"}},
            "predictor.qsvr.gamma must be scale or a number above 0, found 'scal'",
        ),
        ({"predictor__qsvr": {"gamma": [1]}}, "predictor.qsvr.gamma must be scale or a number above 0, found [1]"),
        (
            {"batch_size": [1]},
            "batch_size must be auto, a whole number of at least 1 or a time such as 30min, found [1]",
        ),
        ({"space__x": categorical(1, None)}, "space.x.choices[1] must be text, a number or true/false, found nothing"),
        # words of constraints as names
        (
            {"space__and": categorical(1), "constraints": ["dropout < 1"]},
            "space.and must have another name, as it is a word of constraints; rename it",
        ),
    ],
)
def test_what_could_not_be_drawn_stored_or_finished_is_one_line_with_its_key(changes, expected):
    found = message(**changes)
    assert found.startswith(f"study.yaml: {expected}")
    assert found.isprintable()


def test_the_widest_and_the_narrowest_ranges_are_drawn_from_evenly():
    found = study(
        space={
            "wide": {"type": "float", "low": -8e307, "high": 8e307},
            "log": {"type": "float", "low": 1e-300, "high": 1e300, "log": True},
            "narrow": {"type": "float", "low": 1.0, "high": 1.000000000001},
            "int": {"type": "int", "low": -(2**52), "high": 2**52 - 1},
            "large": {"type": "int", "low": 2**63 - 4, "high": 2**63 - 1},
        }
    )
    space = found.search_space()
    drawn = [configuration for _, configuration in found.trials(3).values()]
    for name, values in {name: [row[name] for row in drawn] for name in space.hyperparameters}.items():
        low, high = space.hyperparameters[name].low, space.hyperparameters[name].high
        assert low <= min(values) < max(values) <= high
        assert len(set(values)) == (4 if name == "large" else len(values))
    assert 0 < sum(row["wide"] < 0 for row in drawn) < len(drawn)
    assert 0 < sum(row["log"] < 1 for row in drawn) < len(drawn)
    assert len({row["int"] % 2 for row in drawn}) == 2


def test_a_search_of_a_hundred_thousand_trials_is_loaded_and_planned():
    found = study(search__max_epochs=10**5, search__eta=2, constraints=["dropout < 0.7"])
    assert found.schedule().configurations == 140_761


def test_very_many_mistakes_are_told_as_the_first_of_them():
    found = message(search__brackets=["x"] * 30_000).splitlines()
    assert found[0] == "study.yaml: search.brackets[0] must be a whole number, found 'x'"
    assert found[20:] == ["study.yaml: and 29980 mistakes more"]


def test_thousands_of_choices_are_compared_at_once_and_shown_in_part():
    many = [f"c{number}" for number in range(20_000)]
    kinds = {"kind": categorical(*many), "x": {"type": "int", "low": 1, "high": 9, "when": {"kind": many[:-1]}}}
    assert len(study(space=kinds).space["kind"].choices) == 20_000
    kinds["x"]["when"] = {"kind": "c1x"}
    assert "c19 or another of 20000, found 'c1x'; did you mean c1?" in message(space=kinds)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ([], "must begin with the program's name, found []"),
        ("  ", "must begin with the program's name, found '  '"),
        ([""], "must begin with the program's name, found ['']"),
        ("run 'it", "must close each quote in it, found 'run 'it'"),
        ({"a": 1}, "must be a text or a list of words, found a mapping"),
        (["run", {"lr": None}], "[1] must be a word, found a mapping; put it in quotes"),
        (["run", None], "[1] must be a word, found nothing; put it in quotes"),
        (["run", ["a"]], "[1] must be a word, found ['a']; put it in quotes"),
        (
            ["run", "{dropuot}"],
            "must have names in braces that are learning_rate, weight_decay, dropout, kind, from, to, ",
        ),
        (["run", "{0}"], "must have names in braces that are learning_rate, weight_decay, dropout, kind, from, to, "),
        (["run", '{"a": 1}'], 'must have {name} or {name:format} in braces, found {"a": 1}; braces that stand for'),
        (["run", "{dropout"], "must have {name} or {name:format} in braces, found a brace without its other half; "),
        (["run", "{dropout:zz}"], "must have a format that fits each value of dropout, found {dropout:zz}, one that "),
        (
            ["run", "{dropout:d}"],
            "must have a format that fits each value of dropout, found {dropout:d}, one that does ",
        ),
        (
            ["run", "{kind:.3f}"],
            "must have a format that fits each value of kind, found {kind:.3f}, one that does not fit ",
        ),
        (
            ["run", "{folder:d}"],
            "must have a format that fits each value of folder, found {folder:d}, one that does not ",
        ),
        (["run", "{to:c}"], "must have a format that fits each value of to, found {to:c}, one that makes a character"),
        (
            ["run", "{dropout:9999999999}"],
            "must have a format that fits each value of dropout, found {dropout:9999999999}",
        ),
    ],
)
@pytest.mark.parametrize("key", ["command", "first_command"])
def test_a_command_that_cannot_be_started_is_one_line_with_its_key(key, command, expected):
    target = {"command": "run", "metrics": {"format": "csv", "path": "{folder}/log"}, "metric": "loss", "mode": "min"}
    found = message(target={**target, key: command}, space__kind=categorical("sgd", "adam"))
    assert found.startswith(f"study.yaml: target.{key}{'' if expected.startswith('[') else ' '}{expected}")
    assert "\n" not in found


def test_a_segment_command_is_not_filled_in_and_may_hold_braces():
    target = {"command": ["run", '{"a": 1}', "{{x}}"], "metric": "loss", "mode": "min"}
    assert study(target=target).target.command == ["run", '{"a": 1}', "{{x}}"]
    assert "left out, as there is no target.metrics, found {x:.3f}" in message(
        target={**target, "command": "run {x:.3f}"}
    )


def test_each_of_several_mistakes_has_its_line():
    assert message(search__eta=1, resources__workers=0, space__dropout__low="x").splitlines() == [
        "study.yaml: space.dropout.low must be a number, found 'x'",
        "study.yaml: search.eta must be at least 2, found 1",
        "study.yaml: resources.workers must be at least 1, found 0",
    ]


# freezing


def test_a_study_is_read_back_from_its_definition_and_settings():
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


def test_resources_retries_batch_size_and_kept_states_do_not_define_a_study():
    other = study(resources={"workers": 7, "gpus": 1}, retries=0, batch_size=3, keep_states=True)
    assert other.definition() == study().definition()
    assert other.settings() != study().settings()


def test_the_order_of_keys_and_the_name_of_a_preset_do_not_define_a_study():
    turned = parse(dict(reversed(changed().items())), "study.yaml")
    assert turned.definition() == study().definition()
    spelled_out = study(swift=study().definition()["swift"])
    assert spelled_out.definition() == study().definition()


def test_what_differs_from_the_frozen_study_is_told():
    now = changed(
        search__max_epochs=81,
        space__dropout=None,
        space__width={"type": "int", "low": 1, "high": 9},
        swift__preset="published",
    )
    found = differences(study().definition(), parse(now, "study.yaml").definition())
    assert found[:3] == [
        ("space.dropout", "is in the frozen study, not now"),
        ("space.width", "is not in the frozen study"),
        ("search.max_epochs", "is 27 in the frozen study, 81 now"),
    ]
    assert ("swift.threshold", 'is "promotion" in the frozen study, "quantile" now') in found
    assert differences(study().definition(), study().definition()) == []


# what is generated


def test_the_schema_accepts_studies_and_refuses_typos():
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    conditional = {"type": "float", "low": 0, "high": 1, "when": {"o": "sgd"}}
    for raw in [
        changed(),
        changed(swift=None, constraints=None, resources=None, batch_size=4, search__brackets=[1]),
        changed(space__o=categorical("sgd", 3, 0.5, True), space__momentum=conditional, constraints=["momentum < 1"]),
        {**study().definition(), **study().settings()},
    ]:
        validator.validate(raw)
        parse(raw, "study.yaml")
    for changes in [
        {"serach": {}},
        {"space__dropout__lwo": 1},
        {"space__dropout__type": "flaot"},
        {"space__2nd": categorical(1)},
        {"target__mode": "maximum"},
        {"search__eta": 1},
        {"search__max_epochs": None},
        {"batch_size": "atuo"},
        {"swift__k": 0},
    ]:
        assert not validator.is_valid(changed(**changes)), changes


def test_schema_and_table_of_keys_are_in_step_with_the_model(tmp_path):
    (tmp_path / README).parent.mkdir()
    (tmp_path / README).write_text((ROOT / README).read_text())
    write_docs(tmp_path)
    for path in (README, SCHEMA):
        text = (ROOT / path).read_text()
        assert text == (tmp_path / path).read_text(), "run 'make docs' to write it anew"
    assert f"{BEGIN}\n{keys_table()}\n{END}" in (ROOT / README).read_text()


def test_the_table_tells_what_a_preset_changes():
    table = keys_table()
    assert "| `swift.d` | whole number ≥ 3 | `5`; published: `15` |" in table
    assert "| `search.max_epochs` | whole number | required |" in table
    assert "| `batch_size` | `auto` or whole number ≥ 1 or a time such as `30min` | `auto` |" in table


def test_a_readme_without_markers_is_told(tmp_path):
    (tmp_path / README).parent.mkdir()
    (tmp_path / README).write_text("nothing\n")
    with pytest.raises(UserError, match="must hold the lines"):
        write_docs(tmp_path)


def test_the_example_studies_of_the_manual_are_valid(tmp_path):
    blocks = [block.split("```")[0] for block in (ROOT / README).read_text().split("```yaml\n")[1:]]
    raw = changed()
    for block in blocks:
        raw |= yaml.safe_load(block)
    found = parse(raw, "README.md")
    assert found.swift.d == 10
    assert "momentum" in found.space


def test_reading_a_study_imports_nothing_heavy():
    code = f"""
import sys
from pathlib import Path
from swift_hyperband.study.model import load
study = load(Path({str(DEFAULT)!r}))
study.trials(3), study.definition()
print([name for name in ("numpy", "torch", "sklearn", "rich", "matplotlib", "snakemake") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
