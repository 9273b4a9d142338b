"""Epochs of an earlier search count only where this study would train the same ones."""

import shutil

import pytest

from swift_hyperband.earlier.agreement import disagreement
from swift_hyperband.results import provenance
from swift_hyperband.results.freeze import freeze
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import parse
from swift_hyperband.training.trial import write_rows

MODEL = """
class Model:
    def setup(self, configuration, context):
        self.spread({over})

    def train_epoch(self, epoch):
        pass

    def validate(self):
        return {{"loss": 1.0}}
"""


@pytest.fixture
def agree(tmp_path, monkeypatch):
    """Return why a study does not agree with an earlier one of 9 epochs, of which it has other keys."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(provenance.ALLOW, raising=False)

    def study(max_epochs=27, seed_per_trial=False, **target):
        raw = {
            "name": "study",
            "target": {"name": "model.py:Model", "metric": "loss", "mode": "min", **target},
            "space": {"rate": {"type": "float", "low": 0.1, "high": 1.0}},
            "search": {"max_epochs": max_epochs, "eta": 3, "seed_per_trial": seed_per_trial},
        }
        return parse({**raw, "target": {key: value for key, value in raw["target"].items() if value}}, "study.yaml")

    def agree(change=None, max_epochs=27, before=None, now=None):
        folder = StudyFolder(tmp_path / "results/small")
        shutil.rmtree(folder.path, ignore_errors=True)
        earlier = freeze(folder, study(9, **(before or {})))
        (folder.trial("a")).mkdir(parents=True)
        write_rows(folder.trial("a"), [{"epoch": 1, "loss": 1.0, "seconds": 1.0}])
        provenance.note(folder, earlier.definition()["target"])
        if change is not None:
            change()
        return disagreement(earlier, folder, study(max_epochs, **(before or {} if now is None else now)))

    return agree


def write(path, over="1"):
    (path / "model.py").write_text(MODEL.format(over=over))


def test_the_same_model_agrees(agree, tmp_path):
    write(tmp_path)
    assert agree() is None


def test_edited_code_does_not_unless_that_is_allowed(agree, tmp_path, monkeypatch):
    write(tmp_path)
    why = agree(change=lambda: write(tmp_path, over="2"))
    assert why == (
        "must be trained with the model's code as it is now, found that model.py was edited; undo it, leave it out of "
        "earlier, or go on with --allow-changed-code"
    )
    monkeypatch.setenv(provenance.ALLOW, "1")
    (tmp_path / "results/small/study.json").unlink()
    (tmp_path / "results/small/trials/a/curve.jsonl").unlink()
    (tmp_path / "results/small/trials/a").rmdir()
    assert agree() is None


READING = [
    "context.max_epochs",
    'getattr(context, "max_epochs")',
    "getattr(context, self.name)",
    "vars(context)",
    "dataclasses.asdict(self._context)",
    "**context.__dict__",
]


@pytest.mark.parametrize("over", READING)
def test_a_schedule_over_the_last_epoch_does_not_where_that_is_another(agree, tmp_path, over):
    write(tmp_path, over=over)
    why = agree()
    assert why.startswith(
        "must have epochs that do not depend on the last one, but its max_epochs is 9, here it is 27, and model.py:4 "
        "reads max_epochs; give the length of such a schedule as an option of the target, the same in both"
    )


def test_so_does_a_pattern_and_a_context_by_another_name(agree, tmp_path):
    """Attributes of other objects do not matter."""
    write(tmp_path, over="vars(self), self.__dict__, vars(configuration)")
    assert agree() is None
    model = MODEL.format(over="1").replace("configuration, context", "configuration, what_")
    for line in (
        "vars(what_)",
        "match what_:\n            case Context(max_epochs=last):\n                self.of = last",
    ):
        (tmp_path / "model.py").write_text(model.replace("self.spread(1)", line))
        assert "model.py:" in agree(change=None)


def test_it_agrees_where_the_last_epoch_is_the_same(agree, tmp_path):
    write(tmp_path, over="context.max_epochs")
    assert agree(max_epochs=9) is None


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ({"name": None, "command": "true --of {max_epochs} --rate {rate}"}, "target.command names {max_epochs}"),
        ({"name": None, "command": "sh train.sh {rate}"}, "train.sh reads SWIFT_MAX_EPOCHS"),
        ({"name": None, "command": "sh -c 'run --of $SWIFT_MAX_EPOCHS'"}, "target.command names SWIFT_MAX_EPOCHS"),
        ({"name": None, "command": ["sh", "-c", "run $SWIFT_MAX_EPOCHS"]}, "target.command names SWIFT_MAX_EPOCHS"),
        ({"name": "svhn-cnn"}, "svhn-cnn spreads its learning rate over it (option epochs of the target)"),
        ({"name": "svhn-cnn", "options": {"epochs": 27}}, None),
        ({"name": "cifar10-cnn"}, None),
        ({"name": None, "command": "sh plain.sh {rate}"}, None),
    ],
)
def test_so_it_is_for_programs_and_built_in_models(agree, tmp_path, target, why):
    (tmp_path / "train.sh").write_text("echo $SWIFT_MAX_EPOCHS\n")
    (tmp_path / "plain.sh").write_text("echo $SWIFT_TO\n")
    if target["name"] is None:
        writes = {"format": "csv", "path": "{folder}/metrics.csv"}
        target = target | {"metrics": writes}
    found = agree(before=target)
    assert found is None if why is None else f"and {why}; give the length" in found


def test_another_option_does_not_agree_and_piece_does_not_matter(agree, tmp_path):
    write(tmp_path)
    program = {"name": None, "command": "true {rate}", "metrics": {"format": "csv", "path": "{folder}/metrics.csv"}}
    assert agree(before=program, now={**program, "piece": 3}) is None


def test_trials_with_seeds_of_their_own_do_not_agree_with_those_that_share_the_studys(agree, tmp_path):
    write(tmp_path)
    assert agree(now={"seed_per_trial": True}) == (
        "must train with the seeds that this study trains with, found that search.seed_per_trial is false there, true "
        "here; leave it out of earlier, or set it alike"
    )
    assert agree(before={"seed_per_trial": True}) is None
