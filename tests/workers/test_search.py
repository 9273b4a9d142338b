"""A search by workers comes to what the same search in one process comes to, whatever happens to its processes."""

import json

import pytest

DECISIONS = ("threshold", "predictor", "decision", "promotion", "thaw")


def decided(results):
    """Return the content of all decisions of a search, without what differs from run to run, and its best trial."""
    found = {
        str(path.relative_to(results)): {
            key: value for key, value in json.loads(path.read_text()).items() if key not in ("inputs", "time")
        }
        for name in DECISIONS
        for path in results.glob(f"bracket=*/round=*/{name}.json")
    }
    return found | {"best": (results / "best.yaml").read_text()}


def by_rounds(project, **keys):
    """Run the study in one process, and put the results away; return what was decided."""
    project.study(**keys)
    project.run("swift-hyperband", "search")
    found = decided(project.results)
    project.results.rename(project.path / "by-rounds")
    return found


@pytest.mark.parametrize(
    "keys",
    [
        {"swift__thaw": 0.3, "predictor__name": "linear", "predictor__fewest_curves": 3},
        {"search__algorithm": "hyperband"},
        {"swift": {"preset": "published", "d": 3}, "predictor__name": "svr"},
    ],
    ids=["default", "hyperband", "published"],
)
def test_workers_decide_as_one_process_does(project, keys):
    expected = by_rounds(project, **keys)
    assert any("decision" in name for name in expected) or "hyperband" in str(keys)
    project.study(**keys, execution="workers", resources__workers=3)
    project.run("swift-hyperband", "search")
    assert decided(project.results) == expected
    started = project.epochs_started()
    assert started.total() == len(started), "no epoch is trained twice"
    assert len([*project.results.glob("trials/*/state.*")]) == 1, "the best state is kept, no other"
    agenda = json.loads((project.results / "agenda.json").read_text())
    assert (agenda["over"], agenda["needed"], agenda["error"]) == (True, [], None)
    assert not [*project.results.glob("workers/*/lease"), *project.results.glob("decider/lease")]


def test_a_worker_alone_begins_a_search_decides_and_ends_it(project):
    expected = by_rounds(project)
    project.study(execution="workers")
    project.run("swift-hyperband", "work", "config/config.yaml")
    assert decided(project.results) == expected
    # another one finds that nothing is left to do
    project.run("swift-hyperband", "work", "results/table")
