"""Damaged study files: each is a study that can be planned and drawn from, or a line a mistake with file and key."""

import copy
import json
import math
import os
import re
import signal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_hyperband.base.errors import UserError
from swift_hyperband.search.plan import Plan, epochs, makespan
from swift_hyperband.space.parameters import Categorical, Float
from swift_hyperband.study.model import Study, load

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("config", "config/studies", "examples")
    for path in (ROOT / folder).glob("*.yaml")
    if "space" in yaml.safe_load(path.read_text())
)
LONGEST = 60
"""Seconds for one file, on a machine that does other things; an endless one takes more."""
DRAWN = 200
"""Trials of a study that are drawn."""


@pytest.fixture(scope="module", autouse=True)
def study_file(tmp_path_factory):
    before = Path.cwd()
    # targets in files are named from the project's folder
    os.chdir(ROOT)
    yield tmp_path_factory.mktemp("fuzz") / "study.yaml"
    os.chdir(before)


# --- damage ------------------------------------------------------------------------------------------------------

WORDS = """\
1e-4 on null - = << {lr} { }} {"a":1} {lr:.3f} ' " a'b é€😀 lambda true epoch ../x a.py:B __main__:A a:b 30min
99999999999min 0min {to:04d} {opt:d} $HOME 010 0x1F 12:30 !!int * & 1e400
"""
texts = st.one_of(
    st.sampled_from(
        [*WORDS.split(), "", " ", "a\nb", "\t", "\x00", "\x07", "\ud800", "\u202e", "a" * 5000, "9" * 5000]
    ),
    st.sampled_from(["lr < 1", "lr ** 2 < 1", "not " * 60 + "lr > 1", "(" * 150 + "lr", "-" * 250 + "lr < 1"]),
    st.text(max_size=12),
)
numbers = st.one_of(
    st.sampled_from(
        [0, 1, -1, 2, 3, 10**5, 10**9, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**20, 10**400]
    ),
    st.sampled_from(
        [0.0, -0.0, 0.1, 1e-4, 5e-324, 1e-310, 2.3e-308, 1e16, 1e155, 1e308, -1e308, math.inf, -math.inf, math.nan]
    ),
    st.integers(-5, 100),
    st.floats(),
)
scalars = st.one_of(texts, numbers, st.booleans(), st.none())
values = st.recursive(
    scalars, lambda below: st.lists(below, max_size=4) | st.dictionaries(texts | st.integers(0, 3), below, max_size=3)
)
ranges = st.builds(
    lambda kind, ends, log: {"type": kind, "low": min(ends), "high": max(ends), "log": log},
    st.sampled_from(["float", "int"]),
    st.lists(numbers.filter(lambda number: number == number), min_size=2, max_size=2),
    st.booleans(),
)
choices = st.builds(
    lambda found, when: {"type": "categorical", "choices": found, **when},
    st.lists(scalars, min_size=1, max_size=5) | st.lists(st.integers(0, 9) | st.floats(0, 1), min_size=1, unique=True),
    st.just({}) | st.builds(lambda v: {"when": {"lr": v}}, values),
)
names = st.sampled_from(["lr", "lambda", "true", "and", "epoch", "seconds", "trial", "loss", "from", "seed", "class"])
sound = st.sampled_from(
    [
        {"type": "float", "low": 1e-5, "high": 0.1, "log": True},
        {"type": "int", "low": -3, "high": 2**40},
        {"type": "categorical", "choices": ["1e-4", "adam", True, 3, 0.5]},
        {"type": "float", "low": 0.0, "high": 1.0, "when": {"loss": [3, "adam"]}},
    ]
)
hyperparameters = st.dictionaries(names, sound | ranges | choices, min_size=1, max_size=4)
constraints = st.lists(
    st.builds(
        lambda one, op, other, more: f"{one} {op} {other}{more}",
        names,
        st.sampled_from(["<", "<=", "==", "!=", "+", "**", "//", "in", "=", "and", "or not"]),
        names | scalars.map(str),
        st.sampled_from(["", " < 3", " and lr > 0", " == true", " == None", " or False"]),
    ),
    max_size=3,
)
SHAPES = {
    ("space",): hyperparameters,
    ("constraints",): constraints,
    ("search",): st.fixed_dictionaries(
        {"max_epochs": st.integers(3, 2000) | numbers},
        optional={
            "algorithm": st.sampled_from(["random", "predicted-random", "one-epoch", "hyperband", "swift-hyperband"]),
            "eta": st.integers(2, 5) | numbers,
            "trials": numbers,
            "full": numbers,
            "seed": numbers,
            "brackets": st.lists(numbers, max_size=4),
        },
    ),
    ("swift",): st.dictionaries(
        st.sampled_from(["d", "k", "decision_fraction", "margin", "extra", "preset"]), scalars, max_size=3
    ),
    ("batch_size",): scalars,
    ("resources",): st.dictionaries(
        st.sampled_from(["workers", "runtime", "gpus", "seconds_per_epoch"]), numbers, max_size=2
    ),
    ("target",): st.fixed_dictionaries(
        {"command": st.lists(texts, min_size=1, max_size=4) | values, "metric": texts, "mode": st.just("min")},
        optional={
            "first_command": values,
            "metrics": st.fixed_dictionaries(
                {"format": st.sampled_from(["csv", "jsonl", "regex"])},
                optional={"path": texts, "epoch": texts, "pattern": texts | st.just("(?P<loss>\\S+)")},
            ),
            "options": values,
        },
    ),
}


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from places(value[number], (*path, number))


