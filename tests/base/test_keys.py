"""Keys are fields of plain dataclasses: their values go to JSON and back."""

from dataclasses import dataclass

from swift_hyperband.base import keys
from swift_hyperband.base.keys import key


@dataclass(frozen=True)
class Wheel:
    spokes: int = key(32, "Spokes.", ge=3)
    given_by_hand: str = "no key"


@dataclass(frozen=True)
class Bicycle:
    gears: int = key(1, "Gears.", ge=1, le=30)
    wheel: Wheel = key(Wheel(), "Both wheels.")


def test_fields_that_are_no_keys_are_left_out():
    assert list(keys.of(Wheel)) == ["spokes"]
    assert keys.values(Bicycle(3, Wheel(24, "hand"))) == {"gears": 3, "wheel": {"spokes": 24}}


def test_a_dataclass_is_built_from_the_values_of_its_keys_with_the_sections_within():
    assert keys.build(Bicycle, {"gears": 3, "wheel": {"spokes": 24}}) == Bicycle(3, Wheel(24))
    assert keys.build(Bicycle, {"gears": 7}) == Bicycle(7)
    assert (keys.section(Bicycle, "wheel"), keys.section(Bicycle, "gears")) == (Wheel, None)
