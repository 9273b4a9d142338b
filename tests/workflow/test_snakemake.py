"""What `swift-hyperband run` takes from Snakemake and changes in its options."""

import pytest

from swift_hyperband.workflow import snakemake


@pytest.fixture(scope="module")
def options():
    """Return the names that Snakemake gives its options."""
    from snakemake.cli import get_argument_parser

    return {action.dest for action in get_argument_parser()._actions}


@pytest.mark.parametrize("name", snakemake.LOOKS)
def test_each_option_that_runs_no_jobs_is_one_of_snakemakes(options, name):
    assert name in options


@pytest.mark.parametrize("name", ["cores", "jobs", "config", "executor", "verbose", "printshellcmds", "targets"])
def test_each_option_that_is_read_or_changed_is_one_of_snakemakes(options, name):
    assert name in options


@pytest.mark.parametrize(
    ("given", "expected"), [([], False), (["-j", "3"], True), (["-j3"], True), (["--jobs=3"], True), (["--job"], False)]
)
def test_the_number_of_jobs_may_be_given_in_any_form(given, expected):
    assert snakemake.gives_jobs(given) == expected
