"""A larger search goes on with the trials of a smaller one: it decides as a fresh one, and repeats no epoch."""

import json
import shutil
import sys
from collections import Counter

import pytest

from swift_hyperband.processes import lease
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.taken import Taken, TakenEpochs

LINEAR = {"predictor__name": "linear", "predictor__fewest_curves": 3}
SEARCHES = {
    "rounds": (9, {"swift__thaw": 0.3, **LINEAR}),
    "workers": (9, {"execution": "workers", "resources__workers": 2, **LINEAR}),
    "hyperband": (3, {"search__algorithm": "hyperband"}),
    "best epoch": (3, {"target__metric_at": "best"}),
    "bold": (3, {"swift": {"preset": "bold", "d": 3}}),
}


def search(project, name, command=("search",), **keys):
    """Run a study; return its folder."""
    project.study(name=name, **keys)
    project.run("swift-hyperband", *command)
    return StudyFolder(project.path / "results" / name)


def tables(folder):
    """Return all that was decided, with the inputs by their digests, and the best trial."""
    names = ("entry", "draw", "threshold", "predictor", "decision", "completion", "promotion", "thaw")
    found = {
        str(path.relative_to(folder.path)): json.loads(path.read_text())
        for name in names
        for path in folder.path.glob(f"bracket=*/round=*/{name}.json")
    }
    for content in found.values():
        content.pop("time", None)
    assert found
    return found | {"best": folder.best.read_text().replace(folder.path.name, "")}


def begun(folder):
    """Return how often each epoch of each trial began."""
    return Counter(
        (path.parent.name, json.loads(line)["epoch"])
        for path in folder.path.glob("trials/*/started.jsonl")
        for line in path.read_text().splitlines()
    )


