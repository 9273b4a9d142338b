"""`swift-hyperband annealer check` says what can be used here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from swift_hyperband.cli import main


def check(*arguments: str) -> int:
    return main(["annealer", "check", *arguments])


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    check("--json", *arguments)
    return {finding["sampler"]: finding for finding in json.loads(capsys.readouterr().out)}


@pytest.mark.usefixtures("alone")
def test_without_a_token_the_local_samplers_are_usable_and_the_others_say_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert check() == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert list(lines) == ["simulated-annealing", "neal", "tabu", "steepest-descent", "exact", "qpu", "hybrid"]
    for name in ("simulated-annealing", "neal", "tabu", "exact"):
        assert " usable " in lines[name]
        assert "found its optimum" in lines[name]
    for name in ("qpu", "hybrid"):
        assert " missing " in lines[name]
        assert "set DWAVE_API_TOKEN" in lines[name]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", ["qpu", "hybrid", "nonsense", "nowhere:Sampler"])
def test_a_named_sampler_that_cannot_be_used_ends_with_1(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--sampler", name) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert " missing " in line


def test_a_sampler_of_the_user_s_own_is_tried(alone: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--sampler", "dimod:ExactSolver") == 0
    assert "found its optimum" in capsys.readouterr().out


def test_the_solver_is_described_and_nothing_is_submitted(
    server: Any, sapi: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = found(capsys)
    qpu, hybrid = findings["qpu"], findings["hybrid"]
    qubits = server.solvers[sapi.QPU]["properties"]["qubits"]
    assert (qpu["usable"], qpu["solver"], qpu["qubits"], qpu["largest"]) == (True, sapi.QPU, len(qubits), 24)
    assert (hybrid["usable"], hybrid["solver"]) == (True, sapi.HYBRID)
    assert hybrid["largest"] * (hybrid["largest"] + 1) / 2 <= 2**20
    assert qpu["fit_seconds"] is None
    assert "--submit" in qpu["note"]
    assert server.submitted == 0


@pytest.mark.parametrize("name", ["qpu", "hybrid"])
def test_a_problem_is_submitted_each_time_when_asked_for(
    name: str, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        finding = found(capsys, "--sampler", name, "--submit")[name]
        assert finding["usable"]
        assert finding["optimum"]
    assert server.submitted == 2


def test_a_solver_that_fails_on_the_problem_is_not_usable(
    server: Any, fail: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    fail(outcome="FAILED", message="too hot")
    assert check("--sampler", "qpu", "--submit") == 1
    assert "failed on the problem: too hot" in capsys.readouterr().out


def test_a_refused_token_is_what_is_missing(
    server: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DWAVE_API_TOKEN", "wrong")
    assert check("--sampler", "qpu") == 1
    assert "check DWAVE_API_TOKEN" in capsys.readouterr().out
