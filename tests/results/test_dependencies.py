from pathlib import Path

from swift_hyperband.results.dependencies import sources_of, with_dependents
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search.schedule import hyperband

A, B, C, D = (Path(name) for name in "abcd")


def test_what_rests_on_a_stale_file_is_stale_too_through_others():
    sources = {B: [A], C: [B], D: []}
    assert with_dependents({A}, sources) == {A, B, C}
    assert with_dependents({C}, sources) == {C}
    assert with_dependents(set(), sources) == set()


def test_in_hyperband_a_promotion_rests_on_its_batches_and_on_the_round_before(tmp_path):
    folder, schedule = StudyFolder(tmp_path), hyperband(9, 3)
    first, second = schedule.brackets[2][:2]
    batch = folder.manifest(second, "full", "x")
    batch.parent.mkdir(parents=True)
    batch.touch()
    sources = sources_of(folder, schedule)
    assert sources[folder.promotion(first)] == []
    assert sources[folder.promotion(second)] == [batch, folder.promotion(first)]
    assert folder.decision(first) not in sources
