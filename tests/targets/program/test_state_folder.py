"""The folder of a program's state is what was saved, or what is wrong with it is said."""

import pytest

from swift_hyperband.targets.program import state_folder


@pytest.fixture
def trial(tmp_path):
    """Return a trial's folder with a state in it, and the state as it is saved."""
    folder = tmp_path / "state.3" / "deep"
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"\x00\x01")
    (folder.parent / "epoch").write_text("3")
    return tmp_path, {"state": "state.3", "digests": state_folder.digests(tmp_path / "state.3")}


def test_a_state_that_is_as_it_was_saved_is_sound_whatever_lies_beside(trial):
    folder, state = trial
    assert sorted(state["digests"]) == ["deep/weights", "epoch"]
    assert state_folder.wrong(folder, state) is None
    (folder / "state.3" / "cache").write_text("of the program")
    assert state_folder.wrong(folder, state) is None


def test_a_file_that_changed_or_is_gone_is_named(trial):
    folder, state = trial
    weights = folder / "state.3/deep/weights"
    weights.write_bytes(b"\x00\x00")
    assert state_folder.wrong(folder, state) == "state.3/deep/weights is not what was saved"
    weights.unlink()
    assert state_folder.wrong(folder, state) == "state.3/deep/weights is not what was saved"


def test_a_folder_that_is_gone_is_named_and_none_is_none(trial):
    folder, state = trial
    assert state_folder.wrong(folder, state | {"state": "state.4"}) == "state.4 is not there"
    assert state_folder.wrong(folder, {"state": state_folder.NO_STATE, "digests": None}) is None


def test_a_state_of_an_early_version_without_digests_is_taken(trial):
    folder, _ = trial
    (folder / "state.3/epoch").write_text("4")
    assert state_folder.wrong(folder, {"state": "state.3"}) is None
