"""Each study of examples/tables, whose recording takes minutes, is valid and trains as it stands."""

from pathlib import Path

import pytest

from swift_hyperband.base.files import write_json
from swift_hyperband.study.model import load
from swift_hyperband.targets import load_class
from swift_hyperband.training import segment, trial
from swift_hyperband.training.settings import TrainingSettings

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "examples/tables").glob("*.yaml"))


def losses(folder, study, *ends):
    """Return the losses of a trial of the study that is trained to each of these epochs in turn."""
    settings = TrainingSettings.from_study_json(study.definition(), retries=0)
    name, (_, configuration) = next(iter(study.trials(0).items()))
    (folder / name).mkdir(parents=True)
    write_json(folder / name / trial.CONFIG, {"configuration": configuration})
    for end in ends:
        segment.train(folder / name, settings, load_class(settings.target), end)
    return trial.state_of(folder / name, settings.metric).values


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_trains_and_resumes_bit_for_bit(path, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    study = load(path)
    found = losses(tmp_path / "once", study, 2)
    assert found == losses(tmp_path / "twice", study, 1, 2)
    assert found[0] != found[1]


def test_the_command_records_every_study():
    command = (ROOT / "benchmarks/record_tables.sh").read_text()
    assert len(STUDIES) >= 6
    assert all(f" {path.stem}:" in command for path in STUDIES)
