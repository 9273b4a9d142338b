"""The simulated cluster: what holds of the time that a search takes on it."""

import itertools
import math
import statistics
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_hyperband.base.errors import UserError
from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.simulation import Kind
from swift_hyperband.replay.simulator import simulate
from swift_hyperband.search import Training
from swift_hyperband.study.section import checked

NOISY = {
    "seconds_per_epoch": 30,
    "start_seconds": 10,
    "queue_seconds": 20,
    "failures_per_hour": 20,
}


class Waves:
    """Trials that train together from each of some epochs to the next: with one epoch given nobody waits for anybody.

    `each` lets a trial go on as soon as it can itself; without it a wave begins when the one before is over.
    """

    def __init__(self, trials, ends, each=False):
        self.ends, self.each = ends, each
        self.ready = [(trial, 0) for trial in trials]
        self.later = []
        self.running = {}
        self.told = {}
        self.asked = []

    def ask(self, at_most=None):
        self.asked.append(at_most)
        found, self.ready = self.ready[:at_most], self.ready[at_most:]
        self.running |= dict(found)
        return [Training(trial, self.ends[wave]) for trial, wave in found]

    def tell(self, trial, curve):
        wave = self.running.pop(trial) + 1
        self.told[trial] = list(curve)
        if wave < len(self.ends) and len(curve) == self.ends[wave - 1]:
            self.later.append((trial, wave))
        if self.each or not (self.ready or self.running):
            self.ready, self.later = self.ready + self.later, []

    @property
    def finished(self):
        return not (self.ready or self.later or self.running)

    @property
    def best(self):
        full = [(curve[-1], trial) for trial, curve in self.told.items() if len(curve) == self.ends[-1]]
        return min(full)[::-1] if full else None


def trials(count):
    return [f"{number:03d}" for number in range(count)]


def curve(trial):
    return [1 / (epoch + int(trial) % 7) for epoch in range(1, 28)]


def run(search, **settings):
    return simulate(search, curve, ClusterSettings(**settings))


def epoch_seconds(simulation):
    """The time of an epoch of each trial."""
    return {job.trial: (job.ended - job.trained_from) / (job.end_epoch - job.start_epoch) for job in simulation.jobs}


def test_one_worker_takes_the_time_of_all_epochs_and_of_all_starts():
    found = run(Waves(trials(5), [1, 3, 9]), seconds_per_epoch=2.0, start_seconds=7.0)
    assert found.epochs == 5 * 9
    assert found.makespan == 5 * 9 * 2.0 + 5 * 3 * 7.0
    assert found.idle == 0
    assert found.utilisation == pytest.approx(90 / 195)


@given(
    workers=st.integers(1, 20),
    count=st.integers(1, 12),
    ends=st.sampled_from([[9], [1, 3, 9], [2, 27]]),
    each=st.booleans(),
    pace=st.sampled_from(["constant", "per-configuration", "heavy-tailed"]),
    noise=st.sampled_from([{}, NOISY]),
    seed=st.integers(0, 1000),
)
def test_a_search_is_never_faster_than_its_work_allows_and_never_loses_or_invents_time(
    workers, count, ends, each, pace, noise, seed
):
    search = Waves(trials(count), ends, each)
    found = run(search, workers=workers, pace=pace, seed=seed, **noise)
    work, chains = 0.0, {}
    for job in found.jobs:
        taken = job.ended - job.submitted
        work += taken
        chains[job.trial] = chains.get(job.trial, 0.0) + taken
        parts = list(job.stretches())
        assert math.isclose(sum(part.end - part.begin for part in parts), taken, rel_tol=1e-9)
        assert all(before.end == after.begin for before, after in itertools.pairwise(parts))
    assert found.makespan >= max(work / workers, *chains.values()) * (1 - 1e-9)
    assert sum(map(found.share, get_args(Kind))) + found.idle == pytest.approx(1)
    assert found.share("training") == found.utilisation
    for worker in range(workers):
        own = [job for job in found.jobs if job.worker == worker]
        assert all(before.ended <= after.submitted for before, after in itertools.pairwise(own))
    assert search.told == {trial: curve(trial)[: ends[-1]] for trial in trials(count)}
    assert found.epochs == count * ends[-1]


def test_the_same_seed_gives_the_same_simulation_and_another_one_another():
    settings = {"workers": 3, "pace": "heavy-tailed", **NOISY}
    first, again, other = (run(Waves(trials(9), [3, 9]), seed=seed, **settings) for seed in (1, 1, 2))
    assert first.jobs == again.jobs
    assert first.jobs != other.jobs


