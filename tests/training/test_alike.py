"""Where all trials crash before their first epoch, and alike, the search stops and shows the one error."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.training import alike, batch

if TYPE_CHECKING:
    from conftest import Study

ERROR = "in train_epoch: RuntimeError: cannot train with {"


@pytest.fixture
def broken(study: Study) -> Study:
    """Return a study whose trials a to h cannot train."""
    study = study.of("Broken").with_(give_up_after=3)
    for number, name in enumerate("abcdefgh"):
        study.add(name, number=number)
    return study


def starts(study: Study) -> int:
    return sum(json.loads(path.read_text())["starts"] for path in study.folder.glob("trials/*/failures.json"))


def refused(study: Study, trials: str, workers: int = 1) -> str:
    with pytest.raises(UserError) as caught:
        batch.train_batch(study.folder, study.settings, list(trials), 2, workers)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_trials_that_all_crash_alike_stop_the_search_before_any_is_tried_again(broken: Study, workers: int) -> None:
    error = refused(broken, "abcdefgh", workers)
    count = starts(broken)
    # those that were at work when the third crashed are awaited
    assert 3 <= count <= 2 + workers
    each = rf"{broken.folder}: each of the (\d+) trials that were started crashes in its first epoch, and all"
    # one that was awaited may have crashed after this was said
    assert 3 <= int(re.match(each, error)[1]) <= count
    assert ERROR in error
    assert error.endswith(f"; log: {broken.trial('a')}/logs/start-1.txt")
    # another job of the search, and one that Snakemake starts again, do not even begin
    assert re.match(each, refused(broken, "fgh"))[1] == str(count)
    assert starts(broken) == count


def test_where_one_trial_comes_through_the_others_have_their_own_faults(broken: Study) -> None:
    broken.add("0", sound=True)
    found = batch.train_batch(broken.folder, broken.settings, ["a", "b", "0", "c", "d"], 2)
    assert [trained.status for trained in found.values()] == ["failed", "failed", "ok", "failed", "failed"]
    assert starts(broken) == 4 * 3


def test_a_trial_that_is_still_in_its_first_epoch_may_come_through(broken: Study) -> None:
    with pytest.raises(UserError):
        batch.train_batch(broken.folder, broken.settings, ["a", "b", "c"], 2)
    assert alike.hopeless(broken.folder, 3) is not None
    (broken.trial("h") / "lease").write_text("{}")
    assert alike.hopeless(broken.folder, 3) is None


def test_crashes_of_different_kinds_do_not_stop_the_search(broken: Study) -> None:
    batch.train_batch(broken.folder, broken.of("Misnamed").with_(retries=0).settings, ["a"], 2)
    found = batch.train_batch(broken.folder, broken.settings, ["b", "c", "d"], 2)
    assert {trained.status for trained in found.values()} == {"failed"}


def test_zero_lets_a_search_go_on(broken: Study) -> None:
    found = batch.train_batch(broken.folder, broken.with_(give_up_after=0).settings, list("abcdefgh"), 2)
    assert len(found) == 8
    assert starts(broken) == 8 * 3


def test_crashes_are_forgotten_with_what_was_decided_on_them_where_nothing_was_trained(broken: Study) -> None:
    refused(broken, "abcdefgh")
    place = broken.folder / "bracket=1/round=0"
    for name in ("entry.json", "full/x.json", "promotion.json", "jobs/x.json", "logs/x.log"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("{}")
    assert alike.forget(broken.folder)
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*.*")) == [
        "entry.json",
        "jobs/x.json",
        "logs/x.log",
    ]
    assert starts(broken) == 0
    # the code was mended
    found = batch.train_batch(broken.folder, broken.of("Counter").settings, list("abcdefgh"), 2)
    assert {trained.status for trained in found.values()} == {"ok"}
    assert not alike.forget(broken.folder)


def test_crashes_of_a_study_in_which_something_was_trained_are_not_forgotten(broken: Study) -> None:
    broken.add("0", sound=True)
    batch.train_batch(broken.folder, broken.settings, ["0", "a"], 2)
    assert not alike.forget(broken.folder)
    assert starts(broken) == 3
