"""Replays of searches over a table: what their numbers mean, and the figures that were published."""

from dataclasses import replace

import numpy as np
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.predictors.bounds import Bounded
from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.draws import nearest_rows, permutation, places
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay, interval
from swift_hyperband.replay.tables.reader import PUBLISHED, read
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.fast_hyperband import FastSettings
from swift_hyperband.space.parameters import Categorical, Float, Int, Space
from swift_hyperband.study.section import checked

SPACE = Space({"lr": Float(1e-4, 1e-1, log=True), "width": Int(8, 256), "kind": Categorical(("sgd", "adam"))})


def runs(table, chosen, seeds=range(5), **more):
    return list(Replay(table, chosen.max_epochs).runs(chosen, seeds, **more))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_search_finds_a_good_configuration_beside_hyperband_on_the_same_draws(table, name):
    found = runs(table, recipe(name, 27, 3), range(3))
    assert [run.seed for run in found] == [0, 1, 2]
    for run in found:
        assert 0 <= run.regret < 1
        assert run.hyperband_epochs == 357
        assert run.makespan == run.epochs
        assert (run.fits > 0) == (
            name in ("predicted-random", "fast-hyperband", "swift-hyperband", "swift-asha", "adaptive-hyperband")
        )


def test_an_adaptive_search_draws_as_many_configurations_of_a_space_as_it_needs(table):
    chosen = recipe("adaptive-hyperband", 27, 3, adaptive=AdaptiveSettings(budget=2))
    (run,) = Replay(table, 27, nearest_rows(SPACE, table)).runs(chosen, [1])
    assert run.hyperband_epochs < run.epochs <= 2 * run.hyperband_epochs
    assert chosen.schedule.configurations >= 2 * 357, "a trial trains an epoch at least"
    assert chosen.configurations == chosen.plain.schedule.configurations


def test_hyperband_beside_is_hyperband_itself(table):
    for run in runs(table, recipe("hyperband", 81, 3)):
        assert (run.best, run.epochs) == (run.hyperband_best, run.hyperband_epochs)
        assert run.regret == run.hyperband_regret
        assert run.epochs == 1581


def test_one_epoch_for_all_meets_the_configurations_of_hyperband_and_trains_no_more(table):
    for run in runs(table, recipe("one-epoch", 81, 3)):
        assert run.epochs == 143 + 3 * 80 <= run.hyperband_epochs


def test_one_epoch_for_all_trains_the_configurations_of_hyperband(table):
    ours, plain = recipe("one-epoch", 81, 3), recipe("hyperband", 81, 3)
    replay = Replay(table, 81)
    (search, _), (hyperband, _) = replay.run(ours, 3), replay.run(plain, 3)
    assert {trial: curve[0] for trial, curve in search.curves.items()} == {
        trial: curve[0] for trial, curve in hyperband.curves.items()
    }
    assert search.epochs == 143 + 3 * 80 < hyperband.epochs


@pytest.mark.parametrize("name", ["swift-hyperband", "predicted-random", "fast-hyperband", "swift-asha"])
def test_a_winner_of_hyperband_that_a_prediction_stops_is_counted(table, name):
    # the last quarter of training turns the order round for half of the rows
    crossing = table.curves.copy()
    crossing[::2, 20:] = 1.2 - crossing[::2, 20:]
    replay = Replay(replace(table, curves=crossing), 27)
    # no benefit of the doubt
    chosen = recipe(name, 27, 3, swift={"margin": 0}, fast=FastSettings(d=3, kappa=0, confidence=0.6))
    ends = {
        trial: {round_.end for round_ in chosen.schedule.brackets[bracket]}
        for bracket, trials in places(chosen.schedule)[1].items()
        for trial in trials
    }
    counted = []
    for run in replay.runs(chosen, range(12)):
        (search, _), (hyperband, _) = replay.run(chosen, run.seed), replay.run(chosen.plain, run.seed)
        winner, _ = hyperband.best
        trained = len(search.curves.get(winner, ()))
        # stopped trials lie between the ends of rounds, those that are not promoted at one of them
        assert run.winner_stopped == (trained not in ends[winner] if trained else None)
        counted.append(run.winner_stopped)
    assert True in counted
    assert False in counted


