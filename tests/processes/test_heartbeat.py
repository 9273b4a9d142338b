"""A heartbeat keeps a file fresh for as long as it beats, and no other file."""

import os
import time

from swift_hyperband.processes.heartbeat import Heartbeat


def wait_for(happens):
    end = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)


def age(path):
    os.utime(path, (0, 0))


def test_a_file_is_fresh_until_the_heartbeat_stops(tmp_path):
    path = tmp_path / "record"
    path.touch()
    age(path)
    heartbeat = Heartbeat(path, 0.01)
    wait_for(lambda: path.stat().st_mtime > 0)
    heartbeat.stop()
    age(path)
    time.sleep(0.1)
    assert path.stat().st_mtime == 0


def test_by_descriptor_a_file_that_took_its_place_is_left_alone(tmp_path):
    path = tmp_path / "lease"
    path.touch()
    descriptor = os.open(path, os.O_RDWR)
    aside = path.rename(tmp_path / "aside")
    path.touch()
    age(path)
    age(aside)
    heartbeat = Heartbeat(descriptor, 0.01)
    wait_for(lambda: aside.stat().st_mtime > 0)
    assert path.stat().st_mtime == 0
    heartbeat.stop()
    os.close(descriptor)


def test_a_file_that_is_away_for_a_moment_does_not_end_the_heartbeat(tmp_path):
    path = tmp_path / "record"
    heartbeat = Heartbeat(path, 0.01)
    time.sleep(0.1)
    path.touch()
    age(path)
    wait_for(lambda: path.stat().st_mtime > 0)
    heartbeat.stop()
