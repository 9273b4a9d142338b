"""Notes of `swift-hyperband plan` on searches that can save little."""

import pytest
import yaml

from swift_hyperband.cli import main


@pytest.mark.parametrize(
    ("max_epochs", "swift", "told"),
    [
        # no round of the first bracket decides, and the others are too short
        (9, {}, "saves at best 0.0% of Hyperband's epochs; set a larger search.max_epochs"),
        # a reference trial alone teaches nobody
        (27, {"share_curves": False}, "0.0% of Hyperband's epochs; set swift.share_curves: true or a larger search"),
        (9, {"d": 6}, "saves at best 0.0% of Hyperband's epochs; set a swift.d below 6"),
        # no predictor learns from fewer than five curves
        (9, {"d": 5}, "saves at best 0.0% of Hyperband's epochs; set a larger search.max_epochs"),
        (27, {"preset": "published"}, "1.7% of Hyperband's epochs; set swift.preset: default or a swift.d below 15"),
    ],
)
def test_a_search_that_can_save_little_says_what_would_save_more(max_epochs, swift, told, tmp_path, capsys):
    study = {
        "name": "small",
        "target": {"name": "digits-cnn", "metric": "accuracy", "mode": "max"},
        "space": {"learning_rate": {"type": "float", "low": 0.001, "high": 1.0, "log": True}},
        "search": {"algorithm": "swift-hyperband", "max_epochs": max_epochs, "eta": 3},
        "swift": swift,
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    assert main(["plan", str(tmp_path / "study.yaml")]) == 0
    assert told in " ".join(capsys.readouterr().out.split())


def test_a_search_that_saves_enough_has_no_note(tmp_path, capsys):
    (tmp_path / "study.yaml").write_text(
        "name: small\ntarget: {name: digits-cnn, metric: accuracy, mode: max}\n"
        "space: {lr: {type: float, low: 0.001, high: 1.0}}\nsearch: {max_epochs: 27}\n"
    )
    assert main(["plan", str(tmp_path / "study.yaml")]) == 0
    assert "note:" not in capsys.readouterr().out
