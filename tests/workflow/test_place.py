"""Jobs find the results where the head found them, whatever the environment of a node says."""

from pathlib import Path

import pytest
from snakemake.cli import parse_config
from snakemake.settings.types import ConfigSettings

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.workflow import place


@pytest.mark.parametrize("scratch", ["/scratch/me", "007", 'it\'s a "disk"', "ä %20=x", "1e3/{x}", "true"])
def test_a_job_is_handed_the_folder_that_the_head_found(scratch, monkeypatch):
    monkeypatch.setenv("SCRATCH", scratch)
    settings, studies = ConfigSettings(config={"plan": "auto"}), ("one", "two-")
    found = {study: place.folder_of(study, f"$SCRATCH/{study}", {}) for study in studies}
    for study in studies:
        place.hand_on(settings, study, f"$SCRATCH/{study}", found[study])
    place.hand_on(settings, "plain", "results", StudyFolder.of("plain", "results"))
    monkeypatch.setenv("SCRATCH", "/of/a/node")
    config = parse_config(settings.config_args)
    assert len(config) == 3, "what was given, and the two"
    for study in studies:
        assert place.folder_of(study, f"$SCRATCH/{study}", config) == StudyFolder(Path(scratch) / study / study)
    assert place.folder_of("plain", "results", config) == StudyFolder(Path("results/plain"))


def test_without_a_head_the_environment_counts(monkeypatch):
    monkeypatch.delenv("SCRATCH", raising=False)
    with pytest.raises(UserError, match="found no SCRATCH in the environment"):
        place.folder_of("one", "$SCRATCH/x", {})
