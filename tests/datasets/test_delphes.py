"""Delphes events, and those of the toy detector in their format."""

import bz2
import math
import pickle
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli import main
from swift_hyperband.datasets import delphes
from swift_hyperband.datasets.substitutes import ttbar

DRAW = np.random.default_rng(0)


def event(count):
    x, y = DRAW.normal(size=(count, 12)), DRAW.normal(size=(count, 7))
    x[:, 0], x[:, 1], y[:, 0], y[:, 6] = 2, DRAW.permutation(count) + 1, 1, 20
    return x.astype(np.float32), y.astype(np.float32)


def write(path, events, **change):
    content = {"X": [x for x, _ in events], "ygen": [y for _, y in events], "ycand": [], **change}
    with bz2.open(path, "wb") as file:
        pickle.dump(content, file, protocol=2)


def test_events_are_padded_and_cut_to_their_hardest_elements(tmp_path):
    events = [event(3), event(9)]
    write(tmp_path / "tev14_pythia8_ttbar_0_0.pkl.bz2", events)
    found = delphes.read(tmp_path, delphes.TRAINING, 2, 5)
    assert found.seen.shape == (2, 5, 12)
    assert type(found.seen) is np.ndarray
    assert found.truth.shape == (2, 5, 7)
    assert found.seen[0, :, 1].tolist() == [3, 2, 1, 0, 0]
    assert found.seen[1, :, 1].tolist() == [9, 8, 7, 6, 5]
    hardest = int(np.argmax(events[1][0][:, 1]))
    assert np.array_equal(found.truth[1, 0], events[1][1][hardest])


def test_validation_is_taken_from_the_end_and_never_meets_training(tmp_path):
    for number in range(3):
        write(tmp_path / f"tev14_pythia8_ttbar_0_{number}.pkl.bz2", [event(4) for _ in range(5)])
    training = delphes.read(tmp_path, delphes.TRAINING, 8, 4)
    validation = delphes.read(tmp_path, delphes.TRAINING, 7, 4, last=True)
    whole = delphes.read(tmp_path, delphes.TRAINING, 15, 4)
    assert np.array_equal(np.concatenate([training.seen, validation.seen[::-1]]), whole.seen)
    assert (*training.origins, *validation.origins[::-1]) == whole.origins
    assert whole.origins[6] == ("tev14_pythia8_ttbar_0_1.pkl.bz2", 1)


def test_reading_needs_the_memory_of_the_events_once(tmp_path):
    write(tmp_path / "tev14_pythia8_ttbar_0_0.pkl.bz2", [event(4) for _ in range(40)])
    tracemalloc.start()
    found = delphes.read(tmp_path, delphes.TRAINING, 40, 4000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.3 * (found.seen.nbytes + found.truth.nbytes)


@pytest.mark.parametrize("events", [10**12, 10**18])
def test_more_events_than_the_memory_holds_are_told(tmp_path, events):
    write(tmp_path / "tev14_pythia8_ttbar_0_0.pkl.bz2", [event(4)])
    with pytest.raises(UserError, match=rf"{events} events of 6400 elements must fit into memory, found .*; ask for"):
        delphes.read(tmp_path, delphes.TRAINING, events, 6400)


def test_soft_neutral_hadrons_count_as_none(tmp_path):
    x, y = event(3)
    y[:, 0], y[:, 6] = 2, [8.9, 9.1, 5]
    write(tmp_path / "tev14_pythia8_qcd_0_0.pkl.bz2", [(x, y)])
    found = delphes.read(tmp_path, delphes.TEST, 1, 3)
    assert sorted(found.truth[0, :, 6].tolist()) == pytest.approx([0, 0, 9.1])


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({"X": [np.zeros((3, 11))]}, "event 0 must have X of shape (n, 12) and ygen of shape (n, 7), found (3, 11)"),
        ({"X": []}, "must hold as many events in X as in ygen, found 0 and 1"),
        ({"X": [np.full((3, 12), np.nan)]}, "event 0 must hold finite numbers, found others"),
        ({"ygen": [np.full((3, 7), 211.0)]}, "event 0 must have classes from 0 to 5, found [211.0]"),
    ],
)
def test_a_broken_event_is_told_with_its_file_and_number(tmp_path, change, needed):
    path = tmp_path / "tev14_pythia8_ttbar_0_0.pkl.bz2"
    write(path, [event(3)], **change)
    with pytest.raises(UserError) as caught:
        delphes.read(tmp_path, delphes.TRAINING, 1, 4)
    assert str(path) in str(caught.value)
    assert needed in str(caught.value)


