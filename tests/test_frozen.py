"""A study that was frozen before a key came into the product goes on as it began."""

import json

import pytest

from swift_hyperband.errors import UserError
from swift_hyperband.results import StudyFolder, check_frozen, freeze, load_frozen, load_study
from swift_hyperband.study import parse


def study(**search):
    raw = {
        "name": "old",
        "target": {"name": "curve-table", "metric": "loss", "mode": "min"},
        "space": {"row": {"type": "int", "low": 0, "high": 39}},
        "search": {"max_epochs": 9, "eta": 3, **search},
    }
    return parse(raw, "study.yaml")


@pytest.fixture
def old(tmp_path):
    """A folder of a study that was frozen before `swift.pay_extra` came."""
    folder = StudyFolder(tmp_path)
    freeze(folder, study())
    content = json.loads(folder.study.read_text())
    del content["definition"]["swift"]["pay_extra"]
    folder.study.write_text(json.dumps(content))
    return folder


def test_its_schedule_stays(old):
    now = study()
    before = check_frozen(old, now).schedule()
    assert before == load_frozen(old).schedule() == load_study(old).schedule()
    assert (before.by_key[1, 0].trials, now.schedule().by_key[1, 0].trials) == (8, 7)
    assert freeze(old, now).schedule() == before


def test_what_differs_is_refused_as_ever(old):
    with pytest.raises(UserError, match=r"search\.eta is 3 in the frozen study, 2 now"):
        check_frozen(old, study(eta=2))


def test_a_new_study_is_frozen_with_all_keys(tmp_path):
    folder = StudyFolder(tmp_path)
    now = study()
    assert freeze(folder, now) == now
    assert load_frozen(folder).schedule() == load_study(folder).schedule() == now.schedule()
