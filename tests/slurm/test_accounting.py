"""A cluster with slurmdbd, as most have: accounts are checked, and sacct answers."""

import subprocess

SEARCH = {"algorithm": "random", "trials": 3, "max_epochs": 9}
RESOURCES = {"workers": 3, "gpus": 1, "gpus_required": False, "mem_mb": 600, "runtime": 10}


def test_a_search_finds_what_it_finds_here_and_its_jobs_are_accounted_to_the_profiles_account(accounting, project):
    project.study(search=SEARCH, resources=RESOURCES)
    project.run("swift-hyperband", "search")
    here = project.found()
    project.results.rename(project.path / "here")
    project.search()
    assert project.found() == here
    asked = ["sacct", "-X", "-n", "-P", "--format=Account,State,WorkDir"]
    lines = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {line for line in lines if str(project.path) in line} == {f"lab|COMPLETED|{project.path}"}


def test_an_account_that_does_not_exist_is_said_with_those_that_do(accounting, project):
    project.study(search=SEARCH, resources=RESOURCES)
    printed = project.search("--set-resources", "train_full:slurm_account=nope", "--retries", "0", check=False)
    assert "The given account nope appears to be invalid. Available accounts:" in printed
    assert "lab" in printed
