"""The default study, changed, and files of any text."""

import copy
from pathlib import Path

import pytest
import yaml

from swift_hyperband.base.errors import UserError
from swift_hyperband.study.model import parse
from swift_hyperband.study.reader import read

DEFAULT = yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text())


def _changed(**changes):
    raw = copy.deepcopy(DEFAULT)
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


@pytest.fixture
def changed():
    """Return the default study's mapping with keys set (a__b stands for a.b) or, with None, taken out."""
    return _changed


@pytest.fixture
def study():
    """Return the default study with keys set or taken out."""
    return lambda **changes: parse(_changed(**changes), "study.yaml")


@pytest.fixture
def message():
    """Return the message that refuses the default study with keys set or taken out."""

    def message(**changes):
        with pytest.raises(UserError) as error:
            parse(_changed(**changes), "study.yaml")
        return str(error.value)

    return message


@pytest.fixture
def written(tmp_path):
    """Return the path of a file with a text, or with bytes."""

    def written(text):
        path = tmp_path / "study.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


@pytest.fixture
def refused(written):
    """Return the lines that refuse a text, without the name of its file."""

    def refused(text):
        path = written(text)
        with pytest.raises(UserError) as error:
            read(path)
        found = str(error.value)
        assert all(line.startswith(f"{path}: ") for line in found.split("\n"))
        return found.replace(f"{path}: ", "")

    return refused
