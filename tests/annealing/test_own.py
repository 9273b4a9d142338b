"""Samplers of the user's own: what they are given, and what is said of those that cannot be used."""

import sys

import dimod
import numpy as np
import pytest

from swift_hyperband.annealing import own, probe, ready, samplers
from swift_hyperband.annealing.errors import SamplerError, cleaned
from swift_hyperband.annealing.settings import SamplerSettings

MODULE = '''
import itertools
import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler

CALLS = []
COUNT = itertools.count()


class Base(dimod.Sampler):
    parameters = properties = {}

    def states(self, bqm, energy=0.0, vartype="BINARY", value=0, variables=None, rows=1):
        variables = list(bqm.variables) if variables is None else variables
        values = np.full((rows, len(variables)), value)
        return dimod.SampleSet.from_samples((values, variables), vartype, [energy] * rows)


class Jij(Base):
    """As openjij 0.12: what it takes stands in the signature alone."""

    @property
    def parameters(self):
        return {"beta_min": ["parameters"], "beta_max": ["parameters"]}

    def sample(self, bqm, beta_min=None, beta_max=None, num_sweeps=None, num_reads=None, seed=None):
        CALLS.append((num_sweeps, num_reads, seed))
        return SimulatedAnnealingSampler().sample(bqm, num_sweeps=num_sweeps, num_reads=num_reads, seed=seed)


class Forgetful(Base):
    """Takes anything and ignores it."""

    def sample(self, bqm, **parameters):
        CALLS.append(parameters)
        return SimulatedAnnealingSampler().sample(bqm, num_reads=5, num_sweeps=1)


class Listed(Forgetful):
    parameters = {"num_reads": [], "seed": []}


class Qubo(Base):
    """Has another of dimod's three methods."""

    def sample_qubo(self, Q, *, seed=None):
        CALLS.append(seed)
        return self.states(dimod.BinaryQuadraticModel.from_qubo(Q))


class Hasty(Base):
    def sample(self, bqm, seed=None, time_limit=0.5):
        return self.states(bqm)


class Fickle(Base):
    """Takes a seed, and has another answer each time all the same."""

    def sample(self, bqm, seed=None):
        return SimulatedAnnealingSampler().sample(bqm, num_reads=1, num_sweeps=1, seed=next(COUNT))


class Spins(Base):
    def sample(self, bqm, seed=None):
        found = SimulatedAnnealingSampler().sample(bqm, num_reads=9, seed=seed)
        return found.change_vartype("SPIN", inplace=False)


class Reals(Base):
    def sample(self, bqm):
        values = np.array([[0.0] * len(bqm), [1.0] * len(bqm)])
        return dimod.SampleSet.from_samples((values, list(bqm.variables)), "BINARY", [5.0, 7.0])


class Slow(Base):
    def sample(self, bqm):
        def late(_):
            raise OSError("the connection\\nwas lost")

        return dimod.SampleSet.from_future(object(), late)


class Fails(Base):
    def sample(self, bqm):
        raise RuntimeError("line one\\n  line two\\n\\n" + 300 * "x")


class Leaves(Base):
    def sample(self, bqm):
        raise SystemExit("goodbye")


class Wordless(Base):
    def sample(self, bqm):
        class Silent(Exception):
            def __str__(self):
                raise ValueError

        raise Silent


class Tells(Base):
    def sample(self, bqm):
        import os

        raise RuntimeError("no access with " + os.environ["OTHER_MAKER_API_TOKEN"])


class Empty(Base):
    def sample(self, bqm):
        return self.states(bqm, rows=0)


class Lacking(Base):
    def sample(self, bqm):
        return self.states(bqm, variables=list(bqm.variables)[2:])


class More(Base):
    def sample(self, bqm):
        return self.states(bqm, variables=[*bqm.variables, "slack"])


class Nan(Base):
    def sample(self, bqm):
        return self.states(bqm, energy=float("nan"))


class Twos(Base):
    def sample(self, bqm):
        return self.states(bqm, value=2)


class Integers(Base):
    def sample(self, bqm):
        return self.states(bqm, vartype=dimod.INTEGER)


class Listing(Base):
    def sample(self, bqm):
        return [{v: 0 for v in bqm.variables}]


class Async(Base):
    async def sample(self, bqm):
        return self.states(bqm)


class Nothing(Base):
    def sample(self, bqm):
        pass


class Breaks(Base):
    """Changes the problem that it is given."""

    def sample(self, bqm):
        bqm.scale(0.0)
        return self.states(bqm)


class Odd(Base):
    @property
    def parameters(self):
        raise RuntimeError("not connected")

    def sample(self, bqm, **parameters):
        return self.states(bqm)


class Structured(dimod.Sampler, dimod.Structured):
    parameters = properties = {}
    nodelist, edgelist = [0, 1], [(0, 1)]

    @dimod.bqm_structured
    def sample(self, bqm):
        return dimod.ExactSolver().sample(bqm)


class Needy(Jij):
    def __init__(self, child):
        pass


class Refuses(Jij):
    def __init__(self):
        raise ConnectionError("no licence\\nfound")


class Abstract(dimod.Sampler):
    pass


class Plain:
    def sample(self, bqm):
        pass


def made():
    return Jij()
'''


