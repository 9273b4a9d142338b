"""A setting beyond the range of a solver is refused with the key and the range."""

import pytest

from swift_hyperband.annealing import limits
from swift_hyperband.annealing.settings import SamplerSettings

PROPERTIES = {
    "num_reads_range": [1, 10000],
    "annealing_time_range": [0.5, 2000.0],
    "problem_run_duration_range": [0.0, 1000000.0],
    "default_annealing_time": 20.0,
    "default_readout_thermalization": 0.0,
    "default_programming_thermalization": 1000.0,
}
REFUSED = {
    "reads": (
        {"num_reads": 20000},
        "predictor.sampler.num_reads must be at most 10000 (num_reads_range of Advantage), found 20000",
    ),
    "long anneal": (
        {"annealing_time": 5000},
        "predictor.sampler.annealing_time must be at most 2000 (annealing_time_range of Advantage), found 5000",
    ),
    "short anneal": (
        {"annealing_time": 1e-6},
        "predictor.sampler.annealing_time must be at least 0.5 (annealing_time_range of Advantage), found 1e-06",
    ),
    "reads x time": (
        {"num_reads": 5000, "annealing_time": 300},
        "predictor.sampler.num_reads must be at most 3330 with an annealing_time of 300 "
        "(problem_run_duration_range of Advantage: all reads within 1000000 microseconds), found 5000",
    ),
}


@pytest.mark.parametrize(("settings", "told"), REFUSED.values(), ids=REFUSED)
def test_a_qpu_refuses_what_is_beyond_its_ranges(settings, told):
    assert limits.of_qpu("Advantage", PROPERTIES, SamplerSettings("qpu", **settings), 12, 177) == [told]


@pytest.mark.parametrize("settings", [{"num_reads": 10000}, {"num_reads": 3330, "annealing_time": 300}])
def test_a_qpu_takes_all_that_its_ranges_hold(settings):
    assert limits.of_qpu("Advantage", PROPERTIES, SamplerSettings("qpu", **settings), 177, 177) == []


def test_a_range_that_the_solver_does_not_tell_refuses_nothing():
    settings = SamplerSettings("qpu", num_reads=10**6, annealing_time=1e6)
    assert limits.of_qpu("Advantage", {}, settings, 12, 177) == []


def test_a_hybrid_solver_needs_more_time_than_it_works_for():
    found = limits.of_hybrid("hybrid_v2", 3.0, SamplerSettings("hybrid", timeout=3.0), 12, 1000)
    assert found == ["predictor.sampler.timeout must be more than 3 (minimum_time_limit of hybrid_v2), found 3"]
    assert limits.of_hybrid("hybrid_v2", 3.0, SamplerSettings("hybrid", timeout=3.5), 1000, 1000) == []


def test_a_problem_too_large_for_a_solver_is_refused_by_the_key_that_makes_it_smaller():
    for found in (
        limits.of_qpu("Advantage", PROPERTIES, SamplerSettings("qpu"), 178, 177),
        limits.of_hybrid("hybrid_v2", 3.0, SamplerSettings("hybrid"), 178, 177),
    ):
        (line,) = found
        assert line.startswith("predictor.qsvr.max_samples: a problem for ")
        assert "may have 177 variables, found 178; use fewer curves or bits" in line
