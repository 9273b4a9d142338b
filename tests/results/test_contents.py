import json
import math

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.results.contents import Batch, Completion, Config, Entry, Sampler, known
from swift_hyperband.training.trial import Trained

LOSS, ACCURACY = Metric("loss", "min"), Metric("accuracy", "max")


@pytest.mark.parametrize(
    "content",
    [
        Config("a", 2, 0, {"lr": 0.1, "layers": 3, "kind": "sgd"}),
        Entry(["b", "a"], {"full": {"x": ["b"]}, "partial": {"y": ["a"]}}, {"full": 3, "partial": 1}),
        Entry(["a"], {"full": {"x": ["a"]}, "partial": {}}, {"full": 9, "partial": None}),
        Completion({"x": ["a", "b"]}, 9),
        Sampler("simulated-annealing", None),
        Sampler("dwave", "its answers are samples"),
    ],
    ids=lambda content: type(content).__name__,
)
def test_a_file_holds_what_was_written(tmp_path, content):
    content.write(tmp_path / "file.json")
    assert type(content).read(tmp_path / "file.json") == content


def test_a_batch_holds_values_as_the_target_reports_them_and_tells_losses(tmp_path):
    path = tmp_path / "batch.json"
    Batch(2, {"a": Trained("ok", [1, 0.5, 0.25]), "b": Trained("diverged", [0.5, math.nan])}).write(path)
    assert json.loads(path.read_text()) == {
        "epochs": 2,
        "trials": {"a": {"status": "ok", "values": [1, 0.5]}, "b": {"status": "diverged", "values": [0.5, None]}},
    }
    assert dict(Batch.read(path).curves(LOSS)) == {"a": [1.0, 0.5], "b": [0.5, math.inf]}
    assert dict(Batch.read(path).curves(ACCURACY)) == {"a": [-1.0, -0.5], "b": [-0.5, math.inf]}


def test_a_file_that_is_missing_or_damaged_is_made_again_and_a_folder_is_not(tmp_path):
    path = tmp_path / "entry.json"
    assert known(path, Entry.read) is None
    path.write_text('{"competitors": "a"}')
    assert known(path, Entry.read) is None
    with pytest.raises(UserError, match=r"entry.json: competitors must be a list, found \"a\""):
        Entry.read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match="must be a file, found a folder"):
        known(path, Entry.read)


def test_the_first_key_that_differs_from_the_configuration_drawn_is_named():
    drawn = Config("a", 1, 0, {"lr": 0.1})
    assert Config("a", 1, 0, {"lr": 0.2}).difference(drawn) == "configuration.lr 0.2 in the place of 0.1"
    assert Config("a", 1, 0, {}).difference(drawn) == "configuration.lr null in the place of 0.1"
    assert Config("a", 1, 4, {"lr": 0.1}).difference(drawn) == "slot 4 in the place of 0"
