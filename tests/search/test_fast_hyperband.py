"""Fast-Hyperband: Baker's rule, epoch by epoch."""

import math

import pytest

from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search.decisions import chance_beaten, kth_best
from swift_hyperband.search.fast_hyperband import FastHyperbandSearch, FastSettings
from swift_hyperband.search.schedule import hyperband

SVR = PredictorSettings("svr", "change", "differences", "robust", C=1.0, nu=0.5)
SCHEDULE = hyperband(27, 3)


@pytest.fixture
def run(synthetic):
    def run(train=synthetic.curve, predictor=SVR, **settings):
        search = FastHyperbandSearch(SCHEDULE, synthetic.trials(SCHEDULE), FastSettings(**settings), predictor)
        return synthetic.drive(search, train, workers=1)

    return run


def test_it_trains_fewer_epochs_than_hyperband_and_finds_as_good_a_trial(run):
    search = run(d=8)
    assert search.epochs < SCHEDULE.epochs_hyperband
    everything = run(d=1000)
    assert everything.epochs == SCHEDULE.epochs_hyperband, "without curves to fit nothing is stopped"
    assert everything.fits == 0
    assert search.best[1] <= 1.1 * everything.best[1]


def test_the_surer_it_must_be_the_more_it_trains(run):
    epochs = [run(d=8, confidence=confidence).epochs for confidence in (0.6, 0.8, 0.95, 0.9999)]
    assert epochs == sorted(epochs)
    assert epochs[0] < epochs[-1]


def test_a_rival_that_must_be_the_best_stops_more_than_the_last_that_is_promoted(run):
    assert run(d=8, kappa=0).epochs < run(d=8, kappa=1).epochs


def test_one_trial_trains_at_a_time(synthetic):
    search = FastHyperbandSearch(SCHEDULE, synthetic.trials(SCHEDULE), FastSettings(), SVR)
    assert len(search.ask()) == 1
    assert search.ask() == []


def test_the_winner_really_trained_to_the_last_epoch(run):
    search = run(d=5, confidence=0.55)
    trial, loss = search.best
    assert search.curves[trial][26] == loss
    assert len(search.curves[trial]) == 27


def test_failing_trials_are_no_winners_and_do_not_stop_it(run, synthetic):
    def train(trial, epochs):
        full = synthetic.curve(trial, epochs)
        return [*full[: max(0, epochs // 2)], math.nan] if int(trial, 16) % 3 == 0 else full

    assert int(run(train, d=8).best[0], 16) % 3
    assert run(lambda trial, epochs: [], d=8).best is None


def test_the_rule_is_that_of_the_paper():
    # predicted one standard error above the rival: Phi(1)
    assert chance_beaten(predicted=2.0, sigma=1.0, rival=1.0) == pytest.approx(0.841344746)
    assert chance_beaten(predicted=2.0, sigma=1.0, rival=1.0, delta=1.0) == pytest.approx(0.5)
    assert chance_beaten(predicted=2.0, sigma=0.0, rival=1.0) == 1
    assert chance_beaten(predicted=2.0, sigma=1.0, rival=math.inf) == 0
    assert kth_best([3.0, 1.0, 2.0], 2) == 2.0
    assert kth_best([3.0], 2) == math.inf
