"""The words of a command, and what stands in braces in them."""

import pytest

from swift_hyperband.targets.program.template import Placeholder, filled, placeholders, words


def test_names_in_braces_are_filled_and_doubled_braces_stay():
    assert placeholders("--lr={lr} {{x}} {to}") == [Placeholder("lr"), Placeholder("to")]
    assert filled("--lr={lr} {{x}} {to}", {"lr": 0.1, "to": 3}) == "--lr=0.1 {x} 3"
    assert filled('{{"lr": {lr}, "layers": {{"width": {width}}}}}', {"lr": 1e-05, "width": 8}) == (
        '{"lr": 1e-05, "layers": {"width": 8}}'
    )
    assert words("a 'b c' {d}") == ["a", "b c", "{d}"]


def test_a_number_is_written_as_its_format_says():
    assert placeholders("{lr:.3f}") == [Placeholder("lr", ".3f")]
    assert filled("{lr:.3f} {lr:.2e} {to:04d} {kind:>5}", {"lr": 0.0123456, "to": 7, "kind": "sgd"}) == (
        "0.012 1.23e-02 0007   sgd"
    )
    assert filled("[{lr:.3f}{kind}]", {}) == "[]", "a hyperparameter that is not active leaves nothing"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ("{}", "{}"),
        ("{a b}", "{a b}"),
        ("{ a }", "{ a }"),
        ("{a[0]}", "{a[0]}"),
        ("{a.real}", "{a.real}"),
        ("{a!r}", "{a!r}"),
        ("{a:{b}}", "{a:{b}}"),
        ("{a", "a brace without its other half"),
        ("a}", "a brace without its other half"),
    ],
)
def test_what_is_in_braces_and_no_placeholder_is_told(text, found):
    with pytest.raises(ValueError, match=r"^.+$") as caught:
        placeholders(text)
    assert str(caught.value) == found
