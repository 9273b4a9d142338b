"""Making a search from an algorithm's name and a user's settings, which are checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import one_of, shown, suggestion
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.algorithms import ALGORITHMS, Family
from swift_hyperband.search.fast_hyperband import FastSettings
from swift_hyperband.search.sampling import Sampling
from swift_hyperband.study.model import parse
from swift_hyperband.study.presets import PRESETS


def recipe(
    algorithm: str,
    max_epochs: int,
    eta: int,
    *,
    where: str = "search",
    label: str | None = None,
    preset: str = "default",
    brackets: Collection[int] | None = None,
    trials: int | None = None,
    full: int | None = None,
    swift: Mapping[str, Any] | None = None,
    predictor: Mapping[str, Any] | None = None,
    fast: FastSettings | None = None,
    adaptive: AdaptiveSettings | None = None,
    sampling: Sampling = "random",
) -> Recipe:
    """Return a search by name.

    Parameters
    ----------
    algorithm : str
        One of `ALGORITHMS`.
    max_epochs, eta, brackets, trials, full
        As the section `search` of a study has them.
    where : str
        What error messages begin with.
    label : str, optional
        What pictures and tables call it; the algorithm's name, with what is special about it, if left out.
    preset : {"default", "published", "bold"}
        Fills what `swift` and `predictor` leave out.
    swift, predictor : mapping, optional
        As the sections of a study.
    fast : FastSettings, optional
        Of Fast-Hyperband.
    adaptive : AdaptiveSettings, optional
        Of adaptive Hyperband.
    sampling : {"random", "tpe", "bohb"}
        Who draws configurations: the order of brackets depends on it.

    Raises
    ------
    UserError
        If a setting does not hold.
    """
    if algorithm not in ALGORITHMS:
        found = f"{shown(algorithm)}{suggestion(algorithm, ALGORITHMS)}"
        raise UserError(f"{where}: must be {one_of(ALGORITHMS)}, found {found}")
    search = {
        "algorithm": ALGORITHMS[algorithm].study,
        "max_epochs": max_epochs,
        "eta": eta,
        "brackets": None if brackets is None else list(brackets),
        "trials": trials,
        "full": full,
        "sampling": sampling if ALGORITHMS[algorithm].family is Family.HYPERBAND else "random",
    }
    study = parse(
        {
            "name": "replay",
            "target": {"name": "curve-table", "metric": "loss", "mode": "min"},
            "space": {"row": {"type": "int", "low": 0, "high": 1}},
            "search": search,
            "swift": {"preset": preset, **(swift or {})},
            "predictor": dict(predictor or {}),
        },
        where,
    )
    name = study.predictor.name
    label = label or _label(algorithm, preset, name)
    return Recipe(label, algorithm, study.frozen(), fast or FastSettings(), adaptive or AdaptiveSettings())


def _label(algorithm: str, preset: str, predictor: str) -> str:
    name = ALGORITHMS[algorithm].label
    if not ALGORITHMS[algorithm].predicts:
        return name
    quantum = "Quantum-" if predictor == "qsvr" else ""
    special = [preset] if preset != "default" else []
    usual = PRESETS.get(preset, {}).get("predictor", {}).get("name", PredictorSettings().name)
    special += [predictor] if predictor not in (usual, "qsvr") else []
    return f"{quantum}{name}" + (f" ({', '.join(special)})" if special else "")
