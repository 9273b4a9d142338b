"""Sections, written as models or made of dataclasses: unknown keys, types and bounds are one line each."""

from dataclasses import dataclass
from typing import Literal

import pytest

from swift_hyperband.base.errors import KeysError
from swift_hyperband.base.keys import key
from swift_hyperband.study.section import checked, section


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"space__dropout__hihg": 0.9, "space__dropout__high": None},
            "space.dropout.hihg is not a key; did you mean high?",
        ),
        ({"search__eta": "three"}, "search.eta must be a whole number, found 'three'"),
        (
            {"target__metric": None},
            "target.metric must be given, found nothing (The metric of the target that is optimised)",
        ),
        ({"serach": {}, "search": None}, "serach is not a key; did you mean search?"),
        (
            {"predictor__kernel": "rbf"},
            "predictor.kernel is not a key; the keys here are name, target, features, scaling, C, nu, values, errors, "
            "fewest_curves, far, qsvr, sampler",
        ),
        ({"swift__D": 3}, "swift.D is not a key; did you mean d?"),
        ({"predictor__C": 1e308}, "predictor.C must be at most 1000000, found 1e+308"),
        (
            {"predictor__sampler": {"chain_strength": 1e300}},
            "predictor.sampler.chain_strength must be at most 1000000, found 1e+300",
        ),
        ({"predictor__qsvr": {"base": 1e300}}, "predictor.qsvr.base must be at most 100, found 1e+300"),
        ({"predictor__qsvr": {"offset": -1e308}}, "predictor.qsvr.offset must be at least -12, found -1e+308"),
        ({"predictor__qsvr": {"epsilon": 1e308}}, "predictor.qsvr.epsilon must be at most 1000000, found 1e+308"),
        ({"target": ["digits-cnn"]}, "target must be a mapping of keys, found ['digits-cnn']"),
        ({"search__eta": True}, "search.eta must be a whole number, found true"),
        ({"search__eta": 2.5}, "search.eta must be a whole number, found 2.5"),
        ({"search__eta": "3"}, "search.eta must be a whole number, found '3'"),
        ({"space__dropout": 0.5}, "space.dropout must be a mapping of keys, found 0.5"),
        ({"swift__k": 0}, "swift.k must be above 0, found 0"),
        ({"swift__k": 1.5}, "swift.k must be at most 1, found 1.5"),
        ({"swift__d": 2}, "swift.d must be at least 3, found 2"),
        ({"resources__workers": 0}, "resources.workers must be at least 1, found 0"),
    ],
)
def test_a_mistake_in_a_key_is_one_line_with_its_path(message, changes, expected):
    assert message(**changes) == f"study.yaml: {expected}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"": 1}, "'' is not a key; the keys here are name, target, "),
        ({"a\nb": 1}, "a\\nb is not a key; the keys here are name, target, "),
        ({"swift__extra": 1e300}, "swift.extra must be at most 100, found 1e+300"),
        (
            {"predictor__qsvr": {"gamma": "scal"}},
            "predictor.qsvr.gamma must be scale or a number above 0, found 'scal'",
        ),
        ({"predictor__qsvr": {"gamma": [1]}}, "predictor.qsvr.gamma must be scale or a number above 0, found [1]"),
    ],
)
def test_a_mistake_in_a_key_is_one_line_with_its_path_however_odd(message, changes, expected):
    found = message(**changes)
    assert found.startswith(f"study.yaml: {expected}")
    assert found.isprintable()


def test_very_many_mistakes_are_told_as_the_first_of_them(message):
    found = message(search__brackets=["x"] * 30_000).splitlines()
    assert found[0] == "study.yaml: search.brackets[0] must be a whole number, found 'x'"
    assert found[20:] == ["study.yaml: and 29980 mistakes more"]


def test_each_of_several_mistakes_has_its_line(message):
    assert message(search__eta=1, resources__workers=0, space__dropout__low="x").splitlines() == [
        "study.yaml: space.dropout.low must be a number, found 'x'",
        "study.yaml: search.eta must be at least 2, found 1",
        "study.yaml: resources.workers must be at least 1, found 0",
    ]


@dataclass(frozen=True)
class PumpSettings:
    """What a pump does.

    A second paragraph is for those who read the source.
    """

    kind: Literal["foot", "hand"] = key("foot", "Which.")
    bar: float | None = key(None, "Pressure, in bar.", gt=0, lt=12)
    strokes: Literal["auto"] | int = key("auto", "How many.", ge=1)
    secret: int = 0


def test_a_section_made_of_a_dataclass_has_its_keys_bounds_defaults_and_meaning():
    schema = section(PumpSettings).model_json_schema()
    assert (schema["title"], schema["description"]) == ("Pump", "What a pump does.")
    assert list(schema["properties"]) == ["kind", "bar", "strokes"]
    kind, bar, strokes = schema["properties"].values()
    assert (kind["enum"], kind["default"], kind["description"]) == (["foot", "hand"], "foot", "Which.")
    assert bar["anyOf"] == [{"exclusiveMinimum": 0, "exclusiveMaximum": 12, "type": "number"}, {"type": "null"}]
    assert strokes["anyOf"] == [{"const": "auto", "type": "string"}, {"minimum": 1, "type": "integer"}]


def test_values_for_a_dataclass_are_checked_as_those_of_a_file():
    assert checked(PumpSettings, {"bar": 3}, "", "pump") == PumpSettings(bar=3.0)
    with pytest.raises(KeysError) as error:
        checked(PumpSettings, {"kind": "had", "bar": 12}, "shop.yaml", "pump")
    assert str(error.value).splitlines() == [
        "shop.yaml: pump.kind must be foot or hand, found 'had'; did you mean hand?",
        "shop.yaml: pump.bar must be below 12, found 12",
    ]
    with pytest.raises(KeysError, match=r"^pump\.secret is not a key; the keys here are kind, bar, strokes$"):
        checked(PumpSettings, {"secret": 1}, "", "pump")
