"""The section `target`: what can be trained, and commands."""

from pathlib import Path

import pytest

from swift_hyperband.targets import BUILT_IN


def categorical(*choices):
    return {"type": "categorical", "choices": list(choices)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"target__name": "digits"},
            f"target.name must be {', '.join(BUILT_IN)}, path/to/file.py:Class or package.module:Class, "
            "found 'digits'; did you mean digits-cnn?",
        ),
        ({"target__mode": "maximum"}, "target.mode must be min or max, found 'maximum'; did you mean max?"),
        ({"target__metric_at": "first"}, "target.metric_at must be last or best, found 'first'"),
        ({"target__metric": "epoch"}, "target.metric must be a metric that the target reports, found 'epoch'"),
        (
            {"target__options": {"a": {"b": {1: 2}}}},
            "target.options.a.b must have text as keys, found 1; put it in quotes",
        ),
    ],
)
def test_a_target_that_cannot_be_trained_is_one_line_with_its_key(message, changes, expected):
    assert message(**changes) == f"study.yaml: {expected}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"target__metric": "a\nb"}, "target.metric must be at most 100 characters that can be printed, found 'a\\nb'"),
        (
            {"target__name": "__main__:Model"},
            "target.name must lie in an installed package or in the working directory",
        ),
        ({"target__name": f"{'a' * 5000}.py:Model"}, "target.name must be in a file that exists, found no aaa"),
    ],
)
def test_a_target_that_cannot_be_trained_is_one_line_with_its_key_however_odd(message, changes, expected):
    found = message(**changes)
    assert found.startswith(f"study.yaml: {expected}")
    assert found.isprintable()


def test_a_target_in_a_file_is_found_without_importing_it(study, message, tmp_path, monkeypatch):
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
def test_a_command_that_cannot_be_started_is_one_line_with_its_key(message, key, command, expected):
    target = {"command": "run", "metrics": {"format": "csv", "path": "{folder}/log"}, "metric": "loss", "mode": "min"}
    found = message(target={**target, key: command}, space__kind=categorical("sgd", "adam"))
    assert found.startswith(f"study.yaml: target.{key}{'' if expected.startswith('[') else ' '}{expected}")
    assert "\n" not in found


def test_a_segment_command_is_not_filled_in_and_may_hold_braces(study, message):
    target = {"command": ["run", '{"a": 1}', "{{x}}"], "metric": "loss", "mode": "min"}
    assert study(target=target).target.command == ["run", '{"a": 1}', "{{x}}"]
    assert "left out, as there is no target.metrics, found {x:.3f}" in message(
        target={**target, "command": "run {x:.3f}"}
    )
