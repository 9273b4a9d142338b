"""What searches offer to a larger one, and how it is copied: searches are made by hand, and nothing trains."""

import os

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import write_text
from swift_hyperband.earlier.foresight import foresee
from swift_hyperband.earlier.taking import found_for, take_over
from swift_hyperband.processes import lease
from swift_hyperband.results.contents import Config
from swift_hyperband.results.freeze import freeze
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.taken import Taken
from swift_hyperband.study.model import parse
from swift_hyperband.training import sealed
from swift_hyperband.training.trial import read_rows, write_rows
from swift_hyperband.workflow import driver, final

RATE = {"rate": {"type": "float", "low": 0.1, "high": 1.0}}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def study(name, epochs=9, earlier=(), space=RATE, target="digits-cnn", thaw=0.0, **search):
    """Return a study; one without rounds, whose one bracket has three trials, if no other algorithm is given."""
    search = {"algorithm": "random", "trials": 3} | search
    return parse(
        {
            **({"swift": {"thaw": thaw}} if search["algorithm"] == "swift-hyperband" else {}),
            "name": name,
            "target": {"name": target, "metric": "accuracy", "mode": "max"},
            "space": space,
            "search": {"max_epochs": epochs, "eta": 3, "seed": 1} | {k: v for k, v in search.items() if v is not None},
            "earlier": list(earlier),
        },
        name,
    )


def searched(name="small", rows=3, state=None, epochs=9, **keys):
    """Make the folder of a search by hand: its trials have so many epochs, and a state of one of them."""
    one = study(name, epochs, **keys)
    folder = StudyFolder.of(name)
    freeze(folder, one)
    for bracket in one.supply().brackets:
        for trial, (slot, configuration) in one.trials(bracket).items():
            place = folder.trial(trial)
            Config(trial, bracket, slot, configuration).write(folder.config(trial))
            curve = [{"epoch": epoch, "accuracy": 0.1 * epoch, "seconds": 1.0} for epoch in range(1, rows + 1)]
            write_rows(place, curve)
            if state:
                save(place, curve[:state])
    return folder


def save(place, curve):
    content = {"trial": place.name, "curve": curve, "parts": {"target": {"epoch": len(curve)}}}
    write_text(place / "state.json", sealed.sealed_json(content))


def taken_by(name="large", remakes=True, **keys):
    """Take trials over; return the folder and what was taken."""
    one, folder = study(name, **{"earlier": ["results/small"], **keys}), StudyFolder.of(name)
    found = found_for(folder, one)
    freeze(folder, one)
    take_over(folder, one, found, remakes)
    return folder, Taken.of(folder)


@pytest.mark.parametrize("link", ["as it is", "across disks", "its answer is lost"])
def test_only_what_is_never_written_in_place_is_shared_with_the_earlier_search(monkeypatch, link):
    small = searched(state=3)
    trial = next(small.trials())
    (trial / "state.log").write_text("1\n")
    (trial / "state.3").mkdir()
    (trial / "state.3/weights").write_text("w")
    (trial / "last").symlink_to("state.3/weights")
    os.mkfifo(trial / "pipe")
    os.mkfifo(trial / "state.3/pipe")
    real = os.link

    def linked(source, place, **keys):
        if source.name == "state.json":
            if link == "across disks":
                raise OSError(18, "Invalid cross-device link")
            real(source, place, **keys)
            if link == "its answer is lost":
                raise FileExistsError(17, "File exists")
        else:
            real(source, place, **keys)

    monkeypatch.setattr(os, "link", linked)
    large, _ = taken_by()
    copy = large.trial(trial.name)
    assert sorted(path.name for path in copy.iterdir()) == sorted(
        ["config.json", "curve.jsonl", "last", "state.3", "state.json", "state.log"]
    )
    assert [path.name for path in (copy / "state.3").iterdir()] == ["weights"]
    assert (copy / "state.json").samefile(trial / "state.json") == (link != "across disks")
    assert (copy / "last").read_text() == "w"
    with (copy / "state.log").open("a") as log:
        log.write("2\n")
    assert (trial / "state.log").read_text() == "1\n"


def test_a_state_that_was_handed_over_is_not_replaced():
    small = searched(state=3)
    trial = next(small.trials()).name
    large = StudyFolder.of("large")
    own = [{"epoch": epoch, "accuracy": 0.5, "seconds": 1.0} for epoch in range(1, 6)]
    large.trial(trial).mkdir(parents=True)
    save(large.trial(trial), own)
    before = (large.trial(trial) / "state.json").read_bytes()
    _, taken = taken_by()
    assert (large.trial(trial) / "state.json").read_bytes() == before
    assert taken.trials.keys() == {path.name for path in small.trials()} - {trial}


def test_a_final_training_takes_nothing_from_the_searches_before():
    folder = searched("large", rows=9, earlier=["results/gone"])
    history = History(folder)
    assert history.study.earlier == ["results/gone"]
    best = final.Best(next(folder.trials()).name, 0.9, 9, {"rate": 0.5})
    assert final.study_of(final.from_the_start(history, best, "final", 12, 2)).earlier == []


CHOICES = [([0, 1], [False, True], False), ([4, 8], [4.0, 8.0], False), ([4, 8], [4, 8], True)]


@pytest.mark.parametrize(("before", "now", "same"), CHOICES)
def test_a_configuration_of_other_types_is_another_one(before, now, same):
    searched(space={"width": {"type": "categorical", "choices": before}})
    _, taken = taken_by(space={"width": {"type": "categorical", "choices": now}})
    assert len(taken.trials) == (3 if same else 0)
    left = taken.searches["results/small"].left_out
    assert left == ({} if same else {"this study draws other configurations for them": 3})


