"""draw.json: the configurations of a bracket's trials, drawn from the curves of the brackets before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json
from swift_hyperband.results.contents import Config, known
from swift_hyperband.results.decided import INPUTS, Inputs, write_decision
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search.sampling import Drawn, Place
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.training.trial import read_rows


@dataclass(frozen=True)
class DrawnTrial:
    """A trial's slot and configuration, and whether the model drew it, not the seed alone."""

    slot: int
    configuration: Mapping[str, Scalar]
    by_model: bool


@dataclass(frozen=True)
class DrawnBracket:
    """The content of draw.json.

    Attributes
    ----------
    trials : mapping of str to DrawnTrial
        By trial id, in the order of their slots.
    inputs : Inputs
    """

    trials: Mapping[str, DrawnTrial]
    inputs: Inputs = field(default_factory=dict)

    @classmethod
    def of(cls, drawn: Mapping[str, Drawn], places: Mapping[str, Place]) -> Self:
        """Return what the file holds."""
        return cls(
            {
                trial: DrawnTrial(places[trial].slot, found.configuration, found.by_model)
                for trial, found in drawn.items()
            }
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        trial = {"slot": int, "configuration": dict, "by_model": bool}
        stored = read_json(path, {"trials": {str: trial}, **INPUTS})
        return cls({name: DrawnTrial(**found) for name, found in stored["trials"].items()}, stored["inputs"])

    def write(self, path: Path, sources: Iterable[Path] | None = None) -> None:
        write_decision(path, {"trials": {name: asdict(found) for name, found in self.trials.items()}}, sources)

    def write_configs(self, folder: StudyFolder, bracket: int) -> None:
        """Write the configuration of each trial.

        Raises
        ------
        UserError
            If a trial was trained with another one.
        """
        for name, found in self.trials.items():
            path, config = folder.config(name), Config(name, bracket, found.slot, found.configuration)
            if (stored := known(path, Config.read)) == config:
                continue
            if stored is not None and read_rows(folder.trial(name)):
                raise UserError(
                    f"{path}: must hold the trial that the model draws, found {stored.difference(config)}; delete the "
                    "folders of the bracket's trials and start the search again"
                )
            config.write(path)
