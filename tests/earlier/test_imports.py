"""Earlier trials with their curves teach a search: read from searches, Optuna studies and tables."""

import csv
import json
import math
import random
import warnings

import optuna
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.earlier.imports import collect
from swift_hyperband.results.contents import Config
from swift_hyperband.results.drawn import DrawnBracket
from swift_hyperband.results.freeze import load_frozen, load_study
from swift_hyperband.results.history import History
from swift_hyperband.results.imported import Imported, ImportedTrial, note, teachers
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import sampling
from swift_hyperband.search.sampling import Place
from swift_hyperband.study.model import load, parse
from swift_hyperband.training.trial import read_rows


def study(**search):
    """Return a study of two hyperparameters, of which one may be inactive."""
    return parse(
        {
            "name": "new",
            "target": {"name": "curve-table", "metric": "loss", "mode": "min"},
            "space": {
                "rate": {"type": "float", "low": 0.001, "high": 1.0, "log": True},
                "kind": {"type": "categorical", "choices": ["sgd", "adam"]},
                "momentum": {"type": "float", "low": 0.0, "high": 0.9, "when": {"kind": "sgd"}},
            },
            "search": {"max_epochs": 9, "eta": 3, **search},
        },
        "study.yaml",
    )


def make_optuna(place, steps=(1, 2, 3), direction="minimize", metric="loss"):
    """Write an Optuna study with a complete, a pruned and a failed trial, one out of range and one without values."""
    made = optuna.create_study(storage=place, study_name="old", direction=direction)
    if metric is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            made.set_metric_names([metric])
    kinds = optuna.distributions.CategoricalDistribution(["sgd", "adam"])
    rates, momenta = (optuna.distributions.FloatDistribution(low, high) for low, high in ((0.0, 9.0), (0.0, 1.0)))

    def add(state, params, values, value=None):
        distributions = {"rate": rates, "kind": kinds, "momentum": momenta}
        found = {name: distributions[name] for name in params}
        made.add_trial(
            optuna.trial.create_trial(
                state=state, value=value, params=params, distributions=found, intermediate_values=values
            )
        )

    states = optuna.trial.TrialState
    add(states.COMPLETE, {"rate": 0.1, "kind": "adam"}, dict(zip(steps, (3.0, 2.0, 1.0), strict=True)), 1.0)
    add(states.PRUNED, {"rate": 0.2, "kind": "sgd", "momentum": 0.5}, {steps[0]: 4.0})
    add(states.PRUNED, {"rate": 0.3, "kind": "adam"}, {steps[0]: 4.0, steps[1]: math.inf})
    add(states.COMPLETE, {"rate": 5.0, "kind": "adam"}, {steps[0]: 1.0}, 1.0)
    add(states.COMPLETE, {"rate": 0.4, "kind": "adam"}, {}, 1.0)
    return place


@pytest.mark.parametrize("steps", [(1, 2, 3), (0, 1, 2)])
def test_an_optuna_study_gives_its_intermediate_values(tmp_path, steps):
    make_optuna(f"sqlite:///{tmp_path}/old.db", steps)
    found = collect(study(), [str(tmp_path / "old.db")])
    assert [(one.configuration, one.values) for one in found.content.trials] == [
        ({"rate": 0.1, "kind": "adam"}, [3.0, 2.0, 1.0]),
        ({"rate": 0.2, "kind": "sgd", "momentum": 0.5}, [4.0]),
        ({"rate": 0.3, "kind": "adam"}, [4.0, None]),
    ]
    assert found.left_out == {
        "rate must be a number from 0.001 to 1": 1,
        "they have no curve from epoch 1 on": 1,
    }
    assert found.notes == ()