@pytest.mark.parametrize("name", ["random", "one-epoch", "hyperband", "asha"])
def test_a_search_that_predicts_nothing_has_no_kill_risk(table, name):
    found = list(runs(table, recipe(name, 27, 3), range(2)))
    assert {run.winner_stopped for run in found} == {run.kill_risk for run in found} == {None}


@pytest.mark.parametrize(
    ("name", "swift", "known"),
    [
        ("swift-hyperband", {}, True),
        ("swift-hyperband", {"margin": 0}, False),
        ("fast-hyperband", {}, False),
    ],
)
def test_decisions_of_rounds_with_a_margin_predict_their_kill_risk(table, name, swift, known):
    found = [run.kill_risk for run in runs(table, recipe(name, 27, 3, swift=swift), range(3))]
    assert all(0 < risk < 0.5 for risk in found) if known else found == [None] * 3


def test_the_same_seed_gives_the_same_run(table):
    chosen = recipe("swift-hyperband", 81, 3)
    one, other = runs(table, chosen), runs(table, chosen)
    assert [replace(run, cpu_s=0.0) for run in one] == [replace(run, cpu_s=0.0) for run in other]
    assert len({run.epochs for run in one}) > 1, "seeds draw other configurations"


@pytest.mark.parametrize("workers", [1, 7, 200])
def test_workers_change_the_makespan_of_a_synchronous_search_and_nothing_else(table, workers):
    chosen = recipe("swift-hyperband", 81, 3)
    alone, together = runs(table, chosen), runs(table, chosen, cluster=ClusterSettings(workers=workers))
    for one, other in zip(alone, together, strict=True):
        assert (one.best, one.epochs, one.fits) == (other.best, other.epochs, other.fits)
        assert other.makespan >= other.epochs / workers
        assert (other.makespan < one.makespan) == (workers > 1)


def test_a_maximised_metric_is_told_as_it_is(table):
    accuracy = replace(table, metric=Metric("accuracy", "max"), curves=1 - table.curves)
    chosen = recipe("hyperband", 81, 3)
    for error, good in zip(runs(table, chosen), runs(accuracy, chosen), strict=True):
        assert good.best == pytest.approx(1 - error.best)
        assert good.regret == pytest.approx(error.regret)


def test_diverging_rows_are_replayed_as_failures(table):
    curves = table.curves.copy()
    curves[::3, 10:] = np.nan
    broken = replace(table, curves=curves)
    for run in runs(broken, recipe("swift-hyperband", 81, 3)):
        assert run.best in curves[:, 80]
        assert run.epochs < 1581


def test_a_table_in_which_everything_diverges_has_no_winner(table):
    broken = replace(table, curves=np.full_like(table.curves, np.nan))
    for run in runs(broken, recipe("swift-hyperband", 81, 3)):
        assert run.best is run.regret is run.hyperband_best is None


def test_rows_that_end_early_are_not_drawn(table):
    recorded = table.recorded.copy()
    recorded[:50] = 30
    curves = table.curves.copy()
    curves[:50, 30:] = np.nan
    ragged = Replay(replace(table, curves=curves, recorded=recorded), 81)
    assert ragged.complete.rows == 150
    assert "50 of 200 curves end before epoch 81" in " ".join(ragged.complete.notes)
    assert len(list(ragged.runs(recipe("hyperband", 81, 3), range(3)))) == 3


def test_more_trials_than_rows_draw_rows_again():
    found = permutation(10, 25, seed=3)
    assert sorted(found[:10]) == sorted(found[10:20]) == list(range(10))
    assert len(set(found[20:])) == 5


