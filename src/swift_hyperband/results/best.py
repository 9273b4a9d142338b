"""best.yaml, the result of a search: reading and writing it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AWAY, mismatch, read_text, write_text
from swift_hyperband.results.contents import Config
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.study.yaml_loader import to_yaml
from swift_hyperband.training import kept_states
from swift_hyperband.training.trial import read_rows


@dataclass(frozen=True)
class Best:
    """best.yaml: the winner of a search. Nothing in it depends on when or where the search ran.

    Attributes
    ----------
    study, metric : str
        Their names.
    value : float
        The winner's metric at the epoch that counts.
    configuration : dict
    trial : str
    bracket : int or None
        None in a file without it, which is not as it was written.
    epochs : int
        The epoch of value and state: the last one, or the best one (`target.metric_at`).
    state : str or None
        Where the winner's state lies, if it has one.
    """

    study: str
    metric: str
    value: float
    configuration: Mapping[str, Any]
    trial: str
    bracket: int | None
    epochs: int
    state: str | None

    @classmethod
    def of(cls, folder: StudyFolder, study: FrozenStudy, trial: str, bracket: int, loss: float) -> Self:
        """Return what the file holds if a trial wins with a finite loss."""
        assert math.isfinite(loss)
        metric, place = study.metric, folder.trial(trial)
        model = kept_states.model(place, metric)
        return cls(
            study.name,
            metric.name,
            metric.value(loss),
            Config.read(folder.config(trial)).configuration,
            trial,
            bracket,
            metric.epoch([row[metric.name] for row in read_rows(place)[: study.max_epochs]]),
            None if model is None else str(model),
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises
        ------
        UserError
            If it is missing, damaged or holds something else.
        """
        advice = "delete the file and start the search again, which writes it anew"
        try:
            content = yaml.safe_load(read_text(path))
        except FileNotFoundError:
            raise UserError(f"{path}: this file is missing; start the search again") from None
        except IsADirectoryError:
            raise UserError(f"{path}: must be a file, found a folder; {AWAY}") from None
        except (yaml.YAMLError, ValueError, RecursionError):
            raise UserError(f"{path}: must be YAML, found something else; {advice}") from None
        needed = {"study": str, "metric": str, "value": float, "configuration": dict, "trial": str, "epochs": int}
        if (wrong := mismatch(content, needed)) is not None:
            raise UserError(f"{path}: {wrong}; {advice}")
        kept = {name: content[name] for name in needed}
        return cls(**kept, bracket=content.get("bracket"), state=content.get("state"))

    def write(self, path: Path) -> None:
        write_text(path, to_yaml(asdict(self)))
