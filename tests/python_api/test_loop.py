"""A loop of ask and tell in the user's code decides as every driver does, on disk, through kills, one at a time."""

import csv
import json
import math
import os
import time

import pytest
import yaml

from swift_hyperband import Study, UserError
from swift_hyperband.cli import main
from swift_hyperband.processes import head
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.progress import Reader

ROWS = 300


@pytest.fixture(scope="module")
def table(searches):
    """The curves of the searches of the plain driver, by row."""
    found = {}
    with (searches.path / "curves.csv").open() as file:
        for line in csv.DictReader(file):
            found.setdefault(int(line["row"]), []).append(float(line["loss"] or "nan"))
    return found


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return a study that is the searches' but for its target; keys such as search__seed=3 set single values."""
    monkeypatch.chdir(tmp_path)
    made = []

    def make(**keys):
        content = {
            "name": "loop",
            "target": {"name": "ask-tell", "metric": "loss", "mode": "min"},
            "space": {"row": {"type": "int", "low": 0, "high": ROWS - 1}},
            "search": {"max_epochs": 9, "eta": 3, "seed": 2},
            "swift": {"d": 3, "decision_fraction": 0.3, "thaw": 0.0},
            "predictor": {"fewest_curves": 3},
        }
        for key, value in keys.items():
            *sections, last = key.split("__")
            place = content
            for section in sections:
                place = place[section]
            place[last] = value
        made.append(Study.from_dict(content))
        return made[-1]

    yield make
    for one in made:
        one.close()


def train(table, training):
    """Return the values of a training: those of its row, up to the first that is not finite."""
    values = table[training.configuration["row"]][training.trained : training.epochs]
    lost = next((number for number, value in enumerate(values, 1) if not math.isfinite(value)), len(values))
    return values[:lost]


def run(study, table, most=None):
    """Ask and tell, at most so often; return what was told."""
    told = []
    while len(told) != most and (training := study.ask()) is not None:
        study.tell(training, train(table, training))
        told.append(training)
    return told


def decided(folder):
    """Return the content of all decisions of a search, its journal, and its best trial."""
    found = {
        str(path.relative_to(folder)): {
            key: value for key, value in json.loads(path.read_text()).items() if key != "time"
        }
        for name in ("entry", "threshold", "predictor", "decision", "promotion", "thaw")
        for path in folder.glob(f"bracket=*/round=*/{name}.json")
    }
    if (journal := folder / "journal.jsonl").exists():
        found["journal"] = journal.read_text()
    best = yaml.safe_load((folder / "best.yaml").read_text())
    return found | {key: best[key] for key in ("value", "configuration", "trial", "epochs", "bracket")}


@pytest.mark.parametrize(
    "keys",
    [
        {"search__max_epochs": 27, "swift__thaw": 0.3},
        {"search__algorithm": "hyperband", "target__metric_at": "best"},
        {"search__algorithm": "asha"},
        {"search__sampling": "tpe"},
    ],
    ids=["swift", "hyperband-best-epoch", "asha", "tpe"],
)
def test_a_loop_decides_as_the_plain_driver_does(keys, study, table, searches, request):
    expected = searches.run(f"expected-{request.node.callspec.id}", **keys).folder.path
    one = study(**keys)
    told = run(one, table)
    assert decided(one.path) == decided(expected)
    assert sum(training.epochs - training.trained for training in told) >= one.results().epochs
    assert not [*one.path.glob("**/lease")], "the search was given back when it was over"
    assert one.ask() is None
    # nothing is found damaged, and nothing is asked for again
    again = study(**keys)
    assert again.ask() is None
    assert decided(again.path) == decided(expected)


def test_a_killed_loop_goes_on_and_asks_for_nothing_twice(study, table, searches):
    expected = searches.run("expected-killed", search__max_epochs=27).folder.path
    child = os.fork()
    if child == 0:
        one = study(search__max_epochs=27)
        run(one, table, most=40)
        one.ask()
        # as killed: nothing is given back
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    one = study(search__max_epochs=27)
    before = {path.parent.name: len(path.read_text().splitlines()) for path in one.path.glob("trials/*/curve.jsonl")}
    assert before
    told = run(one, table)
    assert all(training.trained >= before.get(training.trial, 0) for training in told)
    assert told[0].values == tuple(table[told[0].configuration["row"]][: told[0].trained])
    assert decided(one.path) == decided(expected)


