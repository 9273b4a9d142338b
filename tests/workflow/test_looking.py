"""Looking at a search without running it: dry run, DAG, lint; and mistakes in the study file."""

import json
import re

import pytest

from swift_hyperband.cli import main


def planned_jobs(printed):
    """Return the job counts of the last table that a dry run printed."""
    table = printed[printed.rindex("Job stats:") :]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


@pytest.mark.parametrize("batch_size", ["auto", 1, 4])
@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"swift": {"preset": "bold"}},
        {"swift": {"preset": "published"}},
        {"search__algorithm": "hyperband"},
        {"execution": "workers"},
    ],
)
def test_a_dry_run_shows_the_whole_search_and_plan_announces_the_same_jobs(
    project, batch_size, keys, monkeypatch, capsys
):
    project.study(**{"batch_size": batch_size, "search__max_epochs": 27, "swift": {}} | keys)
    total = planned_jobs(project.run("snakemake", "-n"))["total"]
    monkeypatch.chdir(project.path)
    assert main(["plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["jobs"]["worst"] == total >= plan["jobs"]["best"]
    thawed = plan.get("thaw", {"epochs": 0})["epochs"]
    assert plan["epochs"]["worst"] <= plan["epochs"]["hyperband"] + thawed
    assert plan["epochs"]["hyperband"] == 357
    assert not project.results.exists(), "looking writes nothing"


def test_a_dry_run_after_a_part_of_the_search_shows_the_rest(project):
    whole = planned_jobs(project.run("snakemake", "-n"))
    project.run("snakemake", "--cores", "2", "results/table/bracket=2/round=0/promotion.json")
    rest = planned_jobs(project.run("snakemake", "-n"))
    assert rest["promote"] == whole["promote"] - 1
    assert rest["total"] < whole["total"]


def test_a_dry_run_after_the_search_shows_nothing(copied):
    assert "Nothing to be done" in copied.run("snakemake", "-n", "best")


@pytest.mark.parametrize("option", ["--dag", "--rulegraph", "--summary", "--lint"])
def test_snakemakes_views_work(project, option):
    printed = project.run("snakemake", option)
    assert "Error" not in printed
    assert not project.results.exists()


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"search__eta": 1}, "config/config.yaml: search.eta must be at least 2, found 1"),
        ({"batch_sise": 3}, "config/config.yaml: batch_sise is not a key; did you mean batch_size?"),
        ({"target__name": "nonsense"}, "config/config.yaml: target.name"),
    ],
)
def test_a_mistake_in_the_study_file_is_one_line(project, keys, line, monkeypatch, capsys):
    project.study(**keys)
    monkeypatch.chdir(project.path)
    for command in ("plan", "run"):
        assert main([command]) == 2
        printed = capsys.readouterr()
        assert [text for text in printed.err.splitlines() if "error:" in text and line in text], printed
    printed = project.run("snakemake", "-n", check=False)
    assert "Traceback" not in printed
    assert [text for text in printed.splitlines() if "error:" in text and line in text], printed


def test_a_changed_definition_under_the_same_name_is_refused(project):
    project.run("snakemake", "--cores", "1", "results/table/bracket=0/round=0/promotion.json")
    project.study(search__seed=7, space__row__high=100)
    for command in [("snakemake", "-n"), ("swift-hyperband", "run"), ("swift-hyperband", "search")]:
        printed = project.run(*command, check=False)
        assert "search.seed is 1 in the frozen study, 7 now" in printed
        assert "space.row.high is 119 in the frozen study, 100 now" in printed
        assert "Traceback" not in printed
    project.study(batch_size=7, retries=5, resources__mem_mb=500)
    project.run("snakemake", "-n")


def test_a_study_file_given_by_name_stands_alone(project):
    (project.path / "mine.yaml").write_text(
        (project.path / "config/config.yaml").read_text().replace("name: table\n", "name: mine\n")
    )
    project.study(space__other={"type": "float", "low": 0, "high": 1})
    project.run(
        "snakemake", "--cores", "1", "--configfile", "mine.yaml", "--", "results/mine/bracket=0/round=0/promotion.json"
    )
    study = json.loads((project.path / "results/mine/study.json").read_text())
    assert set(study["definition"]["space"]) == {"row"}


def test_a_study_file_that_is_no_yaml_or_gives_a_key_twice_is_told_with_its_line(project):
    study = (project.path / "config/config.yaml").read_text()
    for broken, line in [(study + "search: {", "line"), (study + "name: again\n", "name")]:
        (project.path / "config/config.yaml").write_text(broken)
        for command in [("snakemake", "-n"), ("swift-hyperband", "run")]:
            printed = project.run(*command, check=False)
            assert "error: config/config.yaml" in printed
            assert line in printed
            assert "Traceback" not in printed


def test_constraints_that_leave_no_configuration_are_told_before_anything_is_frozen(project):
    space = {"x": {"type": "float", "low": 0.0, "high": 1.0}}
    project.study(space=space, constraints=["x < 0.0005"], search__brackets=[3])
    printed = project.run("swift-hyperband", "run", check=False)
    assert "error: config/config.yaml" in printed
    assert "Traceback" not in printed
    assert not project.results.exists()


def test_snakemakes_own_options_reach_it(project):
    assert "Nothing to be done" not in project.run("swift-hyperband", "run", "-n", "--config", "plan=True")
    some = "results/table/bracket=0/round=0/promotion.json"
    printed = project.run("swift-hyperband", "run", "-c", "1", "--verbose", some)
    assert "Provided cores: 1" in printed
    assert not (project.path / "logs").exists()
