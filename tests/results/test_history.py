"""What a search did so far, read back from the folder of one that was killed in the middle."""

import tarfile
from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder

HALF_FINISHED = Path(__file__).parents[1] / "workflow/half-finished.tar.gz"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A search of 19 trials: bracket 0 is over, bracket 1 has reached its decision point, bracket 2 its last round."""
    monkeypatch.chdir(tmp_path)
    with tarfile.open(HALF_FINISHED) as archive:
        # Debian 12 has Python 3.11.2, without filters
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return StudyFolder(Path("results/example-train-sh"))


def test_each_round_knows_who_competed_in_it_and_who_went_on(folder):
    rounds = History(folder).rounds
    assert [(key, len(found.competitors)) for key, found in rounds.items()] == [
        *[((2, 0), 9), ((2, 1), 3), ((2, 2), 0)],
        *[((1, 0), 7), ((1, 1), 0)],
        ((0, 0), 3),
    ]
    assert rounds[2, 0].promoted == rounds[2, 1].competitors == ("d2887e6ad00f", "afe33a9e346d", "5117f303263b")
    assert rounds[2, 1].promoted == ("d2887e6ad00f",)
    assert rounds[2, 2].promoted is None


def test_before_the_decision_reference_trials_aim_at_the_rounds_end_and_the_others_at_the_decision_point(folder):
    found = History(folder).rounds[1, 0]
    assert found.full == ("2013732fdc2f", "2f1ff8c3e53c")
    assert len(found.partial) == 5
    assert found.verdicts is None
    assert found.stopped == ()
    assert [found.goal(trial) for trial in found.competitors] == [3, 3, 1, 1, 1, 1, 1]


def test_every_trial_has_its_configuration_and_its_curve(folder):
    history = History(folder)
    assert len(history.trials) == 19
    found = history.trials["d2887e6ad00f"]
    assert (found.bracket, found.slot, found.configuration) == (2, 7, {"rate": 0.6025564448684213})
    assert found.values("loss") == [0.951304, 0.905243, 0.861674]
    assert not found.failed


def test_epochs_count_once_however_the_search_ended(folder):
    history = History(folder)
    # 9 of one epoch and 3 of three, then 2 + 5 at the decision point, then 3 of nine
    assert history.epochs == (6 * 1 + 3 * 3) + (2 * 3 + 5 * 1) + 3 * 9
    assert not history.finished
    assert history.outside == {}


def test_a_decision_about_a_trial_that_did_not_compete_is_refused_in_one_line(folder):
    path = folder.path / "bracket=2/round=0/promotion.json"
    path.write_text(path.read_text().replace("afe33a9e346d", "0123456789ab"))
    with pytest.raises(UserError, match=r"round=0/promotion\.json: .*0123456789ab"):
        _ = History(folder).rounds


def test_a_folder_without_a_search_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"study\.json"):
        _ = History(StudyFolder(tmp_path / "results/none")).study
