"""A larger search goes on with the trials of a smaller one, as the workflow."""

from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.taken import Taken


def test_a_study_of_9_epochs_made_into_one_of_27_decides_as_a_fresh_one_and_trains_no_epoch_twice(project):
    project.study(name="small", keep_states=True)
    project.search()
    small = project.epochs_started()
    project.study(name="fresh", search__max_epochs=27)
    project.run("swift-hyperband", "search")
    fresh = project.decisions()
    assert any("decision" in name for name in fresh)
    project.study(name="large", search__max_epochs=27, earlier=["results/small"])
    project.run("swift-hyperband", "run", "--cores", "2")
    large = project.epochs_started()
    assert project.decisions() == fresh
    assert large.total() == len(large)
    assert not large.keys() & small.keys()
    taken = Taken.of(StudyFolder(project.results)).trials
    assert sum(found.epochs for found in taken.values()) == small.total()
    page = (project.results / "report/index.html").read_text()
    assert "of these epochs were trained before, in results/small" in page
    assert "Nothing to be done" in project.search()