def test_a_loop_without_rounds_goes_on_by_its_journal(study, table):
    whole = study(name="whole", search__algorithm="asha")
    run(whole, table)
    cut = study(name="cut", search__algorithm="asha")
    run(cut, table, most=7)
    waiting = cut.ask()
    cut.close()
    cut = study(name="cut", search__algorithm="asha")
    assert cut.ask() == waiting, "what was in flight is asked for again"
    cut.tell(waiting, train(table, waiting))
    run(cut, table)
    assert (cut.path / "journal.jsonl").read_text() == (whole.path / "journal.jsonl").read_text()


def test_several_trainings_may_be_asked_for_before_any_is_told(study, table):
    one, other = study(name="one"), study(name="other")
    run(one, table)
    most = 0
    while True:
        asked = []
        while (training := other.ask()) is not None:
            asked.append(training)
        if not asked:
            break
        most = max(most, len(asked))
        for training in reversed(asked):
            other.tell(training.trial, train(table, training))
    assert most > 9, "all that can start"
    assert decided(other.path) == decided(one.path)


def test_a_training_has_all_that_code_needs(study, table):
    one = study()
    run(one, table, most=12)
    training = next(found for _ in range(20) if (found := one.ask()).trained)
    config = json.loads((training.folder / "config.json").read_text())
    assert (training.configuration, training.bracket, training.slot) == (
        config["configuration"],
        config["bracket"],
        config["slot"],
    )
    assert training.folder == one.path / "trials" / training.trial
    assert training.epochs > training.trained == len(training.values)


def test_status_reads_the_folder_of_a_loop_as_any_other(study, table):
    one = study()
    run(one, table, most=10)
    progress = Reader(StudyFolder(one.path)).read()
    assert progress.sum("spent") == one.results().epochs > 0
    assert progress.best.trial == one.results().best.trial


def test_further_metrics_and_numbers_of_libraries_are_kept(study, table):
    numpy = pytest.importorskip("numpy")
    one = study()
    first, second = one.ask(), one.ask()
    one.tell(first, [{"loss": numpy.float32(0.5), "accuracy": 1}])
    one.tell(second, numpy.array([0.25]))
    curves = one.results().curves().to_pylist()
    assert {row["trial"]: (row["metric_loss"], row["metric_accuracy"]) for row in curves} == {
        first.trial: (0.5, 1.0),
        second.trial: (0.25, None),
    }
    assert all(0 <= row["seconds"] < 60 for row in curves)


def test_tensorboard_is_told_of_a_loop_too(study, table):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    one = study(live=["tensorboard"])
    run(one, table)
    best = one.results().trials.by_id(one.results().best.trial)
    events = accumulator.EventAccumulator(str(one.path / "tensorboard" / best.id), purge_orphaned_data=False)
    events.Reload()
    assert [(point.step, point.value) for point in events.Scalars("loss")] == [
        (epoch, pytest.approx(value, rel=1e-6)) for epoch, value in enumerate(best.values, 1)
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], r"must be 1, of epoch 1, found 0"),
        ([0.1, 0.2], r"must be 1, of epoch 1, found 2"),
        ([{"accuracy": 1.0}], r"epoch 1 must hold the metric loss, found accuracy"),
        ([{"loss": 1.0, "seconds": 3}], r"no metric may be named seconds"),
        (["good"], r"value of epoch 1 must be a number, found 'good'"),
        ([None], r"value of epoch 1 must be a number, found nothing"),
    ],
    ids=["none", "two", "another", "taken", "text", "nothing"],
)
def test_wrong_values_are_told_in_a_line_and_change_nothing(values, message, study, table):
    one = study()
    training = one.ask()
    with pytest.raises(UserError, match=message) as told:
        one.tell(training, values)
    assert "\n" not in str(told.value)
    assert [path.name for path in training.folder.iterdir()] == ["config.json"]
    one.tell(training, [0.5])
    assert one.results().trials.by_id(training.trial).values == (0.5,)


