"""Problems go to an annealer over HTTP: D-Wave's own client, a loopback server, nothing replaced in between."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dimod
import numpy as np
import pytest

from swift_hyperband.annealing import samplers
from swift_hyperband.annealing.dwave import conversation
from swift_hyperband.annealing.dwave.store import Problem, spent
from swift_hyperband.annealing.errors import AnnealerError
from swift_hyperband.annealing.settings import SamplerSettings

QPU = SamplerSettings(name="qpu", timeout=30.0)
HYBRID = SamplerSettings(name="hybrid", timeout=30.0)


def problem(variables: int = 12, seed: int = 0, vartype: str = "BINARY") -> dimod.BinaryQuadraticModel:
    biases = np.random.default_rng(seed).normal(size=(variables, variables))
    bqm = dimod.BinaryQuadraticModel(vartype)
    bqm.add_linear_from_array(biases.diagonal())
    bqm.add_quadratic_from_dense(np.triu(biases, 1))
    return bqm


def kept_file(kept: Path, name: str) -> dict[str, Any]:
    (found,) = kept.glob(f"*/{name}.json")
    content: dict[str, Any] = json.loads(found.read_text())
    return content


@pytest.mark.parametrize("settings", [QPU, HYBRID], ids=lambda settings: settings.name)
@pytest.mark.parametrize("vartype", ["BINARY", "SPIN"])
def test_the_best_state_of_a_small_problem_is_its_optimum(settings: SamplerSettings, vartype: str, server: Any) -> None:
    bqm = problem(vartype=vartype)
    found = samplers.minimiser(settings, "fit 1")(bqm)
    assert found.vartype is bqm.vartype
    assert found.first.energy == pytest.approx(dimod.ExactSolver().sample(bqm).first.energy)
    assert found.record.energy == pytest.approx(bqm.energies((found.record.sample, found.variables)))


def test_a_qpu_with_a_zephyr_graph_serves_as_well(sapi: Any, alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with sapi.Loopback("zephyr", 2, loss=0.02) as server:
        monkeypatch.setenv("DWAVE_API_ENDPOINT", server.endpoint)
        monkeypatch.setenv("DWAVE_API_TOKEN", sapi.TOKEN)
        bqm = problem()
        found = conversation.sample(QPU, bqm, "fit 1")
        assert found.first.energy == pytest.approx(dimod.ExactSolver().sample(bqm).first.energy)


def test_variables_keep_their_names(server: Any, tmp_path: Path) -> None:
    bqm = problem().relabel_variables({i: f"v{11 - i}" for i in range(12)}, inplace=False)
    for _ in ("from the server", "as kept"):
        found = conversation.sample(QPU, bqm, "fit 1", tmp_path)
        assert set(found.variables) == set(bqm.variables)
        assert found.record.energy == pytest.approx(bqm.energies((found.record.sample, found.variables)))


def test_everything_about_an_answer_is_kept(server: Any, sapi: Any, tmp_path: Path) -> None:
    bqm = problem()
    found = conversation.sample(QPU, bqm, "study/fit 1", tmp_path)
    sent, submitted, answer = (kept_file(tmp_path, name) for name in ("problem", "submitted", "answer"))
    (at_server,) = server.problems.values()
    assert sent["label"] == at_server.label
    assert sent["linear"] == [bqm.get_linear(v) for v in bqm.variables]
    assert len(sent["quadratic"]) == bqm.num_interactions
    assert len(sent["embedding"]) == 12
    assert submitted["problem_id"] == answer["problem_id"] == found.info["problem_id"] == at_server.id
    assert answer["solver"] == found.info["solver"] == sapi.QPU
    assert answer["seconds"] == pytest.approx(answer["timing"]["qpu_access_time"] / 1e6)
    assert sum(answer["occurrences"]) == QPU.num_reads
    assert 0 <= answer["chain_break_share"] <= 1
    states = np.array([[int(bit) for bit in state] for state in answer["states"]])
    assert answer["energies"] == pytest.approx(bqm.energies((states, sent["variables"])).tolist())


def test_states_of_the_qpu_are_polished_down_to_local_minima(server: Any, tmp_path: Path) -> None:
    bqm = problem(20)
    found = conversation.sample(SamplerSettings(name="qpu", chain_strength=0.5, timeout=30.0), bqm, "fit 1", tmp_path)
    answer = kept_file(tmp_path, "answer")
    assert answer["chain_break_share"] > 0
    assert np.all(found.record.energy <= np.array(answer["energies"]) + 1e-9)
    assert found.record.energy.sum() < sum(answer["energies"])
    for flipped in range(20):
        neighbours = found.record.sample.copy()
        neighbours[:, flipped] = 1 - neighbours[:, flipped]
        assert np.all(bqm.energies((neighbours, found.variables)) >= found.record.energy - 1e-9)


def test_reads_annealing_time_and_chain_strength_reach_the_solver(server: Any) -> None:
    settings = SamplerSettings(name="qpu", num_reads=7, annealing_time=50.0, chain_strength=1.0, timeout=30.0)
    conversation.sample(settings, problem(), "weak")
    conversation.sample(SamplerSettings(name="qpu", chain_strength=16.0, timeout=30.0), problem(), "strong")
    weak, strong = (at_server.job for at_server in server.problems.values())
    assert weak["params"]["num_reads"] == 7
    assert weak["params"]["annealing_time"] == 50.0
    assert "annealing_time" not in strong["params"]

    def largest_bias(job: dict[str, Any]) -> float:
        return float(np.nanmax(np.abs(np.frombuffer(base64.b64decode(job["data"]["lin"]), "<f8"))))

    # chains have the hardware's full range, so that a stronger one leaves less of it to the problem
    assert largest_bias(strong) < largest_bias(weak) / 8


def test_a_named_solver_is_used_and_an_unknown_one_is_told(server: Any, sapi: Any) -> None:
    settings = SamplerSettings(name="qpu", solver=sapi.QPU, timeout=30.0)
    assert conversation.sample(settings, problem(), "fit 1").info["solver"] == sapi.QPU
    with pytest.raises(AnnealerError, match=r"No solver with name='elsewhere'.*DWAVE_API_SOLVER"):
        conversation.sample(SamplerSettings(name="qpu", solver="elsewhere", timeout=30.0), problem(), "fit 2")


# paid once


@pytest.mark.parametrize("settings", [QPU, HYBRID], ids=lambda settings: settings.name)
def test_a_kept_answer_is_returned_without_asking_anybody(
    settings: SamplerSettings, server: Any, tmp_path: Path
) -> None:
    first = conversation.sample(settings, problem(), "fit 1", tmp_path)
    assert server.submitted == 1
    server.requests.clear()
    again = conversation.sample(settings, problem(), "fit 1", tmp_path)
    assert server.requests == []
    assert np.array_equal(first.record.sample, again.record.sample)
    assert first.info == again.info


@pytest.mark.parametrize("settings", [QPU, HYBRID], ids=lambda settings: settings.name)
def test_an_answer_that_is_not_kept_is_found_at_the_server_by_its_label(
    settings: SamplerSettings, server: Any, tmp_path: Path
) -> None:
    first = conversation.sample(settings, problem(), "fit 1", tmp_path / "lost")
    again = conversation.sample(settings, problem(), "fit 1", tmp_path / "new")
    assert server.submitted == 1
    assert np.array_equal(first.record.sample, again.record.sample)
    assert first.info == again.info


def test_another_problem_with_the_same_label_is_submitted(server: Any, tmp_path: Path) -> None:
    first = conversation.sample(QPU, problem(seed=0), "fit 1", tmp_path)
    second = conversation.sample(QPU, problem(seed=1), "fit 1", tmp_path)
    assert server.submitted == 2
    assert first.info["problem_id"] != second.info["problem_id"]


def test_a_problem_is_known_again_although_its_last_bits_differ() -> None:
    bqm, other = problem(), problem()
    other.set_linear(3, np.nextafter(bqm.get_linear(3), np.inf))
    other.set_quadratic(1, 2, np.nextafter(bqm.get_quadratic(1, 2), -np.inf))
    assert Problem.of("qpu", bqm, "fit 1").digest == Problem.of("qpu", other, "fit 1").digest
    other.set_linear(3, bqm.get_linear(3) + 1e-6)
    assert Problem.of("qpu", bqm, "fit 1").digest != Problem.of("qpu", other, "fit 1").digest


def test_a_head_killed_between_sending_and_reading_does_not_pay_twice(
    server: Any, fail: Callable[..., None], tmp_path: Path
) -> None:
    fail(delay=600.0)
    call = (
        "import json, sys, dimod, pathlib\n"
        "from swift_hyperband.annealing.dwave import conversation\n"
        "from swift_hyperband.annealing.settings import SamplerSettings\n"
        "bqm = dimod.BinaryQuadraticModel.from_file(open(sys.argv[1], 'rb').read())\n"
        "conversation.sample(SamplerSettings(name='qpu'), bqm, 'fit 1', pathlib.Path(sys.argv[2]))\n"
    )
    model, kept = tmp_path / "model", tmp_path / "kept"
    with problem().to_file() as file:
        model.write_bytes(file.read())
    head = subprocess.Popen([sys.executable, "-c", call, str(model), str(kept)])
    while not list(kept.glob("*/submitted.json")) or kept_file(kept, "submitted")["problem_id"] is None:
        assert head.poll() is None
        time.sleep(0.05)
    head.send_signal(signal.SIGKILL)
    head.wait()
    assert not list(kept.glob("*/answer.json"))
    fail(delay=0.0)
    found = conversation.sample(QPU, problem(), "fit 1", kept)
    assert server.submitted == 1
    assert found.first.energy == pytest.approx(dimod.ExactSolver().sample(problem()).first.energy)
    assert kept_file(kept, "answer")["problem_id"] in server.problems


def test_a_problem_that_still_waits_at_the_server_is_waited_for(
    server: Any, fail: Callable[..., None], tmp_path: Path
) -> None:
    conversation.sample(QPU, problem(), "fit 1", tmp_path / "lost")
    (at_server,) = server.problems.values()
    at_server.submitted = time.time()
    fail(delay=1.0)
    assert conversation.sample(QPU, problem(), "fit 1", tmp_path).info["problem_id"] == at_server.id
    assert server.submitted == 1


def test_a_connection_lost_right_after_sending_does_not_cost_a_second_problem(
    server: Any, fail: Callable[..., None], soon: None
) -> None:
    fail(lose=True)
    assert len(conversation.sample(QPU, problem(), "fit 1")) > 0
    assert server.submitted == 1


# errors


@pytest.mark.parametrize("place", ["solvers", "submit", "poll", "answer"])
@pytest.mark.parametrize("code", [429, 500])
def test_a_temporary_error_is_survived(
    place: str, code: int, server: Any, fail: Callable[..., None], soon: None
) -> None:
    fail(status={place: code}, times=1)
    assert len(conversation.sample(QPU, problem(), "fit 1")) > 0
    assert server.submitted == 1


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ({"html": True}, "must be a D-Wave solver API.*text/html.*check DWAVE_API_ENDPOINT"),
        ({"offline": True}, "must offer the solver and have it online"),
        ({"status": {"submit": 400}}, "SolverError: made to fail"),
        ({"status": {"submit": 403}}, r"forbids this \(403: made to fail\)"),
        ({"status": {"submit": 429}}, r"quota is used up \(429: made to fail\)"),
        ({"status": {"submit": 500}}, r"an error of its own \(500: made to fail\)"),
        ({"status": {"solvers": 503}}, r"an error of its own \(503: made to fail\)"),
    ],
    ids=str,
)
def test_what_hinders_the_submission_is_told_in_one_line(
    faults: dict[str, Any], told: str, server: Any, fail: Callable[..., None], soon: None, tmp_path: Path
) -> None:
    fail(**faults)
    with pytest.raises(AnnealerError, match=told) as error:
        conversation.sample(QPU, problem(), "fit 1", tmp_path)
    assert "\n" not in str(error.value)
    assert server.submitted == 0
    # what the server did not take is not counted as spent
    assert spent(tmp_path) == 0
    fail()
    conversation.sample(QPU, problem(), "fit 1", tmp_path)
    assert server.submitted == 1


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ({"outcome": "FAILED", "message": "too hot"}, "failed on the problem: too hot"),
        ({"outcome": "FAILED", "message": "Solver is offline"}, "has taken its solver offline"),
        ({"outcome": "CANCELLED"}, "was cancelled there"),
    ],
    ids=str,
)
@pytest.mark.parametrize("settings", [QPU, HYBRID], ids=lambda settings: settings.name)
def test_a_problem_that_ends_without_answer_is_told_and_submitted_anew_when_asked_again(
    settings: SamplerSettings,
    faults: dict[str, Any],
    told: str,
    server: Any,
    fail: Callable[..., None],
    tmp_path: Path,
) -> None:
    fail(**faults)
    with pytest.raises(AnnealerError, match=told):
        conversation.sample(settings, problem(), "fit 1", tmp_path)
    assert server.submitted == 1
    for at_server in server.problems.values():
        at_server.cancelled = True
    fail()
    conversation.sample(settings, problem(), "fit 1", tmp_path)
    assert server.submitted == 2


@pytest.mark.parametrize("place", ["solvers", "poll", "submit", "answer"])
def test_a_server_that_hangs_is_left_when_the_time_is_over(
    place: str, server: Any, fail: Callable[..., None], soon: None, tmp_path: Path
) -> None:
    fail(hang=[place])
    with pytest.raises(AnnealerError, match=r"in time"):
        conversation.sample(SamplerSettings(name="qpu", timeout=1.0), problem(), "fit 1", tmp_path)
    fail()
    server.stopping.set()
    conversation.sample(QPU, problem(), "fit 1", tmp_path)
    assert server.submitted == 1


@pytest.mark.parametrize("name", ["qpu", "hybrid"])
def test_a_problem_that_waits_too_long_is_cancelled(
    name: str, server: Any, fail: Callable[..., None], tmp_path: Path
) -> None:
    fail(delay=600.0)
    with pytest.raises(AnnealerError, match=r"still waits and was cancelled; raise predictor.sampler.timeout"):
        conversation.sample(SamplerSettings(name=name, timeout=1.0), problem(), "fit 1", tmp_path)
    assert [server.state(at_server) for at_server in server.problems.values()] == ["CANCELLED"]


def test_an_endpoint_where_nobody_listens_is_told(server: Any, soon: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWAVE_API_ENDPOINT", "http://127.0.0.1:9/sapi")
    with pytest.raises(AnnealerError, match=r"127\.0\.0\.1:9 must be reachable.*DWAVE_API_ENDPOINT"):
        conversation.sample(QPU, problem(), "fit 1")


def test_an_endpoint_that_is_no_url_is_told(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWAVE_API_ENDPOINT", "cloud")
    with pytest.raises(AnnealerError, match="must be an http"):
        conversation.sample(QPU, problem(), "fit 1")


def test_a_missing_token_is_told(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DWAVE_API_TOKEN")
    with pytest.raises(AnnealerError, match=r"token is needed.*set DWAVE_API_TOKEN"):
        conversation.sample(QPU, problem(), "fit 1")


def test_a_wrong_token_is_told(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWAVE_API_TOKEN", "wrong")
    with pytest.raises(AnnealerError, match=r"refused \(401\); check DWAVE_API_TOKEN"):
        conversation.sample(QPU, problem(), "fit 1")


def test_a_token_in_the_client_s_own_configuration_is_enough(
    server: Any, sapi: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DWAVE_API_TOKEN")
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(tmp_path / "dwave.conf"))
    (tmp_path / "dwave.conf").write_text(f"[defaults]\ntoken = {sapi.TOKEN}\n")
    assert len(conversation.sample(QPU, problem(), "fit 1")) > 0


def test_a_problem_too_large_for_the_solver_is_told_before_it_is_sent(server: Any) -> None:
    with pytest.raises(AnnealerError, match="may have 24 variables, found 60; use fewer curves"):
        conversation.sample(QPU, problem(60), "fit 1")
    assert server.submitted == 0


def test_settings_that_the_solver_refuses_are_told(server: Any) -> None:
    with pytest.raises(AnnealerError, match="num_reads value out of range"):
        conversation.sample(SamplerSettings(name="qpu", num_reads=20_000, timeout=30.0), problem(), "fit 1")


# annealer time


def test_the_estimate_is_what_is_charged(server: Any, tmp_path: Path) -> None:
    estimate = conversation.ask(QPU, 12, 10.0).seconds
    assert server.submitted == 0
    assert conversation.sample(QPU, problem(), "fit 1", tmp_path).info["seconds"] == pytest.approx(estimate)
    assert conversation.sample(HYBRID, problem(), "fit 1", tmp_path).info["seconds"] == pytest.approx(
        conversation.ask(HYBRID, 12, 10.0).seconds
    )
    assert spent(tmp_path) == pytest.approx(estimate + conversation.ask(HYBRID, 12, 10.0).seconds)


def test_a_budget_is_never_exceeded(server: Any, tmp_path: Path) -> None:
    cost = conversation.ask(QPU, 12, 10.0).seconds
    assert cost is not None
    kept = [tmp_path / "annealer" / name for name in ("round 1", "round 2", "round 3")]
    for one in kept[:2]:
        conversation.sample(QPU, problem(), one.name, one, budget_seconds=2.5 * cost)
    with pytest.raises(AnnealerError, match="budget must cover the next problem"):
        conversation.sample(QPU, problem(), kept[2].name, kept[2], budget_seconds=2.5 * cost)
    assert server.submitted == 2
    # what is paid is not refused
    conversation.sample(QPU, problem(), kept[1].name, kept[1], budget_seconds=0.0)


def test_a_problem_whose_answer_never_came_counts_against_the_budget(
    server: Any, fail: Callable[..., None], tmp_path: Path
) -> None:
    cost = conversation.ask(QPU, 12, 10.0).seconds
    assert cost is not None
    fail(outcome="FAILED")
    with pytest.raises(AnnealerError, match="failed on the problem"):
        conversation.sample(QPU, problem(), "fit 1", tmp_path / "kept")
    fail()
    with pytest.raises(AnnealerError, match="budget must cover the next problem"):
        conversation.sample(QPU, problem(), "fit 2", tmp_path / "kept", budget_seconds=1.5 * cost)