def test_what_an_optuna_study_does_not_tell_or_tells_otherwise_is_said(tmp_path):
    place = f"sqlite:///{tmp_path}/old.db"
    make_optuna(place, metric=None)
    assert "are taken for loss, as it names no metric" in collect(study(), [place]).notes[0]
    other = make_optuna(f"sqlite:///{tmp_path}/other.db", metric="error")
    assert (
        "its intermediate values of error are taken for loss: is that the same?" in collect(study(), [other]).notes[0]
    )
    up = make_optuna(f"sqlite:///{tmp_path}/up.db", direction="maximize")
    with pytest.raises(UserError, match="its study must minimize, as this one does, found maximize"):
        collect(study(), [up])
    optuna.create_study(storage=place, study_name="second")
    with pytest.raises(UserError, match="must hold one study, found 2; say which by --study-name"):
        collect(study(), [place])
    assert len(collect(study(), [place], "old").content.trials) == 3
    (tmp_path / "text.db").write_text("no database")
    with pytest.raises(UserError, match="must be a storage that Optuna opens"):
        collect(study(), [str(tmp_path / "text.db")])
    for sign in ("", "?timeout=1"):
        with pytest.raises(UserError, match="must be an Optuna storage, found no such file"):
            collect(study(), [f"sqlite:///{tmp_path}/typo.db{sign}"])
    assert not (tmp_path / "typo.db").exists()
    optuna.storages.get_storage(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(UserError, match=r"empty\.db: must hold a study, found none"):
        collect(study(), [str(tmp_path / "empty.db")])
    with pytest.raises(UserError, match=r"^mysql\+nodriver://me:\*\*\*@host/db: must be a storage") as caught:
        collect(study(), ["mysql+nodriver://me:s3cret@host/db"])
    assert "s3cret" not in str(caught.value)
    with pytest.raises(UserError, match="found no such folder or file"):
        collect(study(), [str(tmp_path / "none.csv")])


def test_a_table_gives_a_curve_for_each_configuration(tmp_path):
    rows = [("a", 0.1, "adam", ""), ("b", 0.5, "sgd", 0.9), ("c", 0.5, "sgd", 5.0)]
    with (tmp_path / "old.csv").open("w") as file:
        table = csv.writer(file)
        table.writerow(["trial", "config_rate", "config_kind", "config_momentum", "epoch", "metric_loss", "metric_top"])
        for trial, *values in rows:
            table.writerows([trial, *values, epoch, 1 / epoch, 0.5] for epoch in (1, 2))
    found = collect(study(), [str(tmp_path / "old.csv")])
    assert [(dict(one.configuration), one.values) for one in found.content.trials] == [
        ({"rate": 0.1, "kind": "adam"}, [1.0, 0.5]),
        ({"rate": 0.5, "kind": "sgd", "momentum": 0.9}, [1.0, 0.5]),
    ]
    assert found.left_out == {"momentum must be a number from 0 to 0.9": 1}
    path = tmp_path / "imported.json"
    found.content.write(path)
    assert Imported.read(path) == found.content


def taught(project, name, **keys):
    """Run a study with imported trials; return its folder."""
    project.study(name=name, **keys)
    project.run("swift-hyperband", "search")
    return StudyFolder(project.path / "results" / name)


@pytest.fixture
def imported(project):
    """A project with config/imported.json: twelve curves of the table, and three that no search of 9 epochs can use."""
    curves = {}
    with (project.path / "table.csv").open() as file:
        for line in csv.DictReader(file):
            curves.setdefault(int(line["row"]), []).append(float(line["loss"]))
    trials = [ImportedTrial(f"row {row}", {"row": row}, curves[row]) for row in range(12)]
    others = [ImportedTrial("there", {"row": 500}, [1.0]), ImportedTrial("there", {"raw": 5}, [1.0])]
    Imported("loss", "min", [*trials, *others]).write(project.path / "config/imported.json")
    return project


def test_the_trials_of_a_search_are_imported_by_a_command(project):
    project.study(name="old", search__algorithm="hyperband", search__max_epochs=3)
    project.run("swift-hyperband", "search")
    # a file that is named and not written yet is no mistake here
    rows = [Config.read(path).configuration["row"] for path in project.results.glob("trials/*/config.json")]
    most = max(rows) - 1
    project.study(name="new", space__row__high=most, search__imported="config/imported.json")
    printed = project.run("swift-hyperband", "import", "results/old")
    written = Imported.read(project.path / "config/imported.json")
    count = len(written.trials)
    assert count == sum(row <= most for row in rows) < len(rows) == 5
    assert f"{count} of 5 trials imported into config/imported.json" in printed
    assert f"{5 - count} left out: row must be a whole number from 0 to {most}" in printed
    assert f"their curves reach: {count} to epoch 1, " in printed
    assert "    imported: config/imported.json" in printed
    for one in written.trials:
        rows = [json.loads(line) for line in (project.path / one.source / "curve.jsonl").read_text().splitlines()]
        assert one.values == [row["loss"] for row in rows]
    project.study(name="new", target__metric="gain")
    printed = project.run("swift-hyperband", "import", "results/old", check=False)
    assert "its curve must have the metric gain, found loss" in printed
    project.study(name="new", space__row={"type": "int", "low": 900, "high": 999})
    assert "no trial of results/old fits (5 read)" in project.run(
        "swift-hyperband", "import", "results/old", check=False
    )


def decided(folder):
    found = {}
    for name in ("draw", "predictor", "decision", "promotion"):
        for path in folder.path.glob(f"bracket=*/round=*/{name}.json"):
            content = json.loads(path.read_text())
            found[str(path.relative_to(folder.path))] = {
                key: value for key, value in content.items() if key not in ("inputs", "time")
            }
    return found | {"best": folder.best.read_text().replace(folder.path.name, "")}


LINEAR = {"predictor__name": "linear", "search__imported": "config/imported.json"}


def test_they_teach_the_predictors_alike_in_one_process_with_workers_and_as_the_workflow(imported):
    folder = taught(imported, "taught", **LINEAR)
    expected = decided(folder)
    plain = decided(taught(imported, "plain", predictor__name="linear"))
    fits = [path for path in expected if path.endswith("predictor.json")]
    assert fits
    assert any(expected[path] != plain[path] for path in fits), "their curves change what is fitted"
    workers = taught(imported, "workers", **LINEAR, execution="workers", resources__workers=2)
    assert decided(workers) == expected
    imported.study(name="flow", **LINEAR)
    imported.run("swift-hyperband", "run", "--cores", "2")
    assert decided(StudyFolder(imported.results)) == expected
    assert "12 imported trials teach" in (imported.results / "report/index.html").read_text()
    frozen = load_frozen(folder)
    assert frozen.definition["search"]["imported"].startswith("sha256:")
    assert len(teachers(folder, frozen)) == 12


@pytest.mark.parametrize("algorithm", ["swift-hyperband", "asha"])
def test_they_teach_the_model_that_draws(imported, algorithm):
    keys = {"search__algorithm": algorithm, "search__sampling": "tpe", "search__imported": "config/imported.json"}
    folder = taught(imported, "taught", **keys)
    new = load_study(folder)
    if algorithm == "asha":
        # without them the first trials are drawn at random
        asked = [json.loads(line).get("ask") for line in folder.journal.read_text().splitlines()]
        first = [Config.read(folder.config(trial)) for trial in list(filter(None, asked))[:3]]
        by_seed = [new.configuration(one.bracket, one.slot) == one.configuration for one in first]
        assert by_seed == [one.slot % 3 == 2 for one in first]
    else:
        drawn = DrawnBracket.read(folder.path / "bracket=1/round=0/draw.json").trials
        known = {trial: configuration for trial, (_, configuration) in new.trials(0).items()}
        curves = {trial: [row["loss"] for row in read_rows(folder.trial(trial))] for trial in known}
        places = {trial: Place(1, slot) for trial, slot in new.slots(1).items()}
        without = sampling.draw(new.search_space(), "tpe", 1, places, known, curves)
        assert any(one.by_model for one in drawn.values())
        assert {trial: one.configuration for trial, one in drawn.items()} != {
            trial: one.configuration for trial, one in without.items()
        }
        workers = taught(imported, "workers", **keys, execution="workers")
        assert decided(workers) == decided(folder)


def test_other_trials_are_another_study(imported):
    folder = taught(imported, "taught", **LINEAR)
    path = imported.path / "config/imported.json"
    content = Imported.read(path)
    Imported(content.metric, content.mode, content.trials[1:]).write(path)
    printed = imported.run("swift-hyperband", "search", check=False)
    assert "a study keeps its definition, but search.imported is" in printed
    (folder.imported).write_text("{}")
    imported.study(name="taught", **{**LINEAR, "search__imported": load_frozen(folder).imported})
    folder.best.unlink()
    for file in folder.path.glob("bracket=*/round=*/predictor.json"):
        file.unlink()
    assert "imported.json: must be the file that the search began with" in imported.run(
        "swift-hyperband", "search", check=False
    )


def test_far_other_values_are_told(imported):
    assert note(History(taught(imported, "taught", **LINEAR))) == "12 imported trials teach"
    draw = random.Random(0)
    far = [ImportedTrial("there", {"row": row}, [100 + draw.random()] * 9) for row in range(9)]
    Imported("loss", "min", far).write(imported.path / "config/imported.json")
    told = note(History(taught(imported, "far", **LINEAR)))
    assert told.startswith("9 imported trials teach, but at epoch 1 their loss is 100")
    assert told.endswith(": are metric and data the same?")


@pytest.mark.parametrize(
    ("search", "line"),
    [
        ({"imported": "none.json"}, "must be a file that 'swift-hyperband import' wrote, found no 'none.json'"),
        ({"algorithm": "asha"}, "must be left out with algorithm asha and sampling random, as nothing there learns"),
        ({"algorithm": "hyperband"}, "must be left out with algorithm hyperband and sampling random"),
    ],
)
def test_where_they_would_teach_nobody_is_told(tmp_path, monkeypatch, search, line):
    monkeypatch.chdir(tmp_path)
    Imported("loss", "min", []).write(tmp_path / "imported.json")
    with pytest.raises(UserError) as error:
        study(**{"imported": "imported.json", **search})
    assert str(error.value).startswith(f"study.yaml: search.imported {line}")


def test_studies_without_the_key_are_as_before(project):
    assert "imported" not in load(project.path / "config/config.yaml", data=False).definition()["search"]