def problem(variables=12):
    return probe.problem(variables)


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "exits.py").write_text("raise SystemExit(3)")
    (tmp_path / "broken.py").write_text("def f(:\n  pass")
    (tmp_path / "interrupts.py").write_text("import no_such_library_at_all")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    yield
    for name in ("mine", "exits", "broken", "interrupts"):
        sys.modules.pop(name, None)


def calls():
    return sys.modules["mine"].CALLS


def ask(name, **settings):
    return samplers.minimiser(SamplerSettings(f"mine:{name}", **settings), "label")(problem())


def look(name, variables=30, **settings):
    return ready.look(SamplerSettings(f"mine:{name}", **settings), variables, trial=True)


def test_what_stands_in_the_signature_alone_is_given_and_repeats_by_the_seed():
    first, again = (ask("Jij", num_reads=7, sweeps=20, seed=5) for _ in range(2))
    assert calls() == [(20, 7, 5)] * 2
    np.testing.assert_array_equal(first.record.sample, again.record.sample)
    assert look("Jij").unrepeatable is None


def test_taking_any_parameter_is_no_evidence_unless_it_is_listed():
    ask("Forgetful")
    ask("Listed", num_reads=3, seed=2)
    assert calls() == [{}, {"num_reads": 3, "seed": 2}]
    assert look("Forgetful").unrepeatable == "it takes no seed"


def test_the_signature_of_the_method_that_a_class_has_itself_counts():
    ask("Qubo", seed=4)
    assert calls() == [4]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Hasty", "it stops by the clock (time_limit 0.5)"),
        ("Fickle", "the same problem and seed had two different answers"),
        ("Listed", "the same problem and seed had two different answers"),
    ],
)
def test_what_does_not_repeat_is_found_out(name, why):
    assert look(name).unrepeatable == why


@pytest.mark.parametrize("name", ["tabu", "dwave.samplers:TabuSampler", "dwave.samplers:SimulatedAnnealingSampler"])
def test_samplers_of_the_library_repeat_also_the_one_that_would_stop_by_the_clock(name):
    found = ready.look(SamplerSettings(name, num_reads=3), 60, trial=True)
    assert (found.faults, found.unrepeatable) == ((), None)


def test_tabu_gives_the_same_under_its_own_name():
    one, other = (
        samplers.minimiser(SamplerSettings(name, num_reads=2, seed=9), "label")(problem(40)).record.sample
        for name in ("tabu", "dwave.samplers:TabuSampler")
    )
    np.testing.assert_array_equal(one, other)


def test_a_key_without_effect_is_told():
    assert look("Qubo", sweeps=500, num_reads=3).notes == (
        "predictor.sampler.num_reads has no effect: mine:Qubo takes no num_reads, found 3; leave it out",
        "predictor.sampler.sweeps has no effect: mine:Qubo takes no num_sweeps, found 500; leave it out",
    )
    assert look("Qubo").notes == look("Jij", sweeps=50, num_reads=3).notes == ()


