"""The place of results in jobs: as the head found it, whatever the environment of a node says.

A job of Snakemake's reads the study file again. Where `results` names a variable, or ~, the head hands the folder on as
a key of Snakemake's config, which goes to all jobs; one for each study, as a workflow may have several as modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from swift_hyperband.results.layout import StudyFolder, is_of_environment

PREFIX = "results_of_search_"
"""How the keys begin."""
_TEXT = "at:"
"""How their values begin: Snakemake would take the folder 007 for the number 7."""


def folder_of(study: str, results: str, config: Mapping[str, Any]) -> StudyFolder:
    """Return the folder of a study, given its key `results` and what Snakemake was given as config.

    Raises
    ------
    UserError
        If the head did not hand it on, and it cannot be found here.
    """
    given = config.get(_key(study))
    if not isinstance(given, str) or not is_of_environment(results):
        return StudyFolder.of(study, results)
    return StudyFolder(Path(unquote(given.removeprefix(_TEXT))) / study)


def hand_on(settings: Any, study: str, results: str, folder: StudyFolder) -> None:
    """Let the jobs that Snakemake will start find the folder of a study where it is here.

    Parameters
    ----------
    settings : ConfigSettings
        Of Snakemake's; its arguments for jobs are changed.
    study : str
    results : str
        The study's key.
    folder : StudyFolder
    """
    if is_of_environment(results):
        # what no shell, and no template of a scheduler's, changes
        place = quote(str(folder.path.parent), safe="/")
        settings.config_args = [*(settings.config_args or ()), f"{_key(study)}={_TEXT}{place}"]


def _key(study: str) -> str:
    # Snakemake's keys end with no -
    return f"{PREFIX}{study}_"
