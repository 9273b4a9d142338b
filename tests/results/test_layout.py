from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.layout import StudyFolder, locate
from swift_hyperband.search.schedule import hyperband

ROUND = hyperband(9, 3).by_key[2, 1]
FOLDER = StudyFolder.of("small")


def test_the_round_of_a_file_is_found_by_its_path():
    for path in (FOLDER.entry(ROUND), FOLDER.decision(ROUND), FOLDER.promotion(ROUND)):
        assert locate(path) == (FOLDER, (2, 1))
    assert locate(FOLDER.manifest(ROUND, "full", "x").parent) == (FOLDER, (2, 1))
    with pytest.raises(UserError, match=r"best.yaml: must lie in results/<study>/bracket=<s>/round=<i>/"):
        locate(FOLDER.best)


def test_a_study_lies_below_results_and_its_trials_below_it():
    assert FOLDER.path == Path("results/small")
    assert FOLDER.config("a") == Path("results/small/trials/a/config.json")


def test_each_log_of_a_round_belongs_to_the_file_that_its_job_writes(tmp_path):
    folder = StudyFolder(tmp_path)
    logs = folder.round(ROUND) / "logs"
    logs.mkdir(parents=True)
    for name in ("full-x", "fit", "decide", "threshold", "promote"):
        (logs / f"{name}.log").touch()
    assert {log.stem: path for log, path in folder.logs(ROUND)} == {
        "full-x": folder.manifest(ROUND, "full", "x"),
        "fit": folder.predictor(ROUND),
        "decide": folder.decision(ROUND),
        "threshold": folder.threshold(ROUND),
        "promote": folder.promotion(ROUND),
    }
