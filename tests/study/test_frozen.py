"""A study that was frozen before a key came into the product goes on as it began."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from version_0_1 import LATER, VERSION_0_1

from swift_hyperband import __version__
from swift_hyperband.base import keys
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.results.freeze import as_begun, check_frozen, freeze, load_frozen, load_study
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.study.frozen import BEFORE, differences
from swift_hyperband.study.model import parse
from swift_hyperband.training.trial import write_rows
from swift_hyperband.workflow import driver


def study(swift=None, metric_at="last", predictor=None, **search):
    raw = {
        "swift": swift or {},
        "predictor": predictor or {},
        "name": "old",
        "target": {"name": "curve-table", "metric": "loss", "mode": "min", "metric_at": metric_at},
        "space": {"row": {"type": "int", "low": 0, "high": 39}},
        "search": {"max_epochs": 9, "eta": 3, **search},
    }
    return parse(raw, "study.yaml")


FIRST = {
    "swift": ("d", "k", "decision_fraction", "threshold", "threshold_quantile", "margin", "share_curves", "extra"),
    "predictor": ("name", "target", "features", "scaling", "C", "nu", "qsvr", "sampler"),
}
"""The keys with which the first studies were frozen."""


@pytest.fixture
def old(tmp_path):
    """A folder of a study that was frozen with the first keys of `swift` and `predictor`."""
    folder = StudyFolder(tmp_path)
    freeze(folder, study({"preset": "bold"}))
    definition = json.loads(folder.study.read_text())["definition"]
    for section, known in FIRST.items():
        definition[section] = {key: definition[section][key] for key in known}
    del definition["target"]["metric_at"]
    folder.study.write_text(json.dumps({"definition": definition}))
    return folder


def test_its_schedule_stays(old):
    now = study()
    before = check_frozen(old, now).schedule()
    assert before == load_frozen(old).schedule() == load_study(old).schedule()
    bold = study({"preset": "bold"})
    assert [s.by_key[1, 0].trials for s in (before, bold.schedule(), now.schedule())] == [8, 7, 5]
    assert check_frozen(old, bold).schedule() == before
    assert freeze(old, now).schedule() == before


def test_its_plan_is_that_of_the_search_that_goes_on(old):
    now = study()
    assert as_begun(old, now).schedule() == load_frozen(old).schedule() != now.schedule()
    assert as_begun(StudyFolder(old.path / "none"), now) == now


def other_defaults(monkeypatch):
    """Let the product have another default for each number that decides."""
    for settings in (SwiftSettings, PredictorSettings):
        defaults = [
            default * 3 if isinstance(default, int | float) and not isinstance(default, bool) else default
            for default in settings.__init__.__defaults__
        ]
        monkeypatch.setattr(settings.__init__, "__defaults__", tuple(defaults))


@pytest.mark.parametrize("algorithm", ["swift-hyperband", "predicted-random"])
def test_a_frozen_study_decides_as_before_when_the_defaults_of_the_product_change(tmp_path, monkeypatch, algorithm):
    folder = StudyFolder(tmp_path)
    before = freeze(folder, study(algorithm=algorithm))
    other_defaults(monkeypatch)
    assert (SwiftSettings().margin, SwiftSettings().margin_later) == (4.5, 3.0)
    frozen = load_frozen(folder)
    assert (frozen.rules(), frozen.schedule()) == (before.rules(), before.schedule())
    assert load_study(folder).definition() == before.definition()


def test_a_study_that_was_frozen_without_a_key_decides_as_the_product_did_then(old, monkeypatch):
    other_defaults(monkeypatch)
    rules = load_frozen(old).rules()
    monkeypatch.undo()
    assert rules.swift == SwiftSettings(**VERSION_0_1["swift"] | LATER["swift"] | {"pay_extra": False})
    assert keys.values(rules.predictor).items() >= (VERSION_0_1["predictor"] | LATER["predictor"]).items()


@pytest.fixture
def version_0_1(tmp_path):
    """Return a folder of a study that version 0.1 froze, with other values of some keys."""

    def version_0_1(**changed):
        folder = StudyFolder(tmp_path)
        freeze(folder, study())
        definition = json.loads(folder.study.read_text())["definition"]
        below = {key: definition["predictor"][key] for key in ("qsvr", "sampler")}
        definition["swift"] = VERSION_0_1["swift"] | changed
        definition["predictor"] = VERSION_0_1["predictor"] | below
        folder.study.write_text(json.dumps({"definition": definition, "product": "0.1.0"}))
        return folder

    return version_0_1


def test_a_search_of_version_0_1_goes_on_by_the_rule_with_which_it_began(version_0_1):
    folder = version_0_1()
    rules = load_frozen(folder).rules()
    assert rules.swift == SwiftSettings(**VERSION_0_1["swift"] | LATER["swift"])
    assert keys.values(rules.predictor).items() >= (VERSION_0_1["predictor"] | LATER["predictor"]).items()
    bold = study({"preset": "bold"}).schedule()
    assert load_frozen(folder).schedule() == load_study(folder).schedule() == bold != study().schedule()
    assert not bold.taught_by_all


def test_its_study_file_need_not_be_changed(version_0_1):
    folder = version_0_1()
    before = folder.study.read_bytes()
    for file in (study(), study({"preset": "bold"}), study({"margin": 0.75})):
        going_on = freeze(folder, file)
        assert going_on.schedule() == load_frozen(folder).schedule()
        assert replace(going_on.swift, preset="default") == load_frozen(folder).swift()
        assert going_on.predictor == load_study(folder).predictor
    assert folder.study.read_bytes() == before


def test_what_its_study_file_sets_anew_is_refused(version_0_1):
    folder = version_0_1()
    with pytest.raises(UserError, match=r"swift\.margin is 0\.75 in the frozen study, 2\.0 now"):
        check_frozen(folder, study({"margin": 2.0}))
    with pytest.raises(UserError, match=r'swift\.threshold is "promotion" in the frozen study, "quantile" now'):
        check_frozen(folder, study({"preset": "published"}))
    folder = version_0_1(margin=3.0)
    assert check_frozen(folder, study({"margin": 3.0})).swift.margin == 3.0


def test_nor_when_what_is_still_free_has_changed_before(version_0_1):
    folder = version_0_1()
    patient = study(predictor={"sampler": {"timeout": 1200}})
    for _ in range(2):
        assert freeze(folder, patient).schedule() == study({"preset": "bold"}).schedule()
    stored = json.loads(folder.study.read_text())
    assert stored["definition"]["predictor"]["sampler"]["timeout"] == 1200
    assert stored["product"] == "0.1.0", "the version that began it"


def test_in_one_version_a_default_is_a_value_like_any_other(tmp_path):
    folder = StudyFolder(tmp_path)
    freeze(folder, study({"margin": 3.0}))
    with pytest.raises(UserError, match=r"swift\.margin is 3\.0 in the frozen study, 1\.5 now"):
        check_frozen(folder, study())


def test_every_key_that_came_after_the_first_studies_has_a_value_for_them():
    for section, settings in {"swift": SwiftSettings, "predictor": PredictorSettings}.items():
        assert {*FIRST[section], *BEFORE[section]} == keys.of(settings).keys() - {"preset"}


def test_a_study_file_that_gives_a_key_which_was_not_frozen_another_value_is_refused(old):
    with pytest.raises(UserError, match=r"swift\.widened is 3 in the frozen study, 2 now"):
        check_frozen(old, study(swift={"widened": 2}))
    check_frozen(old, study(swift={"widened": 3}))


def test_the_last_epoch_counts_in_a_study_that_was_frozen_before_the_best_one_could(old):
    assert load_frozen(old).metric == load_study(old).metric == study().metric == Metric("loss", "min", "last")
    assert study(metric_at="best").metric == study(metric_at="best").frozen().metric == Metric("loss", "min", "best")
    check_frozen(old, study())
    trial = old.trial("0a1b")
    trial.mkdir(parents=True)
    write_rows(trial, [{"epoch": 1, "loss": 0.5}])
    with pytest.raises(UserError, match=r'target\.metric_at is "last" in the frozen study, "best" now'):
        check_frozen(old, study(metric_at="best"))


def test_the_version_of_the_product_is_noted_beside_the_definition(tmp_path, old):
    folder = StudyFolder(tmp_path / "new")
    freeze(folder, study())
    assert json.loads(folder.study.read_text())["product"] == __version__
    for changed in (None, {"sampler": {"timeout": 1200}}):
        freeze(old, study(predictor=changed))
        assert "product" not in json.loads(old.study.read_text())
    assert json.loads(old.study.read_text())["definition"]["predictor"]["sampler"]["timeout"] == 1200


def test_what_differs_is_refused_as_ever(old):
    with pytest.raises(UserError, match=r"search\.eta is 3 in the frozen study, 2 now"):
        check_frozen(old, study(eta=2))


def test_a_new_study_is_frozen_with_all_keys(tmp_path):
    folder = StudyFolder(tmp_path)
    now = study()
    assert freeze(folder, now) == now
    assert load_frozen(folder).schedule() == load_study(folder).schedule() == now.schedule()


PROGRAM = """\
e=0
echo step,loss > $2/log.csv
while [ $e -lt $1 ]; do e=$((e + 1)); echo $e,0.$((10 - e)) >> $2/log.csv; done
"""
RIGHT = {"format": "csv", "path": "{state_out}/log.csv", "epoch": "step"}


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A folder with a program, in which several searches run in one process, which holds a lease to its end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("swift_hyperband.workflow.driver.become_head", lambda _: None)
    Path("fit.sh").write_text(PROGRAM)


def searched(metrics, metric="loss", **search):
    """Search with a program of which a study says where its metrics are; return what the best trial reached."""
    raw = {
        "name": "program",
        "target": {
            "command": ["sh", "fit.sh", "{to}", "{state_out}"],
            "metrics": metrics,
            "metric": metric,
            "mode": "min",
        },
        "space": {"rate": {"type": "float", "low": 0, "high": 1}},
        "search": {"algorithm": "random", "trials": 2, "max_epochs": 3, **search},
        "retries": 0,
    }
    found = parse(raw, "study.yaml")
    _, loss = driver.run_search(found, StudyFolder(Path("results/program")), workers=1).best
    return loss


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (({**RIGHT, "epoch": "epoch"},), "must have the column epoch of epochs, found step, loss"),
        ((RIGHT, "los"), "must have a column los, as target.metric says, found step, loss; did you mean loss?"),
        (({**RIGHT, "format": "json"},), "must be a JSON file"),
        (({**RIGHT, "path": "{state_out}/lo.csv"},), "must hold the program's metrics, found no such file"),
    ],
    ids=["epoch", "metric", "format", "path"],
)
def test_what_a_study_says_of_its_target_may_be_corrected_while_nothing_is_trained(program, wrong, found, capsys):
    with pytest.raises(UserError, match=found):
        searched(*wrong)
    assert searched(RIGHT) == pytest.approx(0.7)
    said = capsys.readouterr().err
    assert "in the frozen study" in said
    assert "taken over, as nothing is trained yet" in said
    assert load_frozen(StudyFolder(Path("results/program"))).definition["target"]["metrics"]["epoch"] == "step"


def test_what_a_study_says_of_its_target_is_kept_from_the_first_epoch_on(program):
    searched(RIGHT)
    with pytest.raises(UserError, match=r'target\.metrics\.epoch is "step" in the frozen study, null now\. Give the'):
        searched({**RIGHT, "epoch": None})


def test_the_search_space_and_the_schedule_are_kept_though_nothing_is_trained(program):
    wrong = {**RIGHT, "epoch": "epoch"}
    with pytest.raises(UserError, match="must have the column epoch"):
        searched(wrong)
    with pytest.raises(UserError) as error:
        searched(RIGHT, trials=3)
    assert "keeps its definition, but search.trials is 2 in the frozen study, 3 now. Give" in str(error.value)


def test_a_state_that_was_saved_before_its_curve_counts_as_trained(program):
    searched(RIGHT)
    for curve in Path("results/program/trials").glob("*/curve.jsonl"):
        curve.unlink()
    with pytest.raises(UserError, match=r"target\.metrics\.epoch is"):
        searched({**RIGHT, "epoch": None})


def test_what_differs_from_the_frozen_study_is_told(changed, study):
    now = changed(
        search__max_epochs=81,
        space__dropout=None,
        space__width={"type": "int", "low": 1, "high": 9},
        swift__preset="published",
    )
    found = differences(study().definition(), parse(now, "study.yaml").definition())
    assert found[:3] == [
        ("space.dropout", "is in the frozen study, not now"),
        ("space.width", "is not in the frozen study"),
        ("search.max_epochs", "is 27 in the frozen study, 81 now"),
    ]
    assert ("swift.threshold", 'is "promotion" in the frozen study, "quantile" now') in found
    assert differences(study().definition(), study().definition()) == []


def test_who_trains_may_change_between_two_starts_and_was_rounds_before_one_could_choose(old):
    settings = json.loads(old.settings.read_text())
    del settings["execution"]
    old.settings.write_text(json.dumps(settings))
    assert load_frozen(old).execution == load_study(old).execution == "rounds"
    definition = json.loads(old.study.read_text())
    freeze(old, check_frozen(old, study()).model_copy(update={"execution": "workers"}))
    assert json.loads(old.study.read_text()) == definition
    assert load_frozen(old).execution == "workers"


def test_a_study_that_draws_at_random_is_frozen_as_before_there_was_a_choice(tmp_path):
    folder = StudyFolder(tmp_path)
    freeze(folder, study())
    assert "sampling" not in json.loads(folder.study.read_text())["definition"]["search"]
    assert load_frozen(folder).sampling == load_study(folder).search.sampling == "random"
    assert not load_frozen(folder).schedule().in_turn
    with pytest.raises(UserError, match=r"a study keeps its definition, but search\.sampling"):
        check_frozen(folder, study(sampling="tpe"))


def test_who_draws_configurations_is_frozen(tmp_path):
    folder = StudyFolder(tmp_path)
    freeze(folder, study(sampling="bohb"))
    assert load_frozen(folder).sampling == load_study(folder).search.sampling == "bohb"
    assert load_frozen(folder).schedule().in_turn
    assert load_frozen(folder).space() == study().search_space()
    with pytest.raises(UserError, match=r"a study keeps its definition, but search\.sampling"):
        check_frozen(folder, study())


def test_a_search_of_one_bracket_has_no_curves_for_a_model():
    with pytest.raises(
        UserError, match=r"search\.sampling must be random with algorithm random, which has one bracket"
    ):
        study(algorithm="random", sampling="tpe")
