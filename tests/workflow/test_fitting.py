"""Fitting a round's predictor in a study's folder: the sampler is bound to a label and a place, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swift_hyperband.annealing.dwave import conversation
from swift_hyperband.annealing.dwave.store import Answer, Kept, Problem
from swift_hyperband.annealing.errors import AnnealerError
from swift_hyperband.annealing.settings import SamplerSettings
from swift_hyperband.base.errors import UserError
from swift_hyperband.results.decided import Fitted
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import parse
from swift_hyperband.workflow import fitting

STUDY = {
    "name": "g",
    "target": {"name": "digits-cnn", "metric": "accuracy", "mode": "max"},
    "space": {"lr": {"type": "float", "low": 1e-4, "high": 1.0}},
    "search": {"algorithm": "swift-hyperband", "max_epochs": 27, "eta": 3, "seed": 1},
    # the default of the searches whose answers there are
    "swift": {"preset": "bold"},
}


def reference(epochs: int) -> dict[str, list[float]]:
    """Return twelve power-law curves, one that failed and one that exploded."""
    rng = np.random.default_rng(0)
    end, start, speed = rng.uniform(0.1, 0.6, 12), rng.uniform(0.5, 2.0, 12), rng.uniform(0.5, 1.5, 12)
    curves = end[:, None] + start[:, None] * np.arange(1, epochs + 1) ** -speed[:, None]
    known = {f"trial {number}": curve.tolist() for number, curve in enumerate(curves)}
    return known | {"failed": [float("inf")] * 3, "exploded": [1e30] * epochs}


def fit(folder: Path, predictor: dict[str, Any], **more: Any) -> Fitted:
    """Fit the first predictor of a study to twelve curves."""
    study = parse({**STUDY, "predictor": {"name": "qsvr", **predictor}, **more}, "study.yaml").frozen()
    where = StudyFolder(folder / "results/g")
    where.path.mkdir(parents=True, exist_ok=True)
    where.study.write_text(json.dumps({"definition": study.definition, "version": "v1"}))
    round_ = next(round_ for round_ in study.schedule().rounds if round_.training_rounds)
    return fitting.fit(where, study, round_, [reference(round_.end)])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Let a local sampler answer for the annealer; return what it was asked: tags, and folders of answers."""
    import dwave.samplers

    found: list[tuple[str, str | None]] = []

    def answer(settings: SamplerSettings, problem: Problem, store: Kept, left: float | None) -> Answer:
        found.append((problem.tag, store.path and "/".join(store.path.parts[-3:])))
        if settings.solver == "down":
            raise AnnealerError("the annealer is down")
        states = dwave.samplers.SteepestDescentSampler().sample(problem.bqm, num_reads=10, seed=1)
        texts = ["".join(map(str, row)) for row in states.record.sample.tolist()]
        return Answer("id", "solver", texts, states.record.energy.tolist(), [1] * 10, [0.0] * 10, {}, 0.1)

    monkeypatch.setattr(conversation, "_ask", answer)
    return found


def test_a_problem_bears_the_label_by_which_earlier_searches_find_its_answer(
    tmp_path: Path, asked: list[tuple[str, str | None]]
) -> None:
    assert fit(tmp_path, {"sampler": {"name": "qpu"}}).predictor is not None
    # another character, and an answer that is there already is paid for again
    tag = "g-v1-bracket=3-round=1 [94df0ea3c89336a0]"
    assert asked == [(tag, "annealer/bracket=3-round=1/g-v1-bracket-3-round-1-94df0ea3c89336a0")]


def test_so_do_the_problems_of_an_ensemble(tmp_path: Path, asked: list[tuple[str, str | None]]) -> None:
    fit(tmp_path, {"sampler": {"name": "hybrid"}, "qsvr": {"max_samples": 5}})
    assert [tag for tag, _ in asked] == [
        "g-v1-bracket=3-round=1 1/3 [f57b672c2634d0b5]",
        "g-v1-bracket=3-round=1 2/3 [ec3367926584ccab]",
        "g-v1-bracket=3-round=1 3/3 [103bba4efe3bfab1]",
    ]


def test_answers_are_taken_from_the_folder_the_next_time(tmp_path: Path, asked: list[tuple[str, str | None]]) -> None:
    first, again = (fit(tmp_path, {"sampler": {"name": "qpu"}}) for _ in range(2))
    assert len(asked) == 1
    assert first.predictor is not None
    assert again.predictor is not None
    assert again.predictor.to_dict() == first.predictor.to_dict()


def test_an_annealer_that_is_down_is_replaced_by_what_the_study_names(
    tmp_path: Path, asked: list[tuple[str, str | None]]
) -> None:
    found = fit(tmp_path, {"sampler": {"name": "qpu", "solver": "down"}}, fallback="simulated-annealing")
    local = fit(tmp_path, {})
    assert len(asked) == 1
    assert found.fallback == "the annealer is down"
    assert found.predictor is not None
    assert local.predictor is not None
    assert found.predictor.to_dict() == local.predictor.to_dict()


def test_an_annealer_that_is_down_stops_the_search_otherwise(
    tmp_path: Path, asked: list[tuple[str, str | None]]
) -> None:
    with pytest.raises(UserError, match=r"the annealer is down .*set 'fallback: simulated-annealing'"):
        fit(tmp_path, {"sampler": {"name": "qpu", "solver": "down"}})


@pytest.mark.parametrize("name", ["svr", "qsvr"])
def test_a_curve_that_exploded_is_left_out_and_named(tmp_path: Path, name: str) -> None:
    assert fit(tmp_path, {"name": name}).left_out == ("exploded",)
