"""What the files of workers tell of them: where they are, and at what."""

import json
import os

import pytest

from swift_hyperband.results import jobs, workers
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.workers import Spell


@pytest.fixture
def folder(tmp_path):
    return StudyFolder(tmp_path)


def worker(folder, name, *events, gpu=None):
    place = folder.worker(name)
    place.mkdir(parents=True, exist_ok=True)
    (place / "worker.json").write_text(json.dumps({"host": "n1", "gpu": gpu, "pid": 7}))
    with (place / "events.jsonl").open("a") as file:
        for what, trial, epochs, time in events:
            file.write(json.dumps({"what": what, "trial": trial, "epochs": epochs, "time": float(time)}) + "\n")


def test_a_worker_has_trained_from_each_begin_to_its_end(folder):
    worker(folder, "10", ("began", "a", 3, 10), ("began", "b", 1, 11), ("trained", "a", 3, 15), ("began", "a", 9, 20))
    worker(folder, "2", ("began", "c", 1, 5), ("crashed", "c", 1, 6), gpu="1")
    first, second = workers.read(folder)
    assert (first.name, first.host, first.gpu, first.spells) == ("2", "n1", "1", (Spell("c", 1, 5.0, 6.0),))
    assert second.spells == (Spell("a", 3, 10.0, 15.0), Spell("b", 1, 11.0, None), Spell("a", 9, 20.0, None))
    assert [spell.trial for spell in second.at_work(since=12)] == ["a"], "b began in an earlier start, which was killed"


def test_a_torn_line_and_a_missing_file_are_no_events(folder):
    worker(folder, "0", ("began", "a", 3, 10))
    with (folder.worker("0") / "events.jsonl").open("a") as file:
        file.write('{"what": "trai')
    worker(folder, "1")
    (folder.worker("1") / "events.jsonl").unlink()
    (folder.workers / "2").mkdir()
    assert [len(found.spells) for found in workers.read(folder)] == [1, 0]


def test_only_workers_with_news_are_read_again(folder):
    worker(folder, "0", ("began", "a", 3, 10))
    worker(folder, "1")
    known = {}
    before = workers.read(folder, known)
    worker(folder, "1", ("began", "b", 1, 11))
    after = workers.read(folder, known)
    assert after[0] is before[0]
    assert [spell.trial for spell in after[1].spells] == ["b"]


def test_trainings_of_others_are_not_read_where_only_some_are_of_interest(folder):
    worker(folder, "0", ("began", "a", 3, 10))
    worker(folder, "1", ("began", "b", 1, 11))
    known = {}
    assert [[spell.trial for spell in found.spells] for found in workers.read(folder, known, {"1"})] == [[], ["b"]]
    # one that came back
    assert [[spell.trial for spell in found.spells] for found in workers.read(folder, known, {"0"})] == [["a"], []]


def test_those_are_alive_whose_last_start_has_not_ended(folder, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    for name in ("0", "1"):
        worker(folder, name, ("began", name, 3, 4e9))
        with jobs.recorded(folder.worker(name), jobs.WORKER, name, gpus=0, cpus=1, queued=False) as record:
            record.outcome = "out of time"
    with jobs.recorded(folder.worker("1"), jobs.WORKER, "1", gpus=0, cpus=1, queued=False):
        found = workers.read(folder)
        alive = workers.living(found, jobs.read(folder.path))
        assert list(alive) == ["1"]
        told = workers.to_json(found, alive)
        assert told["1"]["host"] == os.uname().nodename
        assert told["1"]["trials"] == {"1": 3}
