"""What a study's sampler cannot do is found before anything is trained, and can be set right."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from swift_hyperband.annealing.dwave import conversation
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json
from swift_hyperband.cli import main
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import load
from swift_hyperband.workflow import fitting
from swift_hyperband.workflow.driver import run_search

Write = Callable[..., Path]


@pytest.fixture
def study(alone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a study over made-up curves, whose one fit has 4 curves and so 12 variables."""
    rows = [f"{row},{epoch},{(1 + row / 7) / epoch}" for row in range(40) for epoch in range(1, 10)]
    (tmp_path / "curves.csv").write_text("\n".join(["row,epoch,loss", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    # several searches in one process, which holds a lease to its end
    monkeypatch.setattr("swift_hyperband.workflow.driver.become_head", lambda _: None)

    def write(sampler: dict[str, Any], qsvr: dict[str, Any] | None = None, **keys: Any) -> Path:
        target = {"name": "curve-table", "metric": "loss", "mode": "min", "options": {"table": "curves.csv"}}
        content = {
            "name": "s",
            "target": target,
            "space": {"row": {"type": "int", "low": 0, "high": 39}},
            "search": {"algorithm": "swift-hyperband", "max_epochs": 9, "brackets": [1]},
            "swift": {"preset": "bold", "d": 4, "extra": 0},
            "predictor": {
                "name": "qsvr",
                "qsvr": {"encoding": "signed", "bits": 3, **(qsvr or {})},
                "sampler": sampler,
            },
            **keys,
        }
        Path("s.yaml").write_text(yaml.safe_dump(content))
        return Path("s.yaml")

    return write


def search(path: Path) -> StudyFolder:
    folder = StudyFolder(Path("results/s"))
    run_search(load(path), folder, 1)
    return folder


def trained() -> list[Path]:
    return list(Path("results").rglob("curve.jsonl"))


QPU = {"name": "qpu", "num_reads": 20, "timeout": 30}

# test_limits.py has all of them
REFUSED = {
    "reads": (
        {"num_reads": 20000},
        "predictor.sampler.num_reads must be at most 10000 (num_reads_range of Loopback_system1.0), found 20000",
    ),
    "reads x time": (
        {"num_reads": 5000, "annealing_time": 300},
        "predictor.sampler.num_reads must be at most 3330 with an annealing_time of 300 (problem_run_duration_range",
    ),
}


@pytest.mark.parametrize(("settings", "told"), REFUSED.values(), ids=REFUSED)
def test_what_the_solver_refuses_is_told_in_the_plan_the_check_and_before_the_first_epoch(
    settings: dict[str, Any], told: str, study: Write, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study(QPU | settings)
    assert main(["plan", str(path)]) == 2
    planned = capsys.readouterr()
    assert "configurations in 1 bracket" in planned.out
    assert planned.err.startswith(f"error: s.yaml: {told}")
    assert planned.err.count("\n") == 1
    assert main(["annealer", "check", "--study", str(path)]) == 1
    assert told in capsys.readouterr().out
    with pytest.raises(UserError) as caught:
        search(path)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)
    assert not trained()
    assert server.submitted == 0
    # and what is told helps
    search(study(QPU | {"annealing_time": 300, "num_reads": 3330}, {"bits": 1}))
    assert server.submitted == 1


def test_a_study_that_fits_no_predictor_has_no_sampler_to_check(
    study: Write, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    # with the default settings the first bracket decides nothing
    path = study(QPU, swift={})
    assert main(["annealer", "check", "--study", str(path)]) == 2
    assert capsys.readouterr().err == (
        "error: s.yaml: search.max_epochs or search.brackets must allow more rounds, for its sampler to be checked: "
        "this search fits no predictor\n"
    )


def test_more_variables_than_the_solver_holds_are_told(study: Write, server: Any) -> None:
    path = study(QPU, {"bits": 12})
    with pytest.raises(UserError, match=r"^predictor\.qsvr\.max_samples: .* may have 24 variables, found 48; .*\.bits"):
        search(path)
    assert not trained()


def test_a_hybrid_solver_needs_the_time_that_it_works(study: Write, server: Any) -> None:
    with pytest.raises(UserError, match=r"^predictor\.sampler\.timeout must be more than 1\.\d+ .*found 0\.5$"):
        search(study({"name": "hybrid", "timeout": 0.5}))
    assert not trained()


def test_a_budget_that_no_problem_keeps_is_told_unless_something_takes_its_place(study: Write, server: Any) -> None:
    with pytest.raises(UserError, match=r"^budget\.annealer_seconds must be at least 0\.0\d+ for the largest problem"):
        search(study(QPU, budget={"annealer_seconds": 0.001}))
    assert not trained()
    search(study(QPU, budget={"annealer_seconds": 0.001}, fallback="simulated-annealing"))
    assert server.submitted == 0


def test_settings_of_the_sampler_may_change_until_it_has_answered(
    study: Write, server: Any, fail: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    fail(status={"submit": 400}, text="num_reads is out of range here")
    with pytest.raises(UserError, match="out of range here"):
        search(study(QPU))
    curves = {path: path.read_bytes() for path in trained()}
    assert curves
    # by an earlier version of the product, the settings would be frozen by now
    fail()
    folder = search(study(QPU | {"num_reads": 15}))
    assert "predictor.sampler.num_reads is 20 in the frozen study, 15 now: taken over" in capsys.readouterr().err
    assert read_json(folder.study)["definition"]["predictor"]["sampler"]["num_reads"] == 15
    (problem,) = server.problems.values()
    assert problem.job["params"]["num_reads"] == 15
    assert all(path.read_bytes().startswith(before) for path, before in curves.items())
    with pytest.raises(UserError, match=r"keeps its definition, but predictor\.sampler\.num_reads is 15 in the frozen"):
        search(study(QPU))


def test_the_time_that_an_answer_is_waited_for_may_change_always_and_no_answer_is_paid_twice(
    study: Write, server: Any, fail: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = search(study(QPU))
    best = folder.best.read_text()
    for path in [folder.best, *folder.path.glob("bracket=*/round=*/predictor.json")]:
        path.unlink()
    search(study(QPU | {"timeout": 31}))
    assert "predictor.sampler.timeout is 30.0 in the frozen study, 31.0 now: taken over" in capsys.readouterr().err
    search(study(QPU | {"timeout": 32}))
    assert folder.best.read_text() == best
    assert server.submitted == 1
    with pytest.raises(UserError, match=r"keeps its definition, but predictor\.sampler\.num_reads is 20 in the frozen"):
        search(study(QPU | {"timeout": 32, "num_reads": 21}))


@pytest.mark.parametrize("damage", ["flipped", "short", "text", "empty", "other"])
def test_a_damaged_answer_is_not_decided_by_and_not_paid_again(damage: str, study: Write, server: Any) -> None:
    folder = search(study(QPU))
    (kept,) = folder.path.glob("annealer/*/*/answer.json")
    whole = kept.read_text()
    answer = json.loads(whole)
    state = answer["states"][0]
    if damage == "flipped":
        answer["states"][0] = str(1 - int(state[0])) + state[1:]
    elif damage == "short":
        answer["states"][0] = state[:-1]
    elif damage == "other":
        del answer["energies"][0]
    kept.write_text({"text": "{", "empty": ""}.get(damage, json.dumps(answer)))
    # as if killed before the predictor was written: one that is there holds
    for name in ("predictor", "decision", "promotion"):
        for path in folder.path.glob(f"bracket=*/round=*/{name}.json"):
            path.unlink()
    with pytest.raises(UserError, match=r"answer\.json: must .*; delete the file and start the search again") as caught:
        search(study(QPU))
    assert "\n" not in str(caught.value)
    kept.unlink()
    search(study(QPU))
    assert json.loads(kept.read_text()) == json.loads(whole)
    assert server.submitted == 1


def test_anything_else_is_kept_from_the_first_epoch_on(study: Write, server: Any, fail: Callable[..., None]) -> None:
    fail(status={"submit": 400})
    with pytest.raises(UserError, match="made to fail"):
        search(study(QPU))
    with pytest.raises(UserError, match=r"keeps its definition, but predictor\.qsvr\.bits is 3 in the frozen study, 2"):
        search(study(QPU, {"bits": 2}))


def test_a_frozen_study_s_answers_need_nobody_to_be_asked(
    study: Write, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = search(study(QPU))
    best = folder.best.read_text()
    monkeypatch.delenv("DWAVE_API_TOKEN")
    search(study(QPU))
    assert folder.best.read_text() == best
    assert server.submitted == 1


def test_without_a_token_the_plan_says_so_and_the_search_does_not_begin(
    study: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study(QPU)
    assert main(["plan", str(path)]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "not compared" in line]
    assert "set DWAVE_API_TOKEN" in line
    with pytest.raises(UserError, match="token is needed"):
        search(path)
    assert not trained()
    search(study(QPU, fallback="simulated-annealing"))
    (decision,) = Path("results").glob("s/bracket=1/round=0/decision.json")
    assert "token is needed" in read_json(decision)["fallback"]


def test_an_annealer_that_cannot_be_reached_now_may_be_when_it_is_needed(
    study: Write, server: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(conversation, "PAUSES", ())
    monkeypatch.setenv("DWAVE_API_ENDPOINT", "http://127.0.0.1:9/sapi")
    with pytest.raises(UserError, match=r"must be reachable.*start again to go on"):
        search(study(QPU))
    assert "predictor.sampler was not compared with what the solver takes: the annealer" in capsys.readouterr().err
    assert trained()


@pytest.mark.parametrize(
    "faults",
    [{"status": {"solvers": 403}, "text": "bad {token}"}, {"status": {"solvers": 500}, "text": "bad {token}"}],
    ids=str,
)
def test_no_line_holds_the_token(
    faults: dict[str, Any],
    study: Write,
    server: Any,
    sapi: Any,
    fail: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(conversation, "PAUSES", ())
    fail(**faults)
    path = study(QPU)
    main(["plan", str(path)])
    main(["annealer", "check", "--study", str(path)])
    main(["search", str(path)])
    seen = capsys.readouterr()
    assert "bad ***" in seen.out
    assert "bad ***" in seen.err
    assert sapi.TOKEN not in seen.out + seen.err


OWN = """
import dimod
from dwave.samplers import SimulatedAnnealingSampler

class Jij(dimod.Sampler):
    parameters, properties = {"beta_min": [], "beta_max": []}, {}

    def sample(self, bqm, num_sweeps=None, num_reads=None, seed=None):
        return SimulatedAnnealingSampler().sample(bqm, num_reads=num_reads, num_sweeps=num_sweeps, seed=seed)

class Free(dimod.Sampler):
    parameters = properties = {}

    def sample(self, bqm, **parameters):
        return SimulatedAnnealingSampler().sample(bqm, num_reads=4)

class Tired(Free):
    asked = 0

    def sample(self, bqm, **parameters):
        Tired.asked += 1
        if Tired.asked > 1:
            raise MemoryError("no more")
        return super().sample(bqm)
"""


@pytest.fixture
def own(study: Write) -> Any:
    Path("mysamplers.py").write_text(OWN)
    yield
    sys.modules.pop("mysamplers", None)


@pytest.mark.parametrize(
    ("sampler", "told"),
    [
        ("dimod:NullSampler", "predictor.sampler.name: the sampler 'dimod:NullSampler' cannot be used: it must return"),
        ("mysamplers:Missing", "predictor.sampler.name: the sampler 'mysamplers:Missing' cannot be used: it must name"),
        ("dwave.samplers:PlanarGraphSolver", "predictor.sampler.name: the sampler 'dwave.samplers:PlanarGraphSolver'"),
    ],
)
def test_a_sampler_that_cannot_be_used_is_told_before_the_first_epoch_whatever_the_fallback(
    sampler: str, told: str, study: Write, own: Any
) -> None:
    for fallback in ("stop", "simulated-annealing"):
        with pytest.raises(UserError) as caught:
            search(study({"name": sampler}, fallback=fallback))
        assert str(caught.value).startswith(told)
        assert "\n" not in str(caught.value)
    assert not trained()
    # nothing is frozen by that
    search(study({"name": "simulated-annealing"}))


def test_exact_is_held_to_its_size_by_keys_that_exist(study: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = study({"name": "exact"}, {"bits": 6})
    told = "predictor.sampler.name: exact holds at most 20 variables, found 24; lower predictor.qsvr.max_samples or "
    assert main(["plan", str(path)]) == 2
    assert told in capsys.readouterr().err
    with pytest.raises(UserError, match=told):
        search(path)
    search(study({"name": "exact"}, {"bits": 3}))


def test_a_study_that_is_not_reproducible_says_so_at_its_start_and_in_its_report(
    study: Write, own: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study({"name": "mysamplers:Free", "sweeps": 77})
    assert main(["search", str(path)]) == 0
    started = capsys.readouterr().err
    assert "predictor.sampler.name: mysamplers:Free is not reproducible, as it takes no seed\n" in started
    assert "predictor.sampler.sweeps has no effect: mysamplers:Free takes no num_sweeps, found 77" in started
    assert read_json(Path("results/s/annealer/sampler.json"))["unrepeatable"] == "it takes no seed"
    assert "Not reproducible, as it takes no seed (mysamplers:Free)" in Path("results/s/report/index.html").read_text()
    assert main(["status", "results/s"]) == 0
    assert "not reproducible, as it takes no seed" in " ".join(capsys.readouterr().out.split())


def test_a_study_with_a_sampler_that_repeats_says_nothing_and_decides_the_same_again(
    study: Write, own: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study({"name": "mysamplers:Jij", "num_reads": 6, "sweeps": 5})
    fitted = []
    for _ in range(2):
        folder = search(path)
        (predictor,) = folder.path.glob("bracket=*/round=*/predictor.json")
        fitted.append(json.loads(predictor.read_text()))
        folder.path.rename(f"results/before{len(fitted)}")
    assert fitted[0] == fitted[1]
    assert "reproducible" not in capsys.readouterr().err


@pytest.mark.parametrize("fallback", ["stop", "simulated-annealing"])
def test_a_sampler_of_one_s_own_that_fails_later_stops_the_search_or_is_replaced(
    fallback: str, study: Write, own: Any
) -> None:
    path = study({"name": "mysamplers:Tired"}, fallback=fallback)
    told = "the sampler 'mysamplers:Tired' cannot be used: it failed with MemoryError: no more"
    if fallback == "stop":
        with pytest.raises(UserError, match=rf"{told} \(start again to go on, or set 'fallback"):
            search(path)
        assert trained()
    else:
        folder = search(path)
        (decision,) = folder.path.glob("bracket=1/round=0/decision.json")
        assert read_json(decision)["fallback"] == told


def test_searches_without_a_sampler_import_none(study: Write) -> None:
    frozen = load(study({"name": "nowhere:Sampler"}, predictor={"name": "svr"})).frozen()
    assert fitting.problem_sizes(frozen) == []
