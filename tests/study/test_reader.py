"""Files that are no study files: each is one line that says where and why."""

from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.study.model import load
from swift_hyperband.study.reader import LONGEST, read

DEFAULT = Path(__file__).parents[2] / "config" / "config.yaml"


def test_a_byte_order_mark_and_line_ends_of_windows_do_not_matter(written):
    text = DEFAULT.read_text()
    plain = load(DEFAULT)
    assert load(written(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())) == plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a\nname: b\n", "name must be given once, found in lines 1 and 2; delete one"),
        (
            "space:\n  a: {low: 1,\n      low: 2}\n",
            "space.a.low must be given once, found in lines 2 and 3; delete one",
        ),
        ("name: a\n\tspace: 1\n", "must be YAML, but line 2, column 1: "),
        ("name: [a\n", "must be YAML, but line 2, column 1: name: while parsing a flow sequence"),
        ("name: a\n---\nname: b\n", "must be YAML, but line 2, column 1: "),
        ("a: 1\nb: [1, 2\nc: 3\n", "must be YAML, but line 3, column 2: b: "),
        (
            'target:\n  metric: "loss\n  mode: min\n',
            "must be YAML, but line 2, column 11: target.metric: a quote opens",
        ),
        (
            "target:\n  metric: 'loss\n  mode: min\n",
            "must be YAML, but line 2, column 11: target.metric: a quote opens",
        ),
        ("a: &x 1\nb: {c: [*y]}\n", "must be YAML, but line 2, column 9: b.c[0]: found undefined alias 'y'"),
        ("a:\n  b: @x\n", "must be YAML, but line 2, column 6: a.b: while scanning for the next token"),
        ("a: {b: !!python/name:os.system ''}\n", "must be YAML, but line 1, column 8: a.b: could not determine"),
        ("a: {b: [!!int x]}\n", "must be YAML, but line 1, column 9: a.b[0]: ValueError"),
        (f"a: !{'x' * 100_000} 1\n", "must be YAML, but line 1, column 4: a: could not determine a constructor for"),
        ("a: !!timestamp x\n", "must be YAML, but line 1, column 4: a: "),
        (
            "a: {b: 010}\n",
            "must be YAML, but line 1, column 8: a.b: a number must not begin with 0, found '010'; leave",
        ),
        (
            f"a: {{b: {'9' * 5000}}}\n",
            "must be YAML, but line 1, column 8: a.b: a whole number must have at most 64 bits",
        ),
        ("a: {? [1]: 2}\n", "must be YAML, but line 1, column 7: "),
        ("name: a\x07b\n", "must be YAML, but line 1: has the character 0x7; delete it"),
        ("a: &x [*x]\n", "a[0] must not be an alias (*name) of what it is part of"),
        ("a: &x {<<: *x}\n", "a.<< must not be an alias (*name) of what it is part of"),
        ("- name\n", "must hold a mapping of keys, found ['name']"),
        ("just text\n", "must hold a mapping of keys, found 'just text'"),
        ("", "must hold a mapping of keys, found nothing"),
        ("# nothing\n---\n", "must hold a mapping of keys, found nothing"),
        (b"\x89PNG\r\n\x1a\n\x00\x01", "must be a readable text file in UTF-8, but line 1 has the byte 0x89"),
        (
            "name: a\nb: caf\xe9\n".encode("latin-1"),
            "must be a readable text file in UTF-8, but line 2 has the byte 0xe9",
        ),
        ("name: a\n".encode("utf-16"), "must be a readable text file in UTF-8, but line 1 has the byte 0xff"),
    ],
)
def test_what_cannot_be_read_is_told_with_line_and_key(refused, text, expected):
    found = refused(text)
    assert found.startswith(expected)
    assert "\n" not in found
    assert len(found) < 500


def test_a_quote_that_closes_too_late_is_told_where_it_opens(refused):
    text = 'name: "digits\ntarget:\n  metric: "loss"\n'
    assert "is the quote of line 1 meant to close in line 3?" in refused(text)


def test_a_file_that_cannot_be_a_study_is_not_read_to_its_end(refused):
    assert refused("a" * (LONGEST + 1)).startswith(f"must be a text file of at most {LONGEST} bytes")
    with pytest.raises(UserError, match=r"^/dev/zero: must be a text file of at most"):
        read(Path("/dev/zero"))


def test_a_missing_or_unreadable_file_is_told(tmp_path):
    with pytest.raises(UserError, match=r"none.yaml: must be a study file, found no such file$"):
        load(tmp_path / "none.yaml")
    with pytest.raises(UserError, match=r"must be a readable text file, found: .*Is a directory"):
        load(tmp_path)
