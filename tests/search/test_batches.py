"""How trainings are packed into jobs."""

import pytest

from swift_hyperband.search.batches import batch_name, batches, minutes, pack, sizes

TRIALS = [f"t{number}" for number in range(81)]


def test_a_fixed_size_fills_jobs_one_after_the_other():
    assert [len(batch) for batch in pack(TRIALS, 25, workers=4)] == [25, 25, 25, 6]


def test_auto_deals_out_to_the_workers():
    dealt = pack(TRIALS, "auto", workers=4)
    assert [len(batch) for batch in dealt] == [21, 20, 20, 20]
    assert dealt[0][:2] == ["t0", "t4"]


@pytest.mark.parametrize(("seconds", "jobs"), [(20, 1), (60, 3), (600, 27), (1800, 81), (7200, 81)])
def test_a_time_packs_short_trainings_and_leaves_long_ones_alone(seconds, jobs):
    packed = pack(TRIALS, "30min", workers=4, trial_seconds=seconds)
    assert len(packed) == jobs
    assert max(map(len, packed)) - min(map(len, packed)) <= 1
    assert all(len(batch) == 1 or len(batch) * seconds <= 1800 for batch in packed)
    assert sorted(trial for batch in packed for trial in batch) == sorted(TRIALS)


def test_while_nothing_is_known_of_the_time_it_is_as_auto():
    assert pack(TRIALS, "30min", workers=4) == pack(TRIALS, "auto", workers=4)


@pytest.mark.parametrize("size", ["auto", 1, 3, 100, "30min", "1min"])
@pytest.mark.parametrize("seconds", [None, 1e-300, 60.0, 1e8])
def test_a_plan_counts_the_batches_that_are_made(size, seconds):
    for trials in (0, 1, 4, 5, 81):
        made = [len(batch) for batch in pack(TRIALS[:trials], size, 4, seconds)]
        assert batches(trials, size, 4, seconds) == len(made)
        counted = sizes(trials, size, 4, seconds)
        assert [held for held, number in counted for _ in range(number)] == sorted(made)


@pytest.mark.parametrize("size", ["auto", 3, "10min"])
def test_no_trials_make_no_jobs(size):
    assert pack([], size, workers=4, trial_seconds=1.0) == []


def test_a_batch_is_named_by_its_trials_whatever_their_order():
    assert batch_name(["a", "b"]) == batch_name(["b", "a"]) != batch_name(["a", "c"])


@pytest.mark.parametrize(
    ("text", "found"), [("30min", 30.0), ("2.5 min", 2.5), ("auto", None), (7, None), ("1h", None)]
)
def test_a_time_is_told_in_minutes(text, found):
    assert minutes(text) == found