@st.composite
def damaged(draw) -> str:
    """Return the text of a study file with one to three things wrong, or odd."""
    text = draw(st.sampled_from(FILES)).read_text()
    content = yaml.safe_load(text)
    for _ in range(draw(st.integers(0, 3))):
        shape = draw(st.sampled_from([*SHAPES, None, None, None]))
        path = shape or draw(st.sampled_from(list(places(content))[1:]))
        part = content
        for step in path[:-1]:
            part = part[step]
        kind = draw(st.sampled_from(["set", "set", "delete", "rename", "wrap"])) if shape is None else "set"
        if kind == "set":
            part[path[-1]] = copy.deepcopy(draw(SHAPES[shape] if shape else values))
        elif kind == "wrap":
            part[path[-1]] = draw(st.sampled_from([[part[path[-1]]], {"a": part[path[-1]]}, [part[path[-1]]] * 2]))
        elif kind == "rename" and isinstance(part, dict):
            part[draw(texts)] = part.pop(path[-1])
        else:
            del part[path[-1]]
        if not isinstance(content, dict) or not content:
            break
        text = draw(st.sampled_from([written, json.dumps]))(content)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 20))
        piece = draw(
            st.sampled_from(
                [
                    "",
                    "'",
                    '"',
                    "\t",
                    ": ",
                    "\n",
                    "- ",
                    "{",
                    "]",
                    "&x ",
                    "*x ",
                    "<<: ",
                    "!!int ",
                    "---\n",
                    "#",
                    "1e400",
                    "%",
                ]
            )
            | texts
        )
        twice = text[at : at + length]
        text = draw(
            st.sampled_from([text[:at] + piece + text[at + length :], text[:at] + piece, text[:at] + twice + text[at:]])
        )
    return text


def written(content) -> str:
    return yaml.dump(content, allow_unicode=True, default_flow_style=None, width=1000)


# --- what must hold ----------------------------------------------------------------------------------------------


def too_long(*_):
    raise TimeoutError(f"a study file took longer than {LONGEST} s")


@settings.get_profile("fuzz")
@given(damaged())
def test_a_damaged_study_file_is_a_study_or_told_in_lines_with_file_and_key(study_file, text):
    study_file.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST)
    try:
        study = load(study_file)
    except UserError as error:
        for line in str(error).split("\n"):
            assert line.startswith(f"{study_file}: "), line
            assert line.isprintable(), line
            assert len(line) < 2000, line
            assert names_what_is_wrong(line.removeprefix(f"{study_file}: ")), line
    else:
        can_be_planned(study)
        can_be_drawn(study)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def names_what_is_wrong(line: str) -> bool:
    whole_file = line.startswith("must ") or re.fullmatch(r"and \d+ mistakes more", line)
    key = re.match(rf"({'|'.join(Study.model_fields)})\b", line)
    of_the_users = re.search(r" is not a key| must be given once| must not be an alias| within each other, ", line)
    return bool(whole_file or key or of_the_users)


def can_be_planned(study: Study) -> None:
    schedule = study.schedule()
    plan = Plan(schedule, study.batch_size, study.resources.workers, study.resources.seconds_per_epoch)
    found = plan.to_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert 0 < found["epochs"]["best"] <= found["epochs"]["worst"]
    assert makespan(schedule, "worst", study.batch_size, 1) == epochs(schedule, "worst")
    assert makespan(schedule, "half", study.batch_size, None) >= study.search.max_epochs - 1


def can_be_drawn(study: Study) -> None:
    stored = json.loads(json.dumps({**study.definition(), **study.settings()}, allow_nan=False))
    assert Study.model_validate(stored) == study
    space = study.search_space().hyperparameters
    for bracket in list(study.schedule().brackets)[-2:]:
        if study.schedule().brackets[bracket][0].trials > DRAWN:
            continue
        for _, configuration in study.trials(bracket).values():
            json.dumps(configuration, allow_nan=False).encode()
            for name, value in configuration.items():
                hyperparameter = space[name]
                if isinstance(hyperparameter, Categorical):
                    assert value in hyperparameter.choices
                else:
                    assert hyperparameter.low <= value <= hyperparameter.high
                    assert type(value) is (float if isinstance(hyperparameter, Float) else int)
                assert not isinstance(value, int) or -(2**63) <= value < 2**63