@pytest.mark.parametrize("place", ["trials/{trial}", "workers/w0", "decider"])
def test_a_training_that_outlived_its_head_is_told_before_anything_is_frozen(place):
    small = searched()
    trial = next(small.trials()).name
    held = small.path / place.format(trial=trial)
    held.mkdir(parents=True, exist_ok=True)
    with lease.try_acquire(held, unless=lambda: False), pytest.raises(UserError) as error:
        driver.begin_search(study("large", earlier=["results/small"]), StudyFolder.of("large"))
    assert str(error.value).startswith("results/small: must not run while its trials are taken over, but process ")
    assert str(error.value).endswith(f"is at work on {held}; wait for its end, or stop it first")
    assert not [*StudyFolder.of("large").path.glob("*.json")]


@pytest.mark.parametrize(("rows", "state", "goes_on"), [(6, 6, True), (6, 4, True), (6, None, False)])
def test_a_state_of_an_earlier_epoch_of_the_curve_is_gone_on_from(rows, state, goes_on):
    searched(rows=rows, state=state)
    large, taken = taken_by()
    assert {(one.epochs, one.state) for one in taken.trials.values()} == {(rows, goes_on)}
    assert all((path / "state.json").exists() == goes_on for path in large.trials())


def test_a_state_of_another_curve_or_beyond_the_last_epoch_is_not():
    small = searched(rows=6, state=6)
    first, second, third = small.trials()
    save(first, [{"epoch": 1, "accuracy": 0.7, "seconds": 1.0}])
    save(second, [*read_rows(second), {"epoch": 7, "accuracy": 0.7, "seconds": 1.0}])
    _, taken = taken_by(epochs=6)
    assert {name: one.state for name, one in taken.trials.items()} == {
        first.name: False,
        second.name: False,
        third.name: True,
    }


WHOLE = [(9, None, True, 9), (9, None, False, 8), (12, 12, True, 9), (12, 12, False, 8), (9, 9, False, 9)]


@pytest.mark.parametrize(("rows", "state", "remakes", "epochs"), WHOLE)
def test_a_whole_curve_without_a_state_counts_where_the_winners_state_is_made_again(rows, state, remakes, epochs):
    searched(rows=rows, state=state, epochs=27)
    large, taken = taken_by(remakes=remakes)
    assert {(one.epochs, one.state) for one in taken.trials.values()} == {(epochs, rows == state == 9)}
    assert {len(read_rows(path)) for path in large.trials()} == {epochs}


BOUNDS = [
    # 9 trials of which 3 and 1 go on, 5 of which 1 goes on, and 3
    ({"algorithm": "hyperband"}, 0.0, 9 + 3 * 2 + 6 + 5 * 3 + 6 + 3 * 9),
    ({"algorithm": "swift-hyperband"}, 0.5, None),
    ({"algorithm": "asha"}, 0.0, 17 * 9),
]


@pytest.mark.parametrize(("search", "thaw", "most"), BOUNDS)
def test_the_plan_gives_bounds_that_hold(search, thaw, most):
    rest = {"trials": None, "thaw": thaw} | search
    searched(rows=9, state=9, **rest)
    large = study("large", earlier=["results/small"], **rest)
    found = foresee(large, StudyFolder.of("large"), "large")
    assert found.epochs == 17 * 9
    if most is None:
        most = min(17 * 9, 69 + large.schedule().thaw.budget)
        assert most > 69
    assert (found.least, found.most) == (0 if search["algorithm"] == "asha" else found.least, most)


def test_files_that_the_users_own_code_keeps_come_with_the_curve():
    small = searched(target="ask-tell")
    for path in small.trials():
        (path / "checkpoint").write_text("3")
    large, taken = taken_by(target="ask-tell")
    assert [(path / "checkpoint").read_text() for path in large.trials()] == ["3"] * 3
    assert {one.state for one in taken.trials.values()} == {True}, "training goes on after epoch 3"


def test_what_another_search_has_farther_is_told(caplog):
    searched("first", rows=3)
    searched("second", rows=6)
    searched("third", rows=6)
    _, taken = taken_by(earlier=["results/first", "results/second", "results/third"])
    assert {one.source for one in taken.trials.values()} == {"results/second"}
    counts = [search.left_out for search in taken.searches.values()]
    why = "another earlier search has them as far or further"
    assert counts == [{why: 3}, {}, {why: 3}]
    assert f"no trial can be taken over from results/first: 3 left out, as {why}" in caplog.text


def test_an_earlier_search_may_lie_behind_a_variable(monkeypatch, here):
    searched()
    monkeypatch.setenv("SCRATCH_OF_TEST", str(here / "results"))
    _, taken = taken_by(earlier=["$SCRATCH_OF_TEST/small"])
    assert len(taken.trials) == 3
    assert {one.source for one in taken.trials.values()} == {"$SCRATCH_OF_TEST/small"}


@pytest.mark.parametrize(
    ("named", "line"),
    [
        ("$NOT_SET_HERE/small", "large: earlier[0]: $NOT_SET_HERE/small names a variable that must be set"),
        ("small.yaml", "large: earlier[0] must be the folder of a search that was started, found the file small.yaml"),
    ],
)
def test_one_that_is_not_there_is_told_in_a_line(here, named, line):
    (here / "small.yaml").write_text("name: small\n")
    with pytest.raises(UserError, match=r"\A[^\n]*\Z") as error:
        taken_by(earlier=[named])
    assert str(error.value).startswith(line)
