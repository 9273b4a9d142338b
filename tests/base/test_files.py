"""Files written whole, and JSON of a known shape: another one is told in one line, with file and key."""

import errno
import math
import os
import re
import resource
from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import append_all, disk_time, mismatch, read_json, whole, write_text

SHAPE = {"names": [str], "batches": {"full": {str: [int]}}, "value": (float, None), "sure": bool}
RIGHT = {"names": ["a"], "batches": {"full": {"x": [1, 2]}}, "value": 3, "sure": True, "more": [None]}


def test_what_has_the_shape_is_read_as_it_is():
    assert mismatch(RIGHT, SHAPE) is None
    assert mismatch(RIGHT | {"value": None}, SHAPE) is None
    assert mismatch({"loss?": 1}, {str: float}) is None
    assert mismatch({}, {"perhaps?": str}) is None
    assert mismatch({"perhaps": 1}, {"perhaps?": str}) == "perhaps must be text, found 1"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"names": None}, "names must be a list, found null"),
        ({"names": ["a", 1]}, "names[1] must be text, found 1"),
        ({"batches": {"full": []}}, "batches.full must be an object, found []"),
        ({"batches": {}}, "batches.full must be an object, found nothing"),
        ({"batches": {"full": {"x": [1, True]}}}, "batches.full.x[1] must be a whole number, found true"),
        ({"value": "3"}, 'value must be a number, found "3"'),
        ({"value": math.inf}, "value must be a number, found Infinity"),
        ({"sure": 1}, "sure must be true or false, found 1"),
        ({"names": "a" * 99}, f'names must be a list, found "{"a" * 39} ...'),
    ],
)
def test_what_has_another_shape_is_told_with_its_key(changes, wrong):
    assert mismatch(RIGHT | changes, SHAPE) == wrong


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "must be JSON, found an empty file"),
        (b'{"names": [', "must be JSON, found Expecting value"),
        (b"\xff\xfe{}", "must be JSON, found 'utf-8' codec can't decode"),
        (b'{"value": NaN}', "must be JSON, found NaN, which JSON does not have"),
        (b"[" * 100_000, "must be JSON, found maximum recursion depth"),
        (b"9" * 5000, "must be JSON, found Exceeds the limit"),
        (b"[]", "it must be an object, found []"),
    ],
)
def test_a_damaged_file_is_one_line_that_says_what_to_do(tmp_path, content, found):
    path = tmp_path / "entry.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_json(path, SHAPE)
    assert str(error.value).startswith(f"{path}: {found}")
    assert str(error.value).endswith("; delete the file and start the search again, nothing trained is lost")
    assert "\n" not in str(error.value)


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path):
    with pytest.raises(UserError, match="must be a file, found a folder; move it away"):
        read_json(tmp_path)


def test_a_folder_in_the_place_of_a_file_is_named_not_the_temporary_file(tmp_path):
    (tmp_path / "provenance.json").mkdir()
    with pytest.raises(UserError, match=f"^{tmp_path}/provenance.json: must be a file, found a folder"):
        write_text(tmp_path / "provenance.json", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["provenance.json"]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "folder" / "state.pt"
    with whole(path) as temporary:
        assert temporary.parent == path.parent, "a rename across file systems would not be one step"
        temporary.write_bytes(b"old")
        assert not path.exists()
    with whole(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_that_is_not_finished_leaves_the_old_one_and_nothing_else(tmp_path, error):
    path = tmp_path / "curve.jsonl"
    write_text(path, "old")

    def write_half():
        with whole(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_do_not_share_a_temporary_one_which_cleaners_find(tmp_path):
    with whole(tmp_path / "state.pt") as temporary:
        temporary.touch()
        assert list(tmp_path.glob(".state.*.tmp")) == [temporary]
        assert f".{os.uname().nodename}.{os.getpid()}." in temporary.name


def test_a_folder_in_the_place_of_a_file_is_told_in_one_line(tmp_path):
    path = tmp_path / "best.yaml"
    path.mkdir()
    with pytest.raises(UserError, match=r"best\.yaml: must be a file, found a folder; move it away"):
        write_text(path, "")
    assert list(tmp_path.iterdir()) == [path]


def test_no_module_but_that_of_files_renames_a_file_into_place():
    source = Path(__file__).parents[2] / "src/swift_hyperband"
    renames = re.compile(r"\b(os\.(replace|rename)\(|temporary\.(replace|rename)\()")
    found = [str(path.relative_to(source)) for path in source.rglob("*.py") if renames.search(path.read_text())]
    # the state of a program is a folder
    assert sorted(found) == ["base/files.py", "targets/program/target.py"]


def test_the_disk_s_clock_is_the_one_that_dates_files(tmp_path):
    before = disk_time(tmp_path)
    (tmp_path / "file").touch()
    assert before <= (tmp_path / "file").stat().st_mtime <= disk_time(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(OSError, match="No such file"):
        disk_time(tmp_path / "not there")


def test_a_line_that_the_disk_takes_in_part_is_not_left_there(tmp_path):
    path = tmp_path / "lines"
    path.write_text("first\n")
    if not (process := os.fork()):
        code = 1
        try:
            # ten bytes more fit, as on a disk that is nearly full
            resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
            append_all(descriptor, b"second\n")
            append_all(descriptor, b"third\n")
        except OSError as error:
            code = 0 if error.errno == errno.EFBIG else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert path.read_text() == "first\nsecond\n"


@pytest.mark.parametrize(
    ("content", "shape", "wrong"),
    [
        ([1, 2.5, None], [(float, None)], None),
        ([1, True], [float], "[1] must be a number, found true"),
        ([1, float("inf")], [(float, None)], "[1] must be a number, found Infinity"),
        ([1, 2.0], [int], "[1] must be a whole number, found 2.0"),
        ({"a": [1.0], "b": [None, "x"]}, {str: [(float, None)]}, 'b[1] must be a number, found "x"'),
        ({"a": [1.0], "b": 2.0}, {str: [float]}, "b must be a list, found 2.0"),
        ([{"x": 1, "y": "a"}, {"x": 2, "y": "b", "z": 0}], [{"x": int, "y": str}], None),
        ([{"x": 1}, {"y": 2}], [{"x": int}], "[1].x must be a whole number, found nothing"),
        ([{"x": 1}, 2], [{"x": int}], "[1] must be an object, found 2"),
        ([{"x": {"p": 1}}, {"x": {"p": "a"}}], [{"x": {str: int}}], '[1].x.p must be a whole number, found "a"'),
        ([{"x?": 1}, {}], [{"x?": int}], None),
        ([{"x": 1}, {"x": "a"}], [{"x?": int}], '[1].x must be a whole number, found "a"'),
        ([{"commit": "a"}, None], [({"commit": str}, None)], None),
        ([{"commit": 1}], [({"commit": str}, None)], "[0].commit must be text, found 1"),
        ([[], {}], [object], None),
    ],
)
def test_many_parts_are_checked_as_one_is(content, shape, wrong):
    assert mismatch(content, shape) == wrong
