"""Freezing a study in study.json and settings.json, and comparing a study file with what was frozen."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband import __version__
from swift_hyperband.base.errors import Problem, UserError
from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.results import imported, places
from swift_hyperband.results.contents import known
from swift_hyperband.results.decided import Fit
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.frozen import BEFORE, FrozenStudy, completed, differences
from swift_hyperband.training.trial import something_is_trained

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study


_STUDY = {"definition": {"name": str, "target": dict, "search": dict, "swift": dict, "predictor": dict}}
_SETTINGS = {"resources": dict, "retries": int, "save_every": int, "keep_states": bool, "fallback": str, "budget": dict}

KEEP_STUDY = "delete the file if the study file is the one that the search was started with, and start it again"


RUN_WITH_STUDY = "start the search with its study file, which writes it anew"


def check_frozen(folder: StudyFolder, study: Study) -> Study:
    """Refuse a study whose definition differs from the one frozen under its name.

    `predictor.sampler` may differ until a sampler has answered, its `timeout` always, as it says how long an answer is
    waited for; and `target` until a trial has an epoch behind it.

    Returns
    -------
    Study
        The same, as `as_begun` returns it.

    Raises
    ------
    UserError
        One line that says what differs and what to do.
    """
    places.check(folder, study.name)
    if not folder.study.exists():
        return study
    study = as_begun(folder, study)
    if kept := [f"{key} {how}" for key, how in _changes(folder, study) if _still_free(folder, key) is None]:
        raise UserError(
            f"{folder.path}: a study keeps its definition, but {'; '.join(kept)}. "
            f"Give the changed study a name of its own, or delete {folder.path} to start again"
        )
    return study


def as_begun(folder: StudyFolder, study: Study) -> Study:
    """Return a study as its search goes on, where defaults have changed since it was frozen.

    Keys that the frozen definition lacks have the values of BEFORE. If another version froze it, keys that the study
    file leaves at their defaults have the frozen values.
    """
    stored = known(folder.study, _read_study)
    return study if stored is None else _before(study, stored["definition"], stored.get("product") == __version__)


def _before(study: Study, stored: Mapping[str, Any], same_version: bool) -> Study:
    """Return a study with the values that keys had when it was frozen, where it has their defaults now.

    A key that the study file sets to another value than the default keeps it, and is refused as a change.
    """
    for section in BEFORE:
        now, kept = getattr(study, section), stored.get(section, {})
        own = type(now)()
        frozen = {name: value for name, value in completed(stored)[section].items() if not isinstance(value, dict)}
        late = {
            name: value
            for name, value in frozen.items()
            if getattr(now, name) == getattr(own, name) and not (same_version and name in kept)
        }
        study = study.model_copy(update={section: replace(now, **late)})
    return study


def _changes(folder: StudyFolder, study: Study) -> list[Problem]:
    """Return how a study differs from the one frozen under its name, by key."""
    # parsing fills keys that came after the study was frozen and decide nothing
    return differences(_parse(folder, frozen_definition(folder)).definition(), study.definition())


def _parse(folder: StudyFolder, frozen: Mapping[str, Any], here: bool = False) -> Study:
    # pydantic, which jobs do not import
    from swift_hyperband.study.model import parse

    return parse(frozen, str(folder.study), here)


def _still_free(folder: StudyFolder, key: str) -> str | None:
    """Return why a key may still change: no result depends on it; None if one does."""
    if key == "predictor.sampler.timeout":
        return "it changes no answer"
    if key.startswith("predictor.sampler.") and not answered(folder):
        return "the sampler has not answered yet"
    if key.startswith("target.") and not something_is_trained(folder.path):
        return "nothing is trained yet"
    return None


def answered(folder: StudyFolder) -> bool:
    """Whether the sampler of a search has answered: from then on results depend on its settings."""
    if any(folder.path.glob("annealer/**/answer.json")):
        return True
    fitted = folder.path.glob("bracket=*/round=*/predictor.json")
    return any(Fit.read(path).predictor is not None for path in fitted)


def version(folder: StudyFolder) -> str:
    """Return the part of an annealer problem's name that differs between studies of one name.

    It stays when the study changes after the sampler has answered, so that the answers count.
    """
    stored = _read_study(folder.study)
    told = stored.get("version")
    text = json.dumps(stored["definition"], sort_keys=True)
    return told if isinstance(told, str) else hashlib.sha256(text.encode()).hexdigest()[:8]


def freeze(folder: StudyFolder, study: Study) -> Study:
    """Freeze a study's definition, or check that it is the frozen one, as `check_frozen` does; note the settings."""
    study = check_frozen(folder, study)
    places.warn(folder)
    imported.keep(folder, study.search.imported)
    changed = _changes(folder, study) if folder.study.exists() else []
    if known(folder.settings, read_json) != study.settings():
        write_json(folder.settings, study.settings())
    # the version that froze it first, by which its defaults are known
    product = _read_study(folder.study).get("product") if folder.study.exists() else __version__
    content: dict[str, Any] = {"definition": study.definition()} | ({} if product is None else {"product": product})
    for why, some in groupby(changed, key=lambda change: _still_free(folder, change[0])):
        logger.info(f"{'; '.join(f'{key} {how}' for key, how in some)}: taken over, as {why}")
    if changed and answered(folder):
        content["version"] = version(folder)
    if changed or not folder.study.exists():
        write_json(folder.study, content)
    places.note(folder)
    return study


def frozen_definition(folder: StudyFolder) -> dict[str, Any]:
    """Return a study's definition as it was frozen, with the keys that came later."""
    return completed(_read_study(folder.study)["definition"])


def _read_study(path: Path) -> dict[str, Any]:
    return dict(read_json(path, _STUDY, KEEP_STUDY))


def load_frozen(folder: StudyFolder) -> FrozenStudy:
    """Return the frozen study with the settings of the last start.

    Raises
    ------
    UserError
        If no search was started in this folder.
    """
    if not folder.study.exists():
        raise UserError(f"{folder.path}: must hold a started search, found no {folder.study.name}")
    definition = frozen_definition(folder)
    return FrozenStudy(definition, read_json(folder.settings, _SETTINGS, RUN_WITH_STUDY))


def load_study(folder: StudyFolder, here: bool = False) -> Study:
    """Return the frozen study, validated, as the model of the study file.

    `here` says whether its target must be found from the working directory; results are read anywhere.
    """
    frozen = load_frozen(folder)
    return _parse(folder, {**frozen.definition, **frozen.settings}, here)
