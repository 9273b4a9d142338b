"""A plan in Python has the numbers of the command `plan`."""

import json
from pathlib import Path

import pytest

from swift_hyperband import Study, UserError
from swift_hyperband.cli import main

KEYS = {
    "name": "planned",
    "target": {"name": "digits-cnn", "metric": "accuracy", "mode": "max"},
    "space": {"dropout": {"type": "float", "low": 0.0, "high": 0.5}},
    "search": {"max_epochs": 27, "eta": 3, "seed": 1},
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def printed(capsys, *words, **keys):
    Path("study.yaml").write_text(json.dumps(KEYS | keys))
    assert main(["plan", "study.yaml", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_numbers_are_those_of_the_command(capsys):
    expected = printed(capsys)
    plan = Study.from_dict(KEYS).plan()
    assert plan.configurations == expected["configurations"]
    assert plan.epochs_hyperband == expected["epochs"]["hyperband"]
    assert (plan.epochs_least, plan.epochs_most) == (expected["epochs"]["best"], expected["epochs"]["worst"])
    assert (plan.jobs_least, plan.jobs_most) == (expected["jobs"]["best"], expected["jobs"]["worst"])
    found = [
        [
            {
                "trials": one.trials,
                "epochs": one.end,
                "full": one.full,
                "partial": one.partial,
                "decision_epoch": one.decision_epoch,
            }
            for one in rounds
        ]
        for rounds in plan.brackets.values()
    ]
    assert found == expected["brackets"]
    assert (plan.seconds_least, plan.seconds_most) == (None, None), "nobody knows how long an epoch takes"


def test_time_needs_the_seconds_of_an_epoch_and_falls_with_workers():
    study = Study.from_dict(KEYS)
    one, four = study.plan(workers=1, seconds_per_epoch=10), study.plan(workers=4, seconds_per_epoch=10)
    assert (one.seconds_least, one.seconds_most) == (10 * one.epochs_least, 10 * one.epochs_most)
    assert four.seconds_most < one.seconds_most / 2
    assert "with 4 workers: " in str(four)
    assert Study.from_dict(KEYS | {"resources": {"seconds_per_epoch": 10, "workers": 4}}).plan() == four
    with pytest.raises(UserError, match="seconds_per_epoch must be above 0, found -1"):
        study.plan(seconds_per_epoch=-1)


def test_a_search_without_rounds_has_a_bound_or_none(capsys):
    keys = {"search": {**KEYS["search"], "algorithm": "fast-hyperband"}}
    expected, plan = printed(capsys, **keys), Study.from_dict(KEYS | keys).plan(seconds_per_epoch=10)
    assert (plan.epochs_least, plan.epochs_most) == (None, expected["epochs"]["worst"])
    assert (plan.jobs_most, plan.seconds_most) == (None, None)
    assert f"at most {plan.epochs_most}" in str(plan)
    asha = Study.from_dict(KEYS | {"search": {**KEYS["search"], "algorithm": "asha"}}).plan()
    assert asha.epochs_most is None
    assert "epochs: no bound" in str(asha)


def test_a_plan_prints_well_and_shows_well_in_notebooks():
    plan = Study.from_dict(KEYS).plan(seconds_per_epoch=10)
    text, html = str(plan), plan._repr_html_()
    assert text.splitlines()[0] == "planned: swift-hyperband, max_epochs 27, eta 3"
    assert "bracket 3: 27 trials to epoch 1, 9 to 3, 3 to 9, 1 to 27" in text
    assert f"epochs: {plan.epochs_least} to {plan.epochs_most} (Hyperband: {plan.epochs_hyperband})" in text
    assert html.count("<tr>") == 1 + sum(map(len, plan.brackets.values())) + 1 + 1 + 3
    assert f"after them: up to {plan.thaw.trials} trials left behind go on to epoch 27 (thaw)" in text
    assert f"up to {plan.thaw.trials}" in html
    assert f"{plan.epochs_least} to {plan.epochs_most}" in html
