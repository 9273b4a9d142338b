"""Drawing a bracket's configurations from the curves of the brackets before, for the workflow and the plain driver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from swift_hyperband.results.contents import Config
from swift_hyperband.results.drawn import DrawnBracket
from swift_hyperband.results.imported import teachers
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Curve, sampling
from swift_hyperband.search.sampling import Place
from swift_hyperband.search.schedule import Schedule
from swift_hyperband.space.draw import trial_id
from swift_hyperband.study.frozen import FrozenStudy


def draw(
    folder: StudyFolder,
    study: FrozenStudy,
    bracket: int,
    curves: Mapping[str, Curve],
    sources: Iterable[Path] | None = None,
) -> None:
    """Write draw.json and the configurations of a bracket's trials.

    Parameters
    ----------
    folder : StudyFolder
    study : FrozenStudy
    bracket : int
        One that a model draws.
    curves : mapping of str to Curve
        Losses of all trials of the brackets before.
    sources : iterable of Path, optional
        The files that hold these curves; None for a draw from memory.

    Raises
    ------
    UserError
        If a trial was trained with another configuration.
    """
    schedule = study.schedule()
    before = (trial for other in schedule.drawn_after(bracket) for trial in places(schedule, study.seed, other))
    known = {trial: Config.read(folder.config(trial)).configuration for trial in before}
    here, imported = places(schedule, study.seed, bracket), teachers(folder, study)
    known |= {name: one.configuration for name, one in imported.items()}
    curves = {**curves, **{name: one.curve for name, one in imported.items()}}
    drawn = sampling.draw(study.space(), study.sampling, study.seed, here, known, curves)
    found = DrawnBracket.of(drawn, here)
    found.write_configs(folder, bracket)
    found.write(folder.draw(schedule.brackets[bracket][0]), sources)


def places(schedule: Schedule, seed: int, bracket: int) -> dict[str, Place]:
    """Return the trials of a bracket with their places, in the order of the slots."""
    slots = range(schedule.brackets[bracket][0].trials)
    return {trial_id(seed, bracket, slot): Place(bracket, slot) for slot in slots}