def test_configurations_of_a_space_take_the_nearest_row(table):
    replay = Replay(table, 27, nearest_rows(SPACE, table))
    assert [run.hyperband_epochs for run in replay.runs(recipe("swift-hyperband", 27, 3), range(3))] == [357] * 3
    with pytest.raises(
        UserError, match="must have a column for each hyperparameter of the space, found none for depth"
    ):
        nearest_rows(Space({"depth": Int(1, 3)}), table)


@pytest.mark.parametrize(
    ("hyperparameter", "value"),
    [
        (Float(1e-300, 1e300, log=True), lambda row: 10.0 ** (3 * row - 299)),
        (Float(-8e307, 8e307), lambda row: (row - 100) * 7e305),
        (Int(2**63 - 200, 2**63 - 1), lambda row: 2**63 - 200 + row),
    ],
)
def test_the_nearest_row_is_found_over_the_widest_ranges(table, hyperparameter, value):
    from swift_hyperband.replay.draws import Nearest

    values = [value(row) for row in range(table.rows)]
    nearest = Nearest(Space({"x": hyperparameter}), replace(table, hyperparameters={"x": values}))
    assert [nearest({"x": values[row]}) for row in (0, 17, 199)] == [0, 17, 199]


def test_the_row_itself_is_nearest_to_its_own_configuration(table):
    from swift_hyperband.replay.draws import Nearest

    nearest = Nearest(SPACE, table)
    for row in (0, 17, 199):
        assert nearest({name: values[row] for name, values in table.hyperparameters.items()}) == row


@pytest.mark.parametrize("method", ["tpe", "bohb"])
def test_configurations_drawn_by_a_model_are_better_than_those_at_random(table, method):
    from swift_hyperband.replay.model_draws import model_based

    chosen = recipe("hyperband", 27, 3, sampling=method)
    drawn = Replay(table, 27, model_based(table, method), nearest_rows(SPACE, table)).runs(chosen, range(4))
    runs_ = list(drawn)
    assert np.mean([run.best for run in runs_]) <= np.mean([run.hyperband_best for run in runs_])
    assert {run.epochs for run in runs_} == {357}


def test_an_interval_is_student_t():
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(4.302652729911275 / np.sqrt(3))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"algorithm": "hyperbnd"}, "here: must be random, .* found 'hyperbnd'; did you mean hyperband"),
        ({"max_epochs": 2}, "here: search.max_epochs must be at least eta"),
        ({"swift": {"d": 1}}, "here: swift.d must be"),
        ({"brackets": [9]}, "here: search.brackets must be from 0 to 4"),
    ],
)
def test_a_wrong_setting_is_told_in_a_line(changes, told):
    given = {"algorithm": "fast-hyperband", "max_epochs": 81, "eta": 3, "where": "here"} | changes
    with pytest.raises(UserError, match=told) as error:
        recipe(given.pop("algorithm"), given.pop("max_epochs"), given.pop("eta"), **given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"confidenc": 0.9}, "here: fast.confidenc is not a key.*confidence"),
        ({"confidence": 2}, "here: fast.confidence must be .*, found 2"),
        ({"d": 2}, "here: fast.d must be at least 3, found 2"),
    ],
)
def test_a_wrong_setting_of_fast_hyperband_is_told_in_a_line(keys, told):
    with pytest.raises(UserError, match=told) as error:
        checked(FastSettings, keys, "here", "fast")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ({}, "Swift-Hyperband"),
        ({"predictor": {"name": "svr"}}, "Swift-Hyperband (svr)"),
        ({"predictor": {"name": "qsvr"}}, "Quantum-Swift-Hyperband"),
        ({"preset": "bold"}, "Swift-Hyperband (bold)"),
        ({"preset": "published", "predictor": {"name": "svr"}}, "Swift-Hyperband (published)"),
        ({"preset": "published", "predictor": {"name": "last-value"}}, "Swift-Hyperband (published, last-value)"),
    ],
)
def test_a_label_names_the_preset_and_any_predictor_but_its_own(settings, label):
    assert recipe("swift-hyperband", 27, 3, **settings).label == label


