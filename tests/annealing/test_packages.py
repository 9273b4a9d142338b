"""A sampler whose packages are not installed is refused in one line that tells how to install them."""

import sys

import dimod
import pytest

from swift_hyperband.annealing import packages, ready, samplers
from swift_hyperband.annealing.settings import LOCAL, REMOTE, SamplerSettings
from swift_hyperband.base.errors import UserError

MISSING = {
    "simulated-annealing": "dimod",
    "tabu": "dwave.samplers",
    "mine:Sampler": "dwave.samplers",
    "neal": "neal",
    "qpu": "dwave.system",
    "hybrid": "dwave.cloud",
}


@pytest.mark.parametrize(("sampler", "package"), MISSING.items())
def test_a_missing_package_is_told_with_the_way_to_install_it(sampler, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    told = rf"^predictor.sampler.name: {sampler} needs packages that are not installed, found no module '{package}'; "
    with pytest.raises(UserError, match=told + r"install them with: pip install 'swift-hyperband\[annealer\]'$"):
        ready.look(SamplerSettings(sampler), 12, trial=False)


@pytest.mark.parametrize("sampler", sorted(REMOTE))
def test_a_problem_is_refused_as_well(sampler, monkeypatch):
    monkeypatch.setitem(sys.modules, "dwave.system", None)
    with pytest.raises(UserError, match=r"install them with: pip install 'swift-hyperband\[annealer\]'"):
        samplers.minimiser(SamplerSettings(sampler))(dimod.BinaryQuadraticModel({0: 1.0}, {}, "BINARY"))


@pytest.mark.parametrize("sampler", [*LOCAL, *sorted(REMOTE)])
def test_nothing_is_said_where_all_are_installed(sampler):
    packages.require(sampler)
