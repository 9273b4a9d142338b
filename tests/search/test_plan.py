"""What a search will cost: numbers that hold before anything runs."""

import json

import pytest

from swift_hyperband.base import keys
from swift_hyperband.cli import main
from swift_hyperband.search.batches import pack
from swift_hyperband.search.plan import Plan, continuing, epochs, makespan
from swift_hyperband.search.schedule import hyperband
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.search.swift_hyperband import swift_hyperband
from swift_hyperband.study.presets import PRESETS

STUDY = """\
name: planned
target: {name: curve-table, metric: loss, mode: min, options: {table: curves.csv}}
space: {row: {type: int, low: 0, high: 99}}
search: {max_epochs: 27, eta: 3}
resources: {workers: 4, gpus: 2}
"""


def published(R, eta, d=15, share=True):
    changed = {**PRESETS["published"]["swift"], "d": d, "share_curves": share}
    return swift_hyperband(R, eta, keys.build(SwiftSettings, changed))


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def plan(capsys, *arguments):
    assert main(["plan", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_the_published_settings_save_6_of_357_epochs_at_r_27():
    found = Plan(published(27, 3), 1, 2).to_json()
    assert found["configurations"] == 49
    assert found["epochs"] == {"hyperband": 357, "worst": 357, "best": 351}


@pytest.mark.parametrize("schedule", [published(100, 2), published(81, 3, d=6), published(35, 2, share=False)])
def test_epochs_lie_between_the_bounds_of_the_schedule(schedule):
    assert epochs(schedule, "worst") == schedule.epochs_hyperband
    assert epochs(schedule, "best") == schedule.epochs_best
    assert schedule.epochs_best < epochs(schedule, "half") < schedule.epochs_hyperband


def test_jobs_are_those_counted_by_hand_for_a_small_study():
    schedule = published(9, 3, d=3)
    by_hand = [
        5 + 1,  # bracket 2, round 0: nine trials in batches of two, the promotion
        2 + 2,  # round 1: three trials; promotion, and a threshold whose curves train a predictor
        1 + 2,  # round 2: one trial; promotion, threshold
        1 + 2 + 2 + 4,  # bracket 1, round 0: full, partial, completed; threshold, fit, decision, promotion
        1 + 2,  # round 1
        1 + 1 + 1 + 4,  # bracket 0, round 0
        3,  # best, pictures, all
    ]
    assert Plan(schedule, 2, workers=1).jobs("worst") == sum(by_hand)
    assert Plan(schedule, 2, workers=1).jobs("best") == sum(by_hand) - 3, "nobody has to be completed"


def test_automatic_batches_are_as_many_as_there_are_workers():
    schedule = hyperband(3, 3)
    rounds = [(3, 1), (1, 1), (2, 1)]
    for workers in (1, 2, 8):
        expected = sum(min(workers, trials) + promotion for trials, promotion in rounds) + 3
        assert Plan(schedule, "auto", workers).jobs("worst") == expected


@pytest.mark.parametrize(
    ("R", "eta", "d", "own", "shared"), [(100, 2, 15, 103, 198), (81, 3, 15, 82, 99), (81, 3, 6, 94, 139)]
)
def test_sharing_curves_lengthens_the_longest_chain_of_trainings(R, eta, d, own, shared):
    assert makespan(hyperband(R, eta), "half", "auto", None) == R
    assert makespan(published(R, eta, d, share=False), "half", "auto", None) == own
    assert makespan(published(R, eta, d, share=True), "half", "auto", None) == shared


@pytest.mark.parametrize("batch_size", ["auto", 1, 5])
@pytest.mark.parametrize("case", ["worst", "half", "best"])
def test_one_worker_trains_every_epoch_after_the_other(case, batch_size):
    schedule = published(81, 3, d=6)
    assert makespan(schedule, case, batch_size, 1) == epochs(schedule, case)


def test_a_search_never_takes_longer_than_one_worker_nor_shorter_than_its_longest_chain():
    schedule = published(100, 2, d=6)
    chain = makespan(schedule, "half", 1, None)
    total = epochs(schedule, "half")
    for workers in (2, 7, 51):
        assert max(chain, total / workers) <= makespan(schedule, "half", 1, workers) < total


def test_a_round_waits_for_the_ends_of_earlier_brackets_which_teach_it():
    schedule = swift_hyperband(9, 3, SwiftSettings(d=3, decision_fraction=0.5))
    assert [(r.key, r.training_rounds) for r in schedule.rounds if r.decision_epoch] == [
        ((1, 0), ((2, 1), (1, 0))),
        ((0, 0), ((2, 2), (1, 1), (0, 0))),
    ]
    # bracket 2 to epoch 3, then bracket 1 from epoch 2 to 3 and on to 9, then bracket 0 from epoch 5 to 9
    assert makespan(schedule, "worst", 1, None) == 3 + 1 + 6 + 4


def test_batches_of_several_trials_lengthen_a_search_with_many_workers():
    schedule = published(100, 2)
    assert makespan(schedule, "half", 10, None) > makespan(schedule, "half", 1, None)


def simulated(schedule, case, batch_size, workers):
    """Return the makespan by starting every single job."""
    stages = {}
    for r in schedule.rounds:
        on = continuing(r, case)
        point = r.end if r.decision_epoch is None else r.decision_epoch
        before = {((r.bracket, r.index - 1), "complete")} if r.index else set()
        stages[r.key, "full"] = (r.full, r.end - r.start, before)
        ends = {(r.key, "full")}
        if r.decision_epoch is not None:
            stages[r.key, "partial"] = (r.partial, point - r.start, before)
            rounds = schedule.by_key[r.predictor].training_rounds
            taught = {key for key in rounds if schedule.taught_by_all and key != r.key}
            ends |= {(r.key, "partial"), *((key, "complete" if key in taught else "full") for key in rounds)}
        stages[r.key, "complete"] = (on if r.decision_epoch is not None else 0, r.end - point, ends)
    sizes = {
        name: [len(batch) for batch in pack([str(n) for n in range(trials)], batch_size, workers)]
        for name, (trials, _, _) in stages.items()
    }
    order = {name: number for number, name in enumerate(stages)}
    waiting = {name: sorted(size * stages[name][1] for size in found) for name, found in sizes.items()}
    left = {name: len(jobs) for name, jobs in waiting.items()}
    running, over, now = [], set(), 0
    while True:
        while new := [name for name in stages if name not in over and not left[name] and stages[name][2] <= over]:
            over.update(new)
        for name in stages:
            while stages[name][2] <= over and waiting[name] and len(running) < workers:
                running.append((now + waiting[name].pop(0), order[name], name))
        if not running:
            return now
        running.sort()
        now, _, name = running.pop(0)
        left[name] -= 1


SIMULATED = [
    published(81, 3, d=6),
    published(100, 2),
    hyperband(64, 4),
    swift_hyperband(81, 3, SwiftSettings(thaw=0.0)),
    swift_hyperband(60, 2, keys.build(SwiftSettings, PRESETS["bold"]["swift"])),
]


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("batch_size", ["auto", 1, 4])
@pytest.mark.parametrize("schedule", SIMULATED)
def test_jobs_that_are_alike_take_as_long_together_as_one_by_one(schedule, batch_size, workers):
    for case in ("worst", "half", "best"):
        assert makespan(schedule, case, batch_size, workers) == simulated(schedule, case, batch_size, workers)


def test_a_search_of_hundreds_of_thousands_of_trials_is_planned():
    schedule = hyperband(300_000, 2)
    found = Plan(schedule, 1, 7).to_json()
    assert found["configurations"] == schedule.configurations > 500_000
    assert makespan(schedule, "half", 1, 7) >= epochs(schedule, "half") / 7
    assert makespan(schedule, "half", "auto", 1) == epochs(schedule, "half")


def test_json_holds_the_agreed_numbers_and_nothing_else(study, capsys):
    found = json.loads(plan(capsys, study, "--json"))
    assert set(found) == {"configurations", "epochs", "jobs", "brackets", "thaw"}
    assert found["thaw"] == {"trials": 1, "epochs": 14}
    assert set(found["epochs"]) == {"hyperband", "worst", "best"}
    assert set(found["jobs"]) == {"worst", "best"}
    assert [len(rounds) for rounds in found["brackets"]] == [4, 3, 2, 1]
    assert found["brackets"][0][0] == {"trials": 27, "epochs": 1, "full": 27, "partial": 0, "decision_epoch": None}
    assert found["brackets"][3] == [{"trials": 4, "epochs": 27, "full": 1, "partial": 3, "decision_epoch": 17}]
    study.write_text(STUDY + "swift: {preset: bold}\n")
    found = json.loads(plan(capsys, study, "--json"))
    assert found["brackets"][3] == [{"trials": 6, "epochs": 27, "full": 1, "partial": 5, "decision_epoch": 5}]


def test_more_workers_than_the_study_says_make_more_automatic_batches(study, capsys):
    few, many = (json.loads(plan(capsys, study, "--json", "--workers", n))["jobs"]["worst"] for n in (4, 9))
    assert few < many


def test_the_plan_tells_hours_and_gpu_hours_when_it_knows_the_time_of_an_epoch(study, capsys):
    text = plan(capsys, study, "--seconds-per-epoch", 100)
    line = next(line for line in text.splitlines() if line.startswith("GPU-hours"))
    most = json.loads(plan(capsys, study, "--json"))["epochs"]["worst"]
    assert line.split()[1] == f"{most * 100 * 2 / 3600:.3g}"
    assert f"{most * 100 / 3600:.1f} h" in text
    assert "100 s an epoch (as given)" in text


def test_the_plan_measures_an_epoch_by_the_curves_that_are_there(study, capsys, tmp_path):
    assert "--seconds-per-epoch" in plan(capsys, study)
    for trial, seconds in {"a": [1, 30, 30], "b": [30, 400]}.items():
        folder = tmp_path / "results" / "planned" / "trials" / trial
        folder.mkdir(parents=True)
        rows = [{"epoch": epoch, "loss": 0.5, "seconds": value} for epoch, value in enumerate(seconds, 1)]
        (folder / "curve.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "30 s an epoch (median of the curves in results/planned)" in plan(capsys, study)


@pytest.mark.parametrize("width", [80, 120])
def test_no_number_is_cut_off_in_a_narrow_terminal(study, capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    study.write_text(STUDY.replace("27", "729"))
    text = plan(capsys, study, "--seconds-per-epoch", 100)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_settings_that_save_next_to_nothing_are_pointed_out(study, capsys):
    assert "note:" not in plan(capsys, study)
    study.write_text(STUDY + "swift: {preset: published}\n")
    text = " ".join(plan(capsys, study).split())
    assert "at best 1.7% of Hyperband's epochs; set swift.preset: default or a swift.d below 15" in text


@pytest.mark.parametrize(
    ("max_epochs", "swift", "advice"),
    [
        (9, "{}", "set a larger search.max_epochs"),
        (27, "{thaw: 0.0, share_curves: false}", "set swift.share_curves: true"),
        (27, "{preset: bold, d: 3, decision_fraction: 1.0}", "set swift.preset: default or a larger search.max_epochs"),
        (27, "{thaw: 0.0, teachers: reference, d: 3}", "set a swift.d of at least 5 (predictor.fewest_curves)"),
    ],
)
def test_the_plan_names_settings_that_would_save_more(study, capsys, max_epochs, swift, advice):
    study.write_text(STUDY.replace("27", str(max_epochs)) + f"swift: {swift}\n")
    text = " ".join(plan(capsys, study).split())
    assert text.endswith(f"at best 0.0% of Hyperband's epochs; {advice}")


def test_plain_hyperband_is_not_compared_with_what_the_study_does_not_ask_for(study, capsys):
    study.write_text(STUDY.replace("eta: 3", "eta: 3, algorithm: hyperband"))
    text = plan(capsys, study)
    assert "nobody is stopped by prediction" in text
    assert "curves shared" not in text
    assert "note:" not in text


@pytest.mark.parametrize("options", [["--workers", "0"], ["--seconds-per-epoch", "-1"], ["--seconds-per-epoch", "nan"]])
def test_impossible_options_are_one_line(study, capsys, options):
    assert main(["plan", str(study), *options]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith(f"error: {options[0]} must be ")
    assert found.err.count("\n") == 1


@pytest.mark.parametrize("batch_size", ["auto", 1, 4])
@pytest.mark.parametrize("size", [(100, 2), (81, 3), (140, 2)])
def test_one_worker_also_trains_every_epoch_of_the_thaw(size, batch_size):
    schedule = swift_hyperband(*size, SwiftSettings())
    assert schedule.thaw is not None
    assert makespan(schedule, "worst", batch_size, 1) == epochs(schedule, "worst")
    assert makespan(schedule, "best", batch_size, 1) == epochs(schedule, "best")


@pytest.mark.parametrize("algorithm", ["swift-hyperband", "predicted-random"])
def test_nothing_is_promised_where_no_predictor_can_have_enough_curves(study, capsys, algorithm):
    study.write_text(
        STUDY.replace("eta: 3", f"eta: 3, algorithm: {algorithm}") + "swift: {teachers: reference, d: 3}\n"
    )
    found = json.loads(plan(capsys, study, "--json"))
    assert any(round_["decision_epoch"] for rounds in found["brackets"] for round_ in rounds)
    assert found["epochs"]["best"] == found["epochs"]["worst"] - found.get("thaw", {"epochs": 0})["epochs"]
    enough = study.read_text() + "predictor: {fewest_curves: 3}\n"
    study.write_text(enough)
    assert json.loads(plan(capsys, study, "--json"))["epochs"]["best"] < found["epochs"]["best"]


def test_only_schedules_that_differ_stand_beside_each_other(study, capsys):
    text = plan(capsys, study)
    assert "Swift, curves shared" in text
    assert "own curves" not in text, "by default it is Hyperband"
    study.write_text(STUDY + "swift: {share_curves: false}\n")
    assert "Swift, own curves" in plan(capsys, study), "the study itself"
    study.write_text(STUDY + "swift: {preset: bold}\n")
    assert "Swift, own curves" in plan(capsys, study)
