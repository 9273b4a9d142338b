"""The samplers by the names of the study file."""

import sys

import dimod
import neal
import numpy as np
import pytest

from swift_hyperband.annealing import samplers
from swift_hyperband.annealing.settings import LOCAL, SamplerSettings
from swift_hyperband.base.errors import UserError

MODULE = """
import dimod

class Knowing(dimod.NullSampler):
    def __init__(self):
        self.parameters = {"num_reads": [], "seed": []}

    def sample(self, bqm, *, num_reads, seed):
        return dimod.RandomSampler().sample(bqm, num_reads=num_reads, seed=seed)

class Plain(dimod.NullSampler):
    def sample(self, bqm):
        return dimod.SampleSet.from_samples_bqm({v: 0 for v in bqm.variables}, bqm)

class Other:
    pass
"""


def problem(variables=12):
    biases = np.random.default_rng(0).normal(size=(variables, variables))
    return dimod.BinaryQuadraticModel(biases.diagonal(), np.triu(biases, 1), "BINARY")


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    (tmp_path / "own_samplers.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("own_samplers", None)


@pytest.mark.parametrize("name", [*LOCAL])
def test_a_local_sampler_finds_the_optimum_of_a_small_problem_and_the_same_by_the_same_seed(name):
    bqm, settings = problem(), SamplerSettings(name, seed=3)
    first, again = (samplers.minimiser(settings)(bqm) for _ in range(2))
    np.testing.assert_array_equal(first.record.sample, again.record.sample)
    assert first.first.energy == pytest.approx(dimod.ExactSolver().sample(bqm).first.energy)


@pytest.mark.parametrize("name", [name for name in LOCAL if name != "exact"])
def test_as_many_solutions_as_asked_for(name):
    assert len(samplers.minimiser(SamplerSettings(name, num_reads=7))(problem())) == 7


def test_neal_is_the_sampler_of_dwave_neal_and_anneals_as_simulated_annealing_does(monkeypatch):
    calls = []

    class Counted(neal.SimulatedAnnealingSampler):
        def sample(self, bqm, **given):
            calls.append((given["num_reads"], given["num_sweeps"], given["seed"]))
            return super().sample(bqm, **given)

    monkeypatch.setattr(neal, "SimulatedAnnealingSampler", Counted)
    ours, theirs = (
        samplers.minimiser(SamplerSettings(name, num_reads=5, sweeps=20, seed=3))(problem(60)).record.sample
        for name in ("neal", "simulated-annealing")
    )
    assert calls == [(5, 20, 3)]
    np.testing.assert_array_equal(ours, theirs)


def test_another_seed_gives_other_solutions():
    one, other = (
        samplers.minimiser(SamplerSettings("steepest-descent", seed=seed))(problem(60)).record.sample for seed in (0, 1)
    )
    assert (one != other).any()


def test_more_sweeps_anneal_longer():
    bqm = problem(100)
    short, long = (samplers.minimiser(SamplerSettings(sweeps=sweeps))(bqm).record.energy.mean() for sweeps in (2, 500))
    assert long < short


def test_exact_refuses_what_would_take_forever():
    with pytest.raises(UserError, match=r"at most 20 variables, found 21; lower .* or name another sampler"):
        samplers.minimiser(SamplerSettings("exact"))(problem(21))


@pytest.mark.parametrize("name", ["Knowing", "Plain"])
def test_a_sampler_of_the_users_own_gets_the_parameters_that_it_knows(own_module, name):
    found = samplers.minimiser(SamplerSettings(f"own_samplers:{name}", num_reads=5))(problem())
    assert len(found) == (5 if name == "Knowing" else 1)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("anneal", r"must be simulated-annealing, .*, qpu, hybrid or module:Class .*, found 'anneal'"),
        ("no_such_module:Sampler", r"must be importable, found ModuleNotFoundError: .*no_such_module"),
        ("own_samplers:Missing", r"must name a dimod.Sampler, found None"),
        ("own_samplers:Other", r"must name a dimod.Sampler, found <class"),
    ],
)
def test_a_name_that_is_no_sampler_is_told_in_one_line(own_module, name, told):
    with pytest.raises(UserError, match=told) as caught:
        samplers.minimiser(SamplerSettings(name))(problem())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["qpu", "hybrid"])
def test_remote_samplers_get_problem_label_folder_and_budget(monkeypatch, tmp_path, name):
    asked = []
    monkeypatch.setattr("swift_hyperband.annealing.dwave.conversation.sample", lambda *given: asked.append(given))
    bqm, settings = problem(), SamplerSettings(name, budget=3.0)
    minimise = samplers.minimiser(settings, "fit", tmp_path)
    minimise(bqm)
    minimise(bqm, " 2/3")
    assert asked == [(settings, bqm, "fit", tmp_path, 3.0), (settings, bqm, "fit 2/3", tmp_path, 3.0)]