def test_spins_and_real_numbers_become_bits_and_other_energies_those_of_the_problem():
    best = dimod.ExactSolver().sample(problem()).first.energy
    spins = ask("Spins")
    assert spins.vartype is dimod.BINARY
    assert spins.first.energy == pytest.approx(best)
    reals = ask("Reals")
    assert reals.record.sample.dtype == np.int8
    np.testing.assert_allclose(reals.record.energy, problem().energies((reals.record.sample, reals.variables)))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Slow", "failed with OSError: the connection was lost"),
        ("Fails", "failed with RuntimeError: line one line two x"),
        ("Leaves", "failed with SystemExit: goodbye"),
        ("Wordless", "failed with Silent: a text that cannot be shown"),
        ("Empty", "must return at least one solution, found none"),
        ("Lacking", r"must return all variables of the problem, found 2 lacking \(0, 1\)"),
        ("More", r"must return no variables but the problem's, found 1 more \(slack\)"),
        ("Nan", "must return finite energies, found nan"),
        ("Twos", "must return values that are 0 or 1, found 2"),
        ("Integers", "must return spins or bits, found INTEGER"),
        ("Listing", "must return a dimod.SampleSet, found list"),
        ("Async", "must return a dimod.SampleSet, found coroutine"),
        ("Nothing", "must return a dimod.SampleSet, found NoneType"),
        ("Odd", "failed with RuntimeError: not connected"),
        ("Structured", "failed with BinaryQuadraticModelStructureError: .*; it has a graph of its own .* embeds"),
        ("Needy", "must be made without arguments, found TypeError: .*'child'.*; name a class of your own"),
        ("Refuses", "must be made without arguments, found ConnectionError: no licence found"),
        ("Abstract", "must be made without arguments, found TypeError: .*abstract"),
        ("Plain", "must name a dimod.Sampler, found <class 'mine.Plain'>"),
        ("made", "must name a dimod.Sampler, found <function made"),
        ("NoSuch", "must name a dimod.Sampler, found None"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_sampler_that_cannot_be_used_is_told_in_one_short_line(name, told):
    with pytest.raises(SamplerError, match=rf"the sampler 'mine:{name}' cannot be used: it {told}") as caught:
        ask(name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert caught.value.__cause__ is None
    assert look(name).faults == (f"predictor.sampler.name: {caught.value}",)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("exits:Sampler", "must be importable, found SystemExit: 3"),
        ("broken:Sampler", "must be importable, found SyntaxError: "),
        ("interrupts:Sampler", "must be importable, found ModuleNotFoundError: .*no_such_library_at_all"),
        ("mine.py:Jij", "must be importable, found ModuleNotFoundError: .*; name the module without .py"),
        ("dimod:NullSampler", "must return at least one solution, found none"),
        ("dimod:StructureComposite", "must be made without arguments"),
        ("dwave.samplers:PlanarGraphSolver", "failed with NotImplementedError"),
    ],
)
def test_neither_a_module_nor_a_library_s_class_that_fails_is_a_traceback(name, told):
    with pytest.raises(SamplerError, match=f"cannot be used: it {told}"):
        samplers.minimiser(SamplerSettings(name), "label")(problem())


def test_ctrl_c_is_nobody_s_fault(tmp_path):
    (tmp_path / "mine.py").write_text(MODULE.replace('raise SystemExit("goodbye")', "raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        ask("Leaves")


def test_the_problem_stays_as_it_is_whatever_a_sampler_does_to_it():
    bqm = problem()
    samplers.minimiser(SamplerSettings("mine:Breaks"), "label")(bqm)
    assert bqm == problem()


@pytest.mark.parametrize("name", ["exact", "dimod:ExactSolver"])
def test_what_would_never_end_is_told_with_keys_that_exist(name):
    (line,) = ready.look(SamplerSettings(name), 30, trial=False).faults
    assert line == (
        f"predictor.sampler.name: {name} holds at most 20 variables, found 30; "
        "lower predictor.qsvr.max_samples or predictor.qsvr.bits, or name another sampler"
    )


def test_a_sampler_that_holds_small_problems_only_is_found_out_at_the_size_asked_about():
    settings = SamplerSettings("dwave.samplers:TreeDecompositionSolver")
    assert ready.look(settings, 12, trial=True).faults == ()
    (line,) = ready.look(settings, 40, trial=True).faults
    assert "failed with ValueError: maximum treewidth of 25 exceeded" in line
    assert "\n" not in line


def test_no_secret_of_the_environment_is_repeated(alone, monkeypatch, tmp_path):
    monkeypatch.setenv("OTHER_MAKER_API_TOKEN", "some-very-secret-word")
    monkeypatch.setenv("DWAVE_API_TOKEN", "a-token-of-d-wave")
    with pytest.raises(SamplerError, match=r"failed with RuntimeError: no access with \*\*\*") as caught:
        ask("Tells")
    assert "secret" not in str(caught.value)
    assert cleaned("x some-very-secret-word a-token-of-d-wave y") == "x *** *** y"


def test_a_token_of_the_client_s_configuration_is_not_repeated(alone, monkeypatch, tmp_path):
    (tmp_path / "dwave.conf").write_text("[defaults]\ntoken = only-in-the-file\n")
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(tmp_path / "dwave.conf"))
    assert cleaned(ValueError("only-in-the-file is refused")) == "*** is refused"


def test_the_regressor_tells_the_same_of_a_sampler_that_it_is_given():
    from swift_hyperband.annealing.qsvr import QSVR

    x = np.arange(8.0)[:, None]
    with pytest.raises(SamplerError, match="the sampler 'NullSampler' cannot be used: it must return at least one"):
        QSVR(sampler=dimod.NullSampler()).fit(x, x[:, 0])


def test_a_parameter_of_the_regressor_s_sampler_may_stand_in_its_signature():
    assert own.takes(dimod.RandomSampler(), ["seed", "nothing"]) == ["seed"]
    assert own.takes(dimod.ExactSolver(), ["seed"]) == []
