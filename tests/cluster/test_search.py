"""Whole searches on a SLURM cluster, with the profile that is shipped."""

import yaml

from swift_hyperband.results import jobs

WHERE = """
import os
from swift_hyperband.targets.recorded import CurveTable


class Where(CurveTable):
    def train_epoch(self, epoch):
        super().train_epoch(epoch)
        with open("where.txt", "a") as file:
            print(os.environ["SLURMD_NODENAME"], os.environ.get("CUDA_VISIBLE_DEVICES"), file=file)
"""


def test_a_search_finds_on_slurm_what_it_finds_here_and_uses_every_gpu(project, cluster):
    project.run("swift-hyperband", "run", "--cores", "2", "best")
    here = project.found()
    project.results.rename(project.path / "here")
    project.search()
    assert project.found() == here
    jobs = project.jobs()
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert {job.partition for job in jobs} == {"gpu"}
    assert {job.node for job in jobs} == {"n1", "n2", "n3"}
    assert all("rule_train" in job.comment for job in jobs), "what lies between trainings runs beside Snakemake"
    assert max(project.epochs_started().values()) == 1


def test_a_folder_that_is_no_clone_has_its_results_on_another_disk(project):
    project.run("swift-hyperband", "run", "--cores", "2", "best")
    here = project.decisions()
    project.results.rename(project.path / "here")
    for name in ("workflow", "rules", "envs"):
        (project.path / name).unlink()
    project.variables["SCRATCH"] = str(project.path / "it's a disk")
    study = yaml.safe_load((project.path / "config/config.yaml").read_text())
    (project.path / "config/config.yaml").write_text(yaml.safe_dump({**study, "results": "$SCRATCH/mine"}))
    project.search()
    place = project.path / "it's a disk/mine/table"
    assert project.decisions(place) == here
    assert max(project.epochs_started(place).values()) == 1
    assert {job.slurm for job in jobs.read(place)} == {job.id for job in project.jobs()}
    assert not list((project.path / "results").iterdir())


def where_trained(project, gpus, *command):
    """Train three trials side by side; return the nodes and devices that they saw."""
    (project.path / "where.py").write_text(WHERE)
    project.study(
        target__name="where.py:Where",
        target__options={"table": "table.csv", "seconds": 0.2},
        search={"algorithm": "random", "trials": 3, "max_epochs": 9},
        resources={"workers": 3, "gpus": gpus, "gpus_required": False, "mem_mb": 600, "runtime": 10},
    )
    project.run(*command)
    lines = (project.path / "where.txt").read_text().splitlines()
    assert len(lines) == 3 * 9
    return {tuple(line.split()) for line in lines}


def test_each_training_has_a_gpu_of_its_own(project):
    # with the profile alone, which asks SLURM less often than the other tests do
    found = where_trained(project, 1, "swift-hyperband", "run", "--profile", "profiles/slurm", "best")
    assert found == {("n1", "0"), ("n2", "0"), ("n3", "0")}


def test_trainings_without_gpus_keep_off_the_nodes_with_gpus(project):
    assert where_trained(project, 0, "search on SLURM") == {("c1", "None")}
    assert {job.partition for job in project.jobs()} == {"cpu"}


def test_the_profile_without_the_plugin_finds_the_same(project):
    project.run("swift-hyperband", "search")
    here = project.found()
    project.results.rename(project.path / "here")
    generic = ("--profile", "profiles/slurm-generic", "--seconds-between-status-checks", "1")
    project.run("swift-hyperband", "run", *generic, "best")
    assert project.found() == here
    assert {job.state for job in project.jobs()} == {"COMPLETED"}
    assert {job.partition for job in project.jobs()} == {"gpu"}
    assert all(job.comment.startswith("rule_train_") for job in project.jobs()), "so that resume finds them"
    recorded = list(jobs.read(project.results))
    assert {job.slurm for job in recorded} == {job.id for job in project.jobs()}
    assert all(job.submitted is not None and job.ended >= job.started >= job.submitted - 1 for job in recorded)