def test_only_what_was_asked_for_can_be_told_and_once(study, table):
    one = study()
    with pytest.raises(UserError, match="must be asked for first"):
        one.tell("abc", [1.0])
    training = one.ask()
    with pytest.raises(UserError, match="found 'abc'"):
        one.tell("abc", [1.0])
    one.tell(training, [1.0])
    with pytest.raises(UserError, match="not told yet"):
        one.tell(training, [1.0])


def test_trials_that_fail_or_diverge_count_as_worst_and_are_not_asked_for_again(study, table):
    one = study()
    failing, diverging = one.ask(), one.ask()
    one.fail(failing, MemoryError("no room for 3 GB"))
    one.tell(diverging, [math.inf])
    told = run(one, table)
    assert {failing.trial, diverging.trial}.isdisjoint(training.trial for training in told)
    trials = one.results().trials
    failed, diverged = trials.by_id(failing.trial), trials.by_id(diverging.trial)
    assert (failed.fate, failed.value, failed.error) == ("failed", None, "MemoryError: no room for 3 GB")
    assert (diverged.fate, diverged.value, len(diverged.values)) == ("diverged", None, 1)
    assert one.results().finished


def test_a_search_in_which_all_failed_says_so_and_is_given_back(study):
    one = study(search__algorithm="random", search__trials=2)
    one.fail(one.ask(), "out of memory")
    last = one.ask()
    with pytest.raises(UserError, match="every trial failed"):
        one.fail(last, "out of memory")
    assert not head.is_led(one.path)
    assert one.ask() is None


def test_one_study_at_a_time_runs_a_search(study, table):
    one = study()
    run(one, table, most=1)
    other = study()
    with pytest.raises(UserError, match=r"another one of this process does; .*close\(\)"):
        other.ask()
    one.close()
    assert other.ask() is not None
    with pytest.raises(UserError, match="another one of this process"):
        one.ask()


def test_a_study_that_went_away_gives_its_search_back(tmp_path, monkeypatch, study):
    one = study()
    keys = one.to_dict()
    one.close()
    gone = Study.from_dict(keys)
    gone.ask()
    assert head.is_led(gone.path)
    del gone
    assert not head.is_led(one.path)
    assert one.ask() is not None


def test_another_process_that_runs_the_search_is_named(study, table):
    one = study()
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        one.ask()
        os.write(go, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    try:
        with pytest.raises(UserError, match=f"process {child} "):
            one.ask()
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert one.ask() is not None, "it is dead"


def test_commands_leave_such_a_study_to_its_loop(study, tmp_path, capsys):
    keys = study().to_dict()
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(keys))
    assert main(["search", "study.yaml"]) == 2
    assert "error: results/loop: target.name ask-tell is trained by your own loop" in capsys.readouterr().err
    head.resign(study().path)
    assert main(["check-target", "study.yaml"]) != 0
    assert "is trained by your own loop" in "".join(capsys.readouterr())
    with pytest.raises(UserError, match=r"study: target.name ask-tell is trained by your own loop"):
        study().run()


def test_another_target_is_no_ask_and_tell(study, searches):
    one = study(
        target={"name": "digits-cnn", "metric": "accuracy", "mode": "max"},
        space={"learning_rate": {"type": "float", "low": 0.001, "high": 0.1, "log": True}},
    )
    with pytest.raises(UserError, match=r"must be ask-tell for a loop of ask and tell, found digits-cnn.*run\(\)"):
        one.ask()
    assert not one.path.exists()


def test_no_command_gives_a_model_back_that_it_does_not_have(study, table):
    one = study(search__algorithm="random", search__trials=2, search__max_epochs=3)
    run(one, table)
    with pytest.raises(UserError, match="has no model here, as your own code trained it") as told:
        one.results().best.load()
    assert str(one.results().best.folder) in str(told.value)
