"""The trained model comes back as it was trained, by one call."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.training import kept_states
from swift_hyperband.training.load import load

if TYPE_CHECKING:
    from conftest import Study


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let states be of JSON, as in a process that has not imported torch."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)


pytestmark = pytest.mark.usefixtures("without_torch")


def frozen(study: Study) -> StudyFolder:
    """Return the study's folder with its frozen definition."""
    keys = asdict(study.settings)
    command = keys["options"].pop("command", None)
    target = {
        **{name: keys[name] for name in ("options", "metric", "threads", "mode", "metric_at")},
        **({"name": keys["target"]} if command is None else {"name": None, **command}),
    }
    definition = {"target": target, "search": {"seed": keys["seed"], "max_epochs": 9}}
    study.folder.mkdir(exist_ok=True)
    (study.folder / "study.json").write_text(json.dumps({"definition": definition}))
    return StudyFolder(study.folder)


def test_the_model_has_the_state_of_the_last_epoch(study: Study) -> None:
    place = study.add("a")
    reached = study.train_here("a", 3).values
    before = sorted(path.name for path in place.iterdir())
    found = load(frozen(study), "a")
    assert found.validate() == {"accuracy": reached[-1]}
    assert sorted(path.name for path in place.iterdir()) == before, "nothing is written"
    # and it goes on as the search would
    assert found.configuration == {}


def test_the_model_has_the_state_of_the_best_epoch_where_that_counts(study: Study) -> None:
    study = study.of("Overfitting", metric="loss", mode="min", metric_at="best")
    place = study.add("a", losses=[3.0, 1.0, 2.0, 4.0])
    study.train_here("a", 4)
    saved = json.loads((place / kept_states.BEST["state.json"]).read_text())
    assert len(saved["curve"]) == 2
    last = json.loads((place / "state.json").read_text())
    assert load(frozen(study), "a").total == saved["parts"]["target"]["total"] != last["parts"]["target"]["total"]


def refusal(study: Study, trial: str = "a") -> str:
    with pytest.raises(UserError) as refused:
        load(frozen(study), trial)
    return str(refused.value)


def test_what_cannot_be_loaded_is_told_in_a_line(study: Study) -> None:
    place = study.add("a")
    assert f"must have a saved state, found none in {place}; a search deletes the states" in refusal(study)
    assert "trials/b: must be the folder of a trial, found no config.json" in refusal(study, "b")
    study.train_here("a", 2)
    assert "must have a state to resume from" in refusal(study.of("Forgetful"))
    line = "in load_state_dict: ValueError: other code; was its code changed?"
    assert (found := refusal(study.of("Renamed"))).endswith(line)
    assert found.startswith("trial a: its target must load the state, found ")
    text = (place / "state.json").read_text()
    (place / "state.json").write_text(text.replace('"total"', '"totil"'))
    assert f"{place / 'state.json'}: must be the state of trial a as it was saved, found that" in refusal(study)
    shutil.rmtree(study.folder)
    with pytest.raises(UserError, match=r"must hold a started search, found no study\.json"):
        load(StudyFolder(study.folder), "a")


def test_of_a_program_the_folder_of_its_state_is_told(study: Study) -> None:
    script = "import pathlib, sys; pathlib.Path(sys.argv[1], 'weights').write_text('1'); print('loss: 1')"
    keys: dict[str, Any] = dict.fromkeys(("first_command", "piece"))
    keys |= {"command": [sys.executable, "-c", script, "{state_out}"], "resumable": True}
    keys |= {"metric": "loss", "metrics": {"format": "regex", "pattern": r"loss: (?P<loss>\S+)"}}
    study = study.with_(
        target="swift_hyperband.targets.program.target:CommandTarget", options={"command": keys}, metric="loss"
    )
    place = study.add("a")
    study.train_here("a", 1)
    line = f"its state is read by its program (target.command) alone; it lies in {place / 'state.1'}"
    assert line in refusal(study)
    assert (place / "state.1/weights").exists()
