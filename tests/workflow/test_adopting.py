"""A search that went on without jobs of rounds goes on by rounds, without a job for what is trained already."""

from swift_hyperband.results.contents import Batch


def test_after_a_plain_search_by_rounds_nothing_is_left_to_do(project, finished):
    project.run("swift-hyperband", "search")
    assert not list(project.results.glob("bracket=*/round=*/full/*.json"))
    assert "Nothing to be done" in project.run("snakemake", "--cores", "1", "best")
    assert project.best() == finished.best()
    batches = list(project.results.glob("bracket=*/round=*/*/*.json"))
    assert {path.parent.name for path in batches} >= {"full", "partial", "complete"}
    for path in batches:
        assert Batch.read(path) == Batch.read(finished.results / path.relative_to(project.results))
