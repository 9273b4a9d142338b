"""Workers that train ahead: the same decisions, and what they cost and save."""

import math
import random

import pytest

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.simulator import simulate
from swift_hyperband.search.algorithms import ALGORITHMS

SEARCHES = [
    (name, preset)
    for name, algorithm in ALGORITHMS.items()
    for preset in (["default", "published", "bold"] if algorithm.predicts else ["default"])
    if algorithm.synchronous
]
COSTS = {"start_seconds": 3.0, "queue_seconds": 5.0, "failures_per_hour": 100.0}


def curve(trial, sound=True):
    """Return a curve that crosses others, and now and then diverges or fails."""
    own = random.Random(trial)
    end, start, speed, noise = own.uniform(0.1, 0.6), own.uniform(0.5, 2), own.uniform(0.2, 1.5), own.uniform(0, 0.02)
    losses = [end + start * epoch**-speed + own.gauss(0, noise) for epoch in range(1, 28)]
    if not sound and own.random() < 0.2:
        at = own.randrange(27)
        return [*losses[:at], math.nan] if own.random() < 0.5 else losses[:at]
    return losses


def run(algorithm, seed=0, preset="default", sound=True, eta=3, **cluster):
    chosen = recipe(algorithm, 27, eta, preset=preset)
    trials = {
        bracket: [f"{seed}/{bracket}/{slot:03d}" for slot in range(rounds[0].trials)]
        for bracket, rounds in chosen.schedule.brackets.items()
    }
    search = chosen.start(trials)
    return search, simulate(search, lambda trial: curve(trial, sound), ClusterSettings(seed=seed, **cluster))


def decided(search):
    """Return everything that a search decided."""
    records = {key: (r.competitors, r.decision, r.promoted) for key, r in search.records.items()}
    return records, search.best, search.curves, search.thawing, search.stopped, search.fits


@pytest.mark.parametrize(("algorithm", "preset"), SEARCHES)
@pytest.mark.parametrize("sound", [True, False], ids=["sound", "failing"])
def test_a_search_decides_the_same_with_and_without_training_ahead(algorithm, preset, sound):
    for seed in range(2):
        expected = decided(run(algorithm, seed, preset, sound)[0])
        for workers in (1, 2, 5, 16, 64, 1024):
            pace = ("constant", "per-configuration", "heavy-tailed")[(seed + workers) % 3]
            costs = COSTS if workers in (2, 16) else {}
            speculate = 0.2 if workers == 5 else True
            search, ahead = run(
                algorithm, seed, preset, sound, workers=workers, pace=pace, speculate=speculate, **costs
            )
            assert decided(search) == expected
            assert ahead.epochs == search.epochs + ahead.in_vain


@pytest.mark.parametrize("preset", ["published", "bold"])
def test_a_search_in_rounds_takes_no_longer_than_hyperband_however_many_workers_there_are(preset):
    for seed in range(5):
        for workers in (1, 4, 16, 64, 1024):
            _, plain = run("hyperband", seed, eta=2, workers=workers)
            search, ahead = run("swift-hyperband", seed, preset, eta=2, workers=workers, speculate=True)
            assert ahead.makespan <= 1.01 * plain.makespan
            to_points = sum(r.extra * (r.decision_epoch or 0) for r in search.schedule.rounds)
            assert ahead.epochs <= 1.01 * plain.epochs + to_points


def test_one_worker_trains_nothing_in_vain_and_needs_no_more_time():
    _, alone = run("swift-hyperband")
    _, ahead = run("swift-hyperband", speculate=True)
    assert ahead.in_vain == 0
    assert ahead.makespan == alone.makespan


def test_a_share_bounds_the_epochs_trained_ahead():
    vain = [run("swift-hyperband", preset="bold", workers=64, speculate=share)[1] for share in (0, 0.05, 0.2, True)]
    counts = [found.in_vain for found in vain]
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[2] <= 0.2 * (vain[2].epochs - counts[2])
    assert vain[0].makespan > vain[-1].makespan


def test_a_worker_trains_one_trial_at_a_time_and_no_epoch_twice():
    search, found = run("swift-hyperband", preset="bold", workers=16, pace="heavy-tailed", speculate=True, **COSTS)
    assert found.used_ahead > 0 < found.in_vain
    by_worker, behind = {}, {}
    for job in sorted(found.jobs, key=lambda job: (job.submitted, job.ended)):
        assert job.submitted >= by_worker.get(job.worker, 0.0)
        assert job.start_epoch == behind.get(job.trial, 0)
        by_worker[job.worker], behind[job.trial] = job.ended, job.end_epoch
    for trial, told in search.curves.items():
        assert behind[trial] >= len(told)