# what the authors' programs and result files say, and what the simulator must give: mean epochs, and a tolerance
FIGURES = [
    ("mlpf", "hyperband", 100, 3213, 0.0),
    ("cifar10", "hyperband", 100, 3213, 0.0),
    ("ptb", "hyperband", 60, 1514, 0.0),
    ("mlpf", "swift-hyperband", 100, 2926, 0.01),
    ("cifar10", "swift-hyperband", 100, 2917, 0.01),
    ("ptb", "swift-hyperband", 60, 1427, 0.01),
]


@pytest.mark.parametrize(("format_", "search", "max_epochs", "epochs", "tolerance"), FIGURES)
def test_published_settings_give_the_published_epochs(published, format_, search, max_epochs, epochs, tolerance):
    table = read(published(format_), format_)
    assert PUBLISHED[format_].max_epochs == max_epochs
    found = runs(table, recipe(search, max_epochs, 2, preset="published"), range(100))
    assert np.mean([run.epochs for run in found]) == pytest.approx(epochs, rel=tolerance)
    if format_ == "mlpf":
        assert sum(run.best == run.hyperband_best for run in found) >= 95, "the same winner as Hyperband"


@pytest.mark.parametrize(("max_epochs", "epochs"), [(100, 3213), (300, 15380), (35, 872)])
def test_hyperband_trains_the_epochs_that_were_published(max_epochs, epochs):
    assert recipe("hyperband", max_epochs, 2).schedule.epochs_hyperband == epochs


def test_searches_of_one_size_meet_the_same_configurations(table):
    plain = recipe("hyperband", 81, 3).schedule
    swift = recipe("swift-hyperband", 81, 3, swift={"extra": 0.5}).schedule
    assert swift.configurations > plain.configurations
    (_, ours), (_, theirs) = places(swift), places(plain)
    for bracket, trials in theirs.items():
        assert ours[bracket][: len(trials)] == trials


@pytest.mark.parametrize("algorithm", ["fast-hyperband", "swift-asha"])
def test_decisions_are_those_by_the_whole_standard_error(table, algorithm, monkeypatch):
    chosen = recipe(algorithm, 27, 3, fast=FastSettings(d=5))
    found = [replace(run, cpu_s=0.0) for run in runs(table, chosen)]
    assert sum(run.fits for run in found) > 0
    monkeypatch.setattr(Bounded, "sigmas", lambda self: iter([self.sigma]))
    assert [replace(run, cpu_s=0.0) for run in runs(table, chosen)] == found


@pytest.mark.parametrize("cluster", [None, ClusterSettings(workers=3)])
def test_a_thaw_draws_no_configurations_and_never_makes_a_search_worse(table, cluster):
    keys = {"preset": "bold", "thaw": 0.1, "thaw_chance": 0.01}
    thawing, without = recipe("swift-hyperband", 27, 3, swift=keys), recipe("swift-hyperband", 27, 3, preset="bold")
    assert places(thawing.schedule) == places(without.schedule)
    replay, gained = Replay(table, 27), 0
    for seed in range(4):
        (search, simulation), (plain, _) = replay.run(thawing, seed, cluster), replay.run(without, seed, cluster)
        assert search.epochs == plain.epochs + sum(27 - search.thawing.epochs[trial] for trial in search.thawing.chosen)
        assert search.epochs <= plain.epochs + thawing.schedule.thaw.budget
        assert search.best[1] <= plain.best[1]
        gained += len(search.thawing.chosen)
        if simulation is not None:
            assert simulation.epochs == search.epochs
            assert simulation.incumbent[-1].loss == search.best[1]
    assert gained