def content(folder):
    """Return the bytes of all files of a search."""
    return {path: path.read_bytes() for path in sorted(folder.path.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(("epochs", "keys"), SEARCHES.values(), ids=SEARCHES)
def test_a_larger_search_decides_as_a_fresh_one_and_trains_no_epoch_twice(project, epochs, keys):
    small = search(project, "small", **keys, search__max_epochs=epochs, keep_states=True)
    before = content(small)
    fresh = search(project, "fresh", **keys, search__max_epochs=3 * epochs)
    large = search(project, "large", **keys, search__max_epochs=3 * epochs, earlier=["results/small"])
    assert tables(large) == tables(fresh)
    own = begun(large)
    assert own.total() == len(own)
    assert not own.keys() & begun(small).keys(), "no epoch is trained twice"
    asked = {(trial, epoch) for trial, goal in History(fresh).asked.items() for epoch in range(1, goal + 1)}
    taken = asked & begun(small).keys()
    assert len(taken) > epochs
    assert asked - taken <= own.keys()
    if "execution" not in keys:
        assert asked - taken == own.keys(), "what the fresh search trains, less what was there"
    assert content(small) == before, "the earlier search stays as it was"
    found = TakenEpochs.of(large, Taken.of(large), History(large).asked)
    assert (found.used, found.again, found.searches) == (len(taken), 0, ("results/small",))
    assert History(large).ahead.in_vain == 0 or "execution" in keys
    printed = project.run("swift-hyperband", "status")
    assert f"{len(taken)} of these epochs were trained before, in results/small" in " ".join(printed.split())


@pytest.mark.parametrize("algorithm", ["asha", "fast-hyperband", "adaptive-hyperband"])
def test_so_does_a_search_without_rounds(project, algorithm):
    keys = {"search__algorithm": algorithm, "keep_states": True}
    small = search(project, "small", **keys, search__max_epochs=3)
    fresh = search(project, "fresh", **keys)
    large = search(project, "large", **keys, earlier=["results/small"])
    assert large.journal.read_text() == fresh.journal.read_text()
    assert large.best.read_text() == fresh.best.read_text().replace("fresh", "large")
    assert not begun(large).keys() & begun(small).keys()
    assert History(large).epochs == History(fresh).epochs == begun(fresh).total() > begun(large).total()
    # a further start finds nothing to mend
    project.run("swift-hyperband", "search")
    assert "made again" not in project.printed()


def test_curves_without_states_serve_as_far_as_they_go_and_what_trains_again_is_counted(project):
    small = search(project, "small", search__algorithm="hyperband")
    assert len([*small.path.glob("trials/*/state.*")]) == 1
    fresh = search(project, "fresh", search__algorithm="hyperband", search__max_epochs=27)
    keys = {"search__algorithm": "hyperband", "search__max_epochs": 27, "earlier": ["results/small"]}
    large = search(project, "large", **keys)
    assert "of them without a state: they train anew where they must go on" in project.printed()
    assert tables(large) == tables(fresh)
    again = begun(large).keys() & begun(small).keys()
    found = TakenEpochs.of(large, Taken.of(large), History(large).asked)
    assert 0 < len(again) == found.again < found.used
    printed = " ".join(project.run("swift-hyperband", "status").split())
    assert f"{found.again} of them again here, as their states were not kept" in printed
    told = json.loads(project.run("swift-hyperband", "status", "--json"))["epochs"]
    assert (told["earlier"], told["earlier_again"]) == (found.used, found.again)


def test_more_brackets_and_another_preset_go_on_with_what_is_there(project):
    keys = {"search__max_epochs": 9, "keep_states": True, "search__algorithm": "hyperband"}
    small = search(project, "small", **keys, search__brackets=[2])
    fresh = search(project, "fresh", **keys)
    large = search(project, "large", **keys, earlier=["results/small"])
    assert tables(large) == tables(fresh)
    assert not begun(large).keys() & begun(small).keys()
    swift = keys | {"search__algorithm": "swift-hyperband"}
    bold = search(project, "bold", **swift, earlier=["results/small", "results/large"])
    assert begun(bold).total() < begun(fresh).total() / 2
    assert {one.source for one in Taken.of(bold).trials.values()} <= {"results/small", "results/large"}


def test_the_winner_has_a_state_also_where_its_curve_was_there_to_the_end(project):
    keys = {"search__algorithm": "hyperband", "search__brackets": [1]}
    small = search(project, "small", **keys)
    for path in small.path.glob("trials/*/state.*"):
        path.unlink()
    large = search(project, "large", **keys, earlier=["results/small"])
    assert large.best.read_text() == small.best.read_text().replace("small", "large")
    (state,) = large.path.glob("trials/*/state.*")
    # three trials were there to the end: only the winner is trained again, for its state
    assert {trial for trial, _ in begun(large)} == {state.parent.name}


def test_a_wider_range_draws_other_configurations_and_says_so(project):
    search(project, "small")
    project.study(name="large", search__max_epochs=27, space__row__high=100, earlier=["results/small"])
    project.run("swift-hyperband", "search")
    printed = " ".join(project.printed().split())
    assert "left out, as this study draws other configurations for them" in printed
    project.study(name="other", search__seed=2, earlier=["results/small"])
    project.run("swift-hyperband", "search")
    expected = "results/other: no trial can be taken over from results/small: 17 left out, as this study has no such"
    assert expected in " ".join(project.printed().split())


def test_cut_while_it_takes_over_it_takes_over_again(project):
    keys = {"search__algorithm": "hyperband", "keep_states": True}
    search(project, "small", **keys, search__brackets=[2, 1])
    large = search(project, "large", **keys, earlier=["results/small"])
    taken, expected = Taken.of(large), tables(large)
    assert not begun(large).keys() & {(trial, 1) for trial in taken.trials}
    # as if it was cut between two trials, and within one
    first, second = sorted(taken.trials)[:2]
    shutil.rmtree(large.trial(first))
    (large.trial(second) / "curve.jsonl").unlink()
    # which may be a second name of the earlier search's file
    (large.trial(second) / "state.json").unlink()
    (large.trial(second) / "state.json").write_text("{")
    large.best.unlink()
    project.run("swift-hyperband", "search")
    assert (tables(large), Taken.of(large)) == (expected, taken)
    # what was taken over is here to stay
    shutil.rmtree(project.path / "results/small")
    large.best.unlink()
    project.run("swift-hyperband", "search")
    assert (tables(large), Taken.of(large)) == (expected, taken)


def test_a_search_that_began_goes_on_with_earlier_trials_but_for_those_that_began_here(project):
    small = search(project, "small", keep_states=True)
    project.study(name="large", search__max_epochs=27)
    project.run("snakemake", "--cores", "1", "results/large/bracket=2/round=0/promotion.json")
    large = StudyFolder(project.path / "results/large")
    here = {trial for trial, _ in begun(large)}
    assert here & {trial for trial, _ in begun(small)}
    project.study(name="large", search__max_epochs=27, earlier=["results/small"])
    project.run("swift-hyperband", "search")
    assert {trial for trial, _ in begun(large).keys() & begun(small).keys()} <= here
    assert Taken.of(large).trials
    assert not here & Taken.of(large).trials.keys()


REFUSED = [
    (
        {"earlier": ["results/none"]},
        "earlier[0] must be the folder of a search that was started, found no results/none/study.json",
    ),
    (
        {"target__threads": 2},
        "must have the target of this study, found that target.threads is 1 in results/small, 2 now; leave it out",
    ),
    (
        {"target__options__seconds": 0.001},
        "found that target.options.seconds is not in results/small; leave it out of earlier, or set it alike",
    ),
    ({"target__mode": "max"}, 'found that target.mode is "min" in results/small, "max" now'),
]


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """A folder with a small search."""
    found = sys.modules["workflow_project"].Project.create(tmp_path_factory.mktemp("refusing"))
    search(found, "small", search__max_epochs=3)
    return found


@pytest.mark.parametrize(("keys", "line"), REFUSED)
def test_epochs_of_another_model_are_refused_in_one_line(refusing, keys, line):
    shutil.rmtree(refusing.path / "results/large", ignore_errors=True)
    refusing.study(**{"name": "large", "search__max_epochs": 9, "earlier": ["results/small"], **keys})
    printed = refusing.run("swift-hyperband", "search", check=False)
    assert line in printed
    assert len(printed.strip().splitlines()) == 1
    assert not [*(refusing.path / "results/large").glob("trials/*")]
    assert not (refusing.path / "results/large/study.json").exists()
    assert line in refusing.run("swift-hyperband", "plan", check=False)


def test_a_search_is_none_of_its_own_earlier_ones(refusing):
    refusing.study(name="small", search__max_epochs=3, earlier=["results/../results/small"])
    printed = refusing.run("swift-hyperband", "plan", check=False)
    assert "earlier[0] must be the folder of another search, found that of this one (results/../results" in printed


def test_an_earlier_search_that_runs_is_left_alone(refusing):
    shutil.rmtree(refusing.path / "results/large", ignore_errors=True)
    refusing.study(name="large", search__max_epochs=9, earlier=["results/small"])
    with lease.try_acquire(refusing.path / "results/small", unless=lambda: False):
        printed = refusing.run("swift-hyperband", "search", check=False)
        by_workflow = refusing.run("snakemake", "--cores", "1", check=False)
    for told in (printed, by_workflow):
        assert "results/small: must not run while its trials are taken over, but process" in told
    assert not [*(refusing.path / "results/large").glob("trials/*")]
    assert not (refusing.path / "results/large/study.json").exists(), "it may be corrected under its name"


def test_the_plan_tells_how_many_epochs_are_there(project):
    keys = {"search__algorithm": "hyperband", "keep_states": True}
    small = search(project, "small", **keys)
    project.study(name="large", **keys, search__max_epochs=27, earlier=["results/small"])
    # of bracket 2 the first 9 of 12 trials, one of which trained 9 epochs and two 3; and so on
    printed = project.run("swift-hyperband", "plan")
    found = json.loads(project.run("swift-hyperband", "plan", "--json"))["earlier"]
    assert (found["trials"], found["epochs"]) == (17, begun(small).total())
    assert found["least"] <= found["most"] <= found["epochs"]
    told = f"17 trials of results/small: at least {found['least']} and at most {found['most']} of these epochs"
    assert told in printed
    project.run("swift-hyperband", "search")
    used = json.loads(project.run("swift-hyperband", "status", "--json"))["epochs"]["earlier"]
    assert found["least"] <= used <= found["most"]
