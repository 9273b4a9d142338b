"""jobs.png: what it shows of jobs that ran, waited, came to their time limit or were lost."""

import pytest

from swift_hyperband.report import style
from swift_hyperband.report.search import jobs
from swift_hyperband.results.jobs import Job
from swift_hyperband.results.workers import Spell, Worker

COMMON = {"part": "full", "batch": "0abc", "host": "n1", "slurm": "1", "gpus": 1, "cpus": 1}


def job(bracket, submitted, started, ended, outcome="through"):
    return Job(bracket, 0, submitted=submitted, started=started, ended=ended, outcome=outcome, **COMMON)


def legend(picture):
    return [text.get_text() for text in picture.legends[0].get_texts()]


def test_each_job_is_a_row_with_its_wait_and_its_run(swift):
    some = [job(3, 0, 3600, 7200), job(2, 0, 1800, 9000), job(3, 7200, 9000, 12600)]
    with style.style():
        picture = jobs.draw(swift, some)
    (ax,) = picture.axes
    assert legend(picture) == ["bracket 3", "bracket 2", "waits in the queue"]
    assert "3 training jobs: 4 GPU-hours, 2 hours in the queue" in picture.get_suptitle()
    assert ax.get_xlabel() == "hours since the first job was submitted"
    boxes = [path.get_extents() for collection in ax.collections for path in collection.get_paths()]
    assert sorted((round(box.x0, 3), round(box.x1, 3)) for box in boxes) == [
        *[(0.0, 0.5), (0.0, 1.0), (0.5, 2.5), (1.0, 2.0), (2.0, 2.5), (2.5, 3.5)]
    ]


def test_a_worker_is_a_row_with_its_trainings_in_the_colours_of_their_brackets(swift):
    brackets = sorted({trial.bracket for trial in swift.trials.values()}, reverse=True)[:2]
    one, other = (next(name for name, t in swift.trials.items() if t.bracket == bracket) for bracket in brackets)
    worker = Worker(
        "0", "n1", None, (Spell(one, 1, 10.0, 20.0), Spell(other, 1, 25.0, None), Spell("?", 1, 26.0, 27.0))
    )
    starts = [
        Job(-1, -1, "worker", "0", "n1", None, 0, 1, None, begun, ended, outcome="lost")
        for begun, ended in ((0.0, 22.0), (24.0, 40.0))
    ]
    with style.style():
        picture = jobs.draw(swift, starts, [worker])
    names = [f"bracket {bracket}" for bracket in brackets]
    assert legend(picture)[:3] == [*names, "a worker that does not train"]
    (ax,) = picture.axes
    boxes = [path.get_extents() for collection in ax.collections for path in collection.get_paths()]
    spans = sorted((round(box.x0), round(box.x1), round((box.y0 + box.y1) / 2)) for box in boxes)
    assert spans == [(0, 22, 1), (10, 20, 1), (24, 40, 2), (25, 40, 2)], "what has no end ended with its worker"


def test_jobs_that_did_not_come_through_are_marked_at_their_end(swift):
    some = [job(3, None, 0, 60, "out of time"), job(3, None, 60, 100, "lost"), job(3, None, 100, 130, "stopped")]
    with style.style():
        picture = jobs.draw(swift, some)
    assert legend(picture) == ["bracket 3", "out of time: goes on in another job", "failed, stopped or lost"]
    (ax,) = picture.axes
    assert [list(line.get_ydata()) for line in ax.lines] == [[1], [2, 3]]


def test_a_search_in_one_process_has_none(history):
    with style.style():
        picture = jobs.draw(history, [])
    assert "ran in one process" in picture.axes[0].texts[0].get_text()


@pytest.mark.parametrize("count", [1, 500])
def test_few_and_many_jobs_fit_into_a_picture(swift, tmp_path, count):
    with style.style():
        picture = jobs.draw(swift, [job(index % 3, 0, index, index + 5) for index in range(count)])
        style.save(picture, tmp_path / "jobs.png")
    assert picture.get_figheight() < 9