def test_the_same_configurations_are_slow_for_every_search_and_any_number_of_workers():
    settings = {"pace": "per-configuration", "seed": 3}
    waves = epoch_seconds(run(Waves(trials(9), [1, 3, 9]), workers=2, **settings))
    alone = epoch_seconds(run(Waves(trials(9)[::-1], [9]), workers=5, **settings))
    assert waves == pytest.approx(alone)
    assert len(set(alone.values())) == 9


def test_the_same_epochs_fail_however_a_search_divides_them_among_jobs():
    def lost(search):
        found = run(search, workers=4, **NOISY)
        return {
            job.trial: [failure.share for other in found.jobs if other.trial == job.trial for failure in other.failures]
            for job in found.jobs
        }

    waves, alone = lost(Waves(trials(9), [1, 3, 9])), lost(Waves(trials(9)[::-1], [9]))
    assert sum(map(len, alone.values())) > 3
    assert waves == {trial: pytest.approx(shares) for trial, shares in alone.items()}


def test_a_failure_loses_only_the_epoch_in_flight_and_starts_anew():
    calm = NOISY | {"failures_per_hour": 0}
    found, smooth = run(Waves(trials(9), [27]), **NOISY), run(Waves(trials(9), [27]), **calm)
    failures = [failure for job in found.jobs for failure in job.failures]
    assert failures
    for failure in failures:
        assert 0 <= failure.failed - failure.lost_from < 30
        assert failure.started > failure.failed
        assert failure.trained_from == failure.started + 10
    assert 0 < sum(failure.share for failure in failures) < len(failures)
    assert found.epochs == smooth.epochs
    assert found.utilisation * found.makespan == pytest.approx(smooth.utilisation * smooth.makespan)
    assert found.makespan > smooth.makespan + 10 * len(failures)


def test_workers_that_wait_for_the_slowest_configuration_are_idle():
    found = run(Waves(trials(4), [1, 3, 9, 27]), workers=4, pace="per-configuration")
    slowest, mean = (how(epoch_seconds(found).values()) for how in (max, statistics.mean))
    assert found.makespan == pytest.approx(27 * slowest)
    assert found.idle == pytest.approx(1 - mean / slowest)


def test_a_search_without_barriers_has_less_idle_time_for_the_same_work():
    settings = {"workers": 4, "pace": "per-configuration"}
    waiting, going_on = (run(Waves(trials(18), [1, 3, 9, 27], each), **settings) for each in (False, True))
    assert going_on.epochs == waiting.epochs
    assert going_on.idle < waiting.idle
    assert going_on.makespan < waiting.makespan


def test_more_workers_than_trainings_stay_idle():
    found = run(Waves(trials(3), [9]), workers=1024)
    assert found.makespan == 9
    assert found.idle == pytest.approx(1021 / 1024)


@pytest.mark.parametrize("pace", ["per-configuration", "heavy-tailed"])
def test_a_slower_pace_of_some_leaves_the_mean_as_it_is(pace):
    found = run(Waves([str(number) for number in range(4000)], [1]), pace=pace, spread=0.4, seconds_per_epoch=5.0)
    seconds = list(epoch_seconds(found).values())
    assert statistics.mean(seconds) == pytest.approx(5, rel=0.03)
    assert max(seconds) > 3 * 5
    if pace == "heavy-tailed":
        assert min(seconds) >= 5 / 1.4


def test_stragglers_are_jobs_and_not_configurations():
    found = run(Waves(trials(9), [1, 3, 9]), pace="heavy-tailed")
    paces = {(job.ended - job.trained_from) / (job.end_epoch - job.start_epoch) for job in found.jobs}
    assert len(paces) == len(found.jobs) == 27


@pytest.mark.parametrize("pace", ["per-configuration", "heavy-tailed"])
def test_without_spread_every_pace_is_constant(pace):
    assert run(Waves(trials(5), [9]), pace=pace, spread=0).makespan == 5 * 9


def test_a_wait_in_the_queue_is_exponential_and_belongs_to_the_worker():
    found = run(Waves([str(number) for number in range(4000)], [1]), queue_seconds=20)
    waits = [job.started - job.submitted for job in found.jobs]
    assert statistics.mean(waits) == pytest.approx(20, rel=0.05)
    assert statistics.pstdev(waits) == pytest.approx(20, rel=0.05)
    assert found.makespan == pytest.approx(4000 + sum(waits))
    assert found.idle == pytest.approx(0)