def test_missing_torn_and_too_few_files_are_told(tmp_path):
    path = tmp_path / "tev14_pythia8_ttbar_0_0.pkl.bz2"
    with pytest.raises(UserError, match="must hold tev14_pythia8_ttbar"):
        delphes.read(tmp_path, delphes.TRAINING, 1, 4)
    write(path, [event(3)])
    with pytest.raises(UserError, match=r"must hold 2 events in .*, found 1"):
        delphes.read(tmp_path, delphes.TRAINING, 2, 4)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=r"must be a whole pickle, found: EOFError"):
        delphes.read(tmp_path, delphes.TRAINING, 1, 4)


# --- the toy detector ------------------------------------------------------------------------------------------------


def particle(kind, charge=0.0, pt=20.0, eta=0.5, phi=1.0):
    return ttbar.Particle(kind, charge, pt, eta, phi, pt * math.cosh(eta))


def seen(*particles):
    x, y = ttbar.detect(list(particles), np.random.default_rng(3))
    return {int(kind): (x[x[:, 0] == kind], y[x[:, 0] == kind]) for kind in (1, 2)}


def test_a_charged_hadron_is_a_track_and_a_tower_without_a_particle_of_its_own():
    found = seen(particle(1, charge=1.0))
    (track,), (behind,) = found[2]
    assert track[1] == pytest.approx(20, rel=0.05)
    assert behind.tolist()[:2] == [1, 1]
    assert behind[6] == pytest.approx(20 * math.cosh(0.5))
    (tower,), (nobody,) = found[1]
    assert tower[7] > 10
    assert tower[6] == 0
    assert nobody.tolist() == [0] * 7


def test_photons_and_neutral_hadrons_are_towers_of_their_kind():
    for kind, column in ((3, 6), (2, 7)):
        found = seen(particle(kind))
        assert len(found[2][0]) == 0
        (tower,), (behind,) = found[1]
        assert tower[column] == pytest.approx(tower[5])
        assert behind[0] == kind


def test_a_charged_particle_outside_of_the_tracker_is_taken_for_a_neutral_one():
    found = seen(particle(1, charge=-1.0, eta=3.0), particle(4, charge=-1.0, eta=4.0, phi=2.0))
    assert len(found[2][0]) == 0
    assert sorted(row[:2].tolist() for row in found[1][1]) == [[2, 0], [3, 0]]


def test_muons_leave_tracks_only():
    found = seen(particle(5, charge=1.0))
    assert found[2][0][0, 10:].tolist() == [1, 0]
    assert len(found[1][0]) == 0


def test_what_is_written_is_read_again(tmp_path):
    events = [[particle(1, charge=1.0), particle(3, phi=2.0)], [particle(2)]]
    ttbar.write_events(tmp_path / "tev14_pythia8_ttbar_0_0.pkl.bz2", events, seed=3)
    found = delphes.read(tmp_path, delphes.TRAINING, 2, 4)
    assert (found.seen[..., 0] > 0).sum(axis=1).tolist() == [3, 1]


def test_without_pythia_it_is_said_how_to_install_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "pythia8mc", None)
    assert main(["data", "ttbar", "--to", str(tmp_path)]) == 2
    assert "found no package pythia8mc; pip install 'swift-hyperband[physics]'" in capsys.readouterr().err


def test_where_pythia_cannot_start_that_is_said_and_no_event_waited_for(monkeypatch):
    class Pythia:
        def __init__(self, *_): ...
        def readString(self, _): ...  # noqa: N802
        def init(self):
            return False

    monkeypatch.delenv("PYTHIA8DATA", raising=False)
    with pytest.raises(UserError, match=r"set PYTHIA8DATA to the folder share/Pythia8/xmldoc .*\(found it not set\)"):
        next(ttbar.generated(SimpleNamespace(Pythia=Pythia), "ttbar", 1, seed=1))


def test_the_same_seed_gives_the_same_collisions():
    pythia8mc = pytest.importorskip("pythia8mc", reason="the extra 'physics' is not installed")
    first, second = (list(ttbar.generated(pythia8mc, "ttbar", 2, seed=5)) for _ in range(2))
    assert first == second
    assert len(first[0]) > 50
