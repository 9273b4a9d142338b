"""A folder with a study file is all that a search needs: the workflow is taken from where the package lies."""

import pytest


@pytest.fixture
def own(project):
    """A project whose folder is no clone."""
    for name in ("workflow", "rules", "profiles", "envs"):
        (project.path / name).unlink()
    return project


def test_the_path_of_the_workflow_lets_snakemake_run_the_search_with_its_default_profile(own, finished):
    snakefile = own.run("swift-hyperband", "workflow").strip()
    printed = own.run("snakemake", "--snakefile", snakefile, "--cores", "2")
    assert f"Using workflow specific profile {own.run('swift-hyperband', 'workflow', '--profile').strip()}" in printed
    assert own.best() == finished.best()
    assert own.decisions() == finished.decisions()
    assert (own.results / "report/index.html").exists()


def test_the_command_needs_no_workflow_in_the_folder(own, finished):
    own.run("swift-hyperband", "run", "--cores", "2", "best")
    assert own.best() == finished.best()
    assert "Nothing to be done" in own.run("swift-hyperband", "run", "--cores", "2", "best")


def test_a_workflow_of_ones_own_can_be_given_to_the_command(own):
    (own.path / "mine.smk").write_text("rule all:\n    output: 'made'\n    shell: 'touch {output}'\n")
    own.run("swift-hyperband", "run", "-s", "mine.smk", "--cores", "1")
    assert (own.path / "made").exists()
    assert not own.results.exists()
