"""Constraints are evaluated as written, without running code."""

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.space.constraints import holds

VALUES = {"a": 3, "b": 4, "name": "sgd", "flag": True, "lambda": 0.5, "class": "lambda", "is": 2}


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("a * b <= 12", True),
        ("a * b < 12", False),
        ("(a + 1) // 2 == 2 and b != a", True),
        ("a - b > 0 or b % 2 == 1", False),
        ("not a == 3", False),
        ("1 < a < b", True),
        ("1 < b < a", False),
        ("a ** -1 < 0.34", True),
        ("-a < +b", True),
        ("a / b == 0.75", True),
        ("name == 'sgd'", True),
        ('name != "sgd" or a > 3', False),
        ("flag == True", True),
        ("flag == true and a != false", True),
        ("flag == false or name == 'true'", False),
        ("a == 1 or b == 4 and a == 1", False),
        ("a == 3 or b == 5 and a == 1", True),
        ("not a == 3 or b == 4", True),
        ("3 <= a < b <= 4 != a", True),
        ("a < b == 4 > a", True),
        ("a <\n  b", True),
        ("lambda < 1 and class == 'lambda' and is != lambda", True),
        ("name != 'lambda' and lambda * 2 == 1.0", True),
        ("inactive * 5 < 1", True),
        # without a value, a constraint is not kept
        ("b / (a - 3) < 1", False),
        ("(0 - a) ** 0.5 < 100", False),
        ("a ** a ** a ** a ** a > 0", False),
    ],
)
def test_constraints_are_reckoned_as_written(constraint, expected):
    assert holds(constraint, VALUES) is expected


def test_a_constraint_that_mixes_text_and_numbers_is_told():
    with pytest.raises(UserError, match="must not mix text and numbers, found a = 3, name = 'sgd' in 'name \\* a > 1'"):
        holds("name * a > 1", {"a": 3, "name": "sgd"})
    with pytest.raises(UserError, match="must not mix"):
        holds("name < a", {"a": 3, "name": "sgd"})