def test_a_recorded_curve_that_ends_early_takes_only_the_time_of_its_epochs():
    def short(trial):
        return [0.5, math.nan] if trial == "001" else [] if trial == "002" else curve(trial)

    search = Waves(trials(4), [9])
    found = simulate(search, short, ClusterSettings(start_seconds=3.0))
    assert [(job.end_epoch, job.asked) for job in found.jobs] == [(9, 9), (2, 9), (0, 9), (9, 9)]
    assert found.makespan == 9 + 2 + 0 + 9 + 4 * 3
    assert search.told["002"] == []
    assert len(search.told["001"]) == 2


def test_a_table_says_how_long_its_epochs_take_and_the_pace_multiplies_it():
    def seconds(trial):
        return 1.0 + int(trial)

    plain = simulate(Waves(trials(3), [9]), curve, ClusterSettings(seconds_per_epoch=99), seconds)
    assert epoch_seconds(plain) == pytest.approx({"000": 1, "001": 2, "002": 3})
    slow = ClusterSettings(pace="per-configuration")
    factors = epoch_seconds(simulate(Waves(trials(3), [9]), curve, slow))
    found = epoch_seconds(simulate(Waves(trials(3), [9]), curve, slow, seconds))
    assert found == pytest.approx({trial: seconds(trial) * factor for trial, factor in factors.items()})


def test_the_incumbent_tells_when_the_best_was_known_and_after_how_many_epochs():
    found = run(Waves(["001", "000", "005", "006"], [9]), workers=2)
    # 001 and 000 end together at 9 s, 005 and 006 at 18 s
    assert found.incumbent == [(9, 18, curve("001")[8]), (18, 36, curve("006")[8])]


def test_a_search_is_asked_only_for_as_many_trainings_as_workers_are_free():
    search = Waves(trials(6), [1, 2])
    run(search, workers=4)
    assert search.asked == [4, 4, 4, 4, 4]
    search = Waves(trials(6), [3])
    run(search, workers=4, pace="per-configuration")
    assert search.asked == [4, 1, 1, 1, 2, 3, 4]


def test_jobs_that_end_together_are_told_in_the_order_of_their_submission():
    search = Waves(trials(8), [1])
    run(search, workers=8)
    assert list(search.told) == trials(8)


def test_a_search_that_asks_for_nothing_takes_no_time():
    found = run(Waves([], [1]), workers=3)
    assert (found.makespan, found.utilisation, found.idle, found.epochs) == (0, 0, 0, 0)


def test_a_search_that_is_stuck_is_told_as_a_bug_and_does_not_hang():
    class Stuck(Waves):
        finished = False

    with pytest.raises(AssertionError, match="bug of the search"):
        run(Stuck(trials(2), [1]))


def test_a_search_that_asks_for_more_than_are_free_is_told_as_a_bug():
    class Greedy(Waves):
        def ask(self, at_most=None):
            return super().ask(at_most + 1)

    with pytest.raises(AssertionError, match="3 trainings for 2 free workers"):
        run(Greedy(trials(9), [1]), workers=2)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"workers": 0}, "cluster.workers must be at least 1, found 0"),
        ({"workers": 2.5}, "cluster.workers must be a whole number, found 2.5"),
        ({"pace": "slow"}, "cluster.pace must be constant, per-configuration or heavy-tailed, found 'slow'"),
        ({"seconds_per_epoch": 0}, "cluster.seconds_per_epoch must be above 0, found 0"),
        ({"seconds_per_epoch": math.nan}, "cluster.seconds_per_epoch must be a finite number, found nan"),
        ({"spread": -1}, "cluster.spread must be at least 0, found -1"),
        ({"queue_seconds": math.inf}, "cluster.queue_seconds must be a finite number, found inf"),
    ],
)
def test_a_mistake_in_the_settings_is_told_in_one_line(setting, message):
    with pytest.raises(UserError) as error:
        checked(ClusterSettings, setting, "", "cluster")
    assert str(error.value) == message


def test_an_epoch_that_takes_no_time_is_a_mistake_of_the_table():
    with pytest.raises(UserError, match="trial 000: an epoch must take more than 0 seconds, found 0"):
        simulate(Waves(trials(1), [1]), curve, ClusterSettings(), lambda trial: 0)


def test_a_worker_that_never_lives_through_an_epoch_is_told_and_does_not_hang():
    with pytest.raises(UserError, match="failures_per_hour must leave time for an epoch"):
        run(Waves(trials(1), [1]), seconds_per_epoch=3600, failures_per_hour=50)
