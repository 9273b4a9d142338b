"""A search by workers comes to what the same search in one process comes to, whatever happens to its processes."""

import json

import pytest
from worker_actors import by_rounds, decided


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
