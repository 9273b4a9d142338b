"""The targets that classify images: what they read, that they learn, and that they go on bit for bit."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat
from sklearn.datasets import load_digits

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import write_json
from swift_hyperband.targets import Context, load_class
from swift_hyperband.targets.models import images
from swift_hyperband.training import segment
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import read_rows

SMALL = {"train_size": 400, "validation_size": 190, "test_size": 100, "pool": 2, "width": 0.25}
CONFIGURATIONS = {
    "cifar10-cnn6": {"lr": 0.1, "dropout": 0.1, "weight_decay": 1e-5},
    "cifar10-cnn": {"num_layers": 2, "num_filters": 64, "batch_size": 16, "lr": 0.02, "momentum": 0.8},
    "svhn-cnn": {"lr": 0.03, "dense_l2": 0.005, "lr_steps": 2, "lrn_scale": 1e-4, "lrn_power": 0.5},
}
MORE = {"svhn-cnn": {"epochs": 9}}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Scikit-learn's digits, enlarged to 32 x 32 in three colours, as files of CIFAR-10 and SVHN."""
    found, (grey, labels) = tmp_path_factory.mktemp("data"), load_digits(return_X_y=True)
    pixels = (grey.reshape(-1, 8, 8) * 15).astype(np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    pixels = np.repeat(pixels[:, None], 3, axis=1)
    for number in range(6):
        name = "test_batch" if number == 5 else f"data_batch_{number + 1}"
        rows = slice(number * 299, (number + 1) * 299)
        content = {b"data": pixels[rows].reshape(-1, 3072), b"labels": labels[rows].tolist()}
        (found / name).write_bytes(pickle.dumps(content, 2))
    for name, rows in (("train_32x32.mat", slice(0, 1500)), ("test_32x32.mat", slice(1500, None))):
        named = np.where(labels == 0, 10, labels)[rows]
        savemat(found / name, {"X": pixels[rows].transpose(2, 3, 1, 0), "y": named[:, None]})
    return found


def settings(name, data, **options):
    given = {"data": str(data), **SMALL, **MORE.get(name, {}), **options}
    return TrainingSettings(target=name, options=given, metric="accuracy", threads=1, seed=1, retries=0)


def trained(name, data, folder, epochs, configuration=None, **options):
    """Train a trial up to each of some epochs, each time with a new object; return its rows."""
    (folder / "a").mkdir(parents=True, exist_ok=True)
    write_json(folder / "a/config.json", {"configuration": configuration or CONFIGURATIONS[name]})
    for end in epochs:
        segment.train(folder / "a", settings(name, data, **options), load_class(name), end)
    return read_rows(folder / "a")


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_it_learns_and_goes_on_bit_for_bit(name, data, tmp_path):
    pieces = trained(name, data, tmp_path / "pieces", [1, 3, 9])
    whole = trained(name, data, tmp_path / "whole", [9])
    assert [{**row, "seconds": 0} for row in pieces] == [{**row, "seconds": 0} for row in whole]
    state = [torch.load(tmp_path / which / "a/state.pt", weights_only=True)["parts"] for which in ("pieces", "whole")]
    for key, value in state[0]["model"].items():
        assert torch.equal(value, state[1]["model"][key])
    assert whole[-1]["accuracy"] > 0.3, "chance is .1"
    assert set(whole[0]) == {"epoch", "accuracy", "loss", "test_accuracy", "train_loss", "seconds"}


def test_the_learning_rate_falls_as_often_as_the_configuration_says(data, tmp_path):
    trained("svhn-cnn", data, tmp_path, [7])
    state = torch.load(tmp_path / "a/state.pt", weights_only=True)["parts"]
    assert state["optimizer"]["param_groups"][0]["lr"] == pytest.approx(0.0003)
    assert state["scheduler"]["last_epoch"] == 7


def test_the_learning_rate_is_spread_over_the_whole_search_in_every_round(data):
    target = load_class("svhn-cnn")()
    options = {"data": str(data), **SMALL}
    # a first round of three epochs, of a study that trains to twelve
    target.setup({"lr_steps": 3}, Context("a", 0, 1, options, Path(), until=3, max_epochs=12))
    assert sorted(target.scheduler.milestones) == [3, 6, 9]


def test_every_layer_has_its_own_decay(data):
    target = load_class("svhn-cnn")()
    values = {"conv1_l2": 0.1, "conv2_l2": 0.2, "conv3_l2": 0.3, "dense_l2": 0.4, "weight_decay": 0.5}
    options = {"data": str(data), **SMALL, "epochs": 9}
    target.setup(values, Context("a", 0, 1, options, Path()))
    assert [group["weight_decay"] for group in target.optimizer.param_groups] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert [len(group["params"]) for group in target.optimizer.param_groups] == [1, 1, 1, 1, 4]


def test_training_validation_and_test_images_never_meet(data):
    training, validation, test = images._parts("cifar10", data, images.Sizes(390, 200, 290, 1))
    assert [len(part.classes) for part in (training, validation, test)] == [390, 200, 290]
    assert not {tuple(image.flatten().tolist()) for image in training.images} & {
        tuple(image.flatten().tolist()) for part in (validation, test) for image in part.images
    }


def test_shifted_images_are_moved_by_a_tenth_at_most_and_half_are_mirrored():
    torch.manual_seed(0)
    dot = torch.zeros(200, 1, 20, 20)
    dot[:, :, 10, 4] = 1.0
    found = images.shifted(dot, flips=True)
    assert found.sum((1, 2, 3)).tolist() == [1.0] * 200
    places = found.flatten(1).argmax(1)
    rows, columns = places // 20, places % 20
    assert {int(row) for row in rows} == {8, 9, 10, 11, 12}
    left = columns < 10
    assert 70 < left.sum() < 130
    assert {int(column) for column in columns[left]} == {2, 3, 4, 5, 6}
    assert {int(column) for column in images.shifted(dot, flips=False).flatten(1).argmax(1) % 20} == {2, 3, 4, 5, 6}


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_less_precision_learns_too(data, tmp_path, precision):
    if precision == "float16" and not torch.cuda.is_available():
        pytest.skip("float16 is for GPUs, and there is none")
    rows = trained("cifar10-cnn6", data, tmp_path, [3, 6], precision=precision)
    assert rows[-1]["accuracy"] > 0.3


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({"train_size": 0}, "target.options.train_size must be a whole number of at least 1, found 0"),
        ({"train_size": 5000}, "train_size and validation_size must be 598 in all at most"),
        ({"precision": "half"}, "target.options.precision must be float32, bfloat16 or float16, found 'half'"),
        ({"augment": "no"}, "target.options.augment must be true or false, found 'no'"),
        ({"widht": 2}, "must not be given widht"),
        ({"data": "nowhere"}, "must be the folder with the data, found no folder nowhere"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(data, tmp_path, options, needed):
    target = load_class("cifar10-cnn6")()
    context = Context("a", 0, 1, {**settings("cifar10-cnn6", data).options, **options}, tmp_path)
    with pytest.raises(UserError) as caught:
        target.setup({}, context)
    assert needed in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_hyperparameters_that_it_does_not_know_are_told(data, tmp_path):
    with pytest.raises(UserError, match="hyperparameters of cifar10-cnn6 must be among lr, dropout, weight_decay"):
        trained("cifar10-cnn6", data, tmp_path, [1], {"learning_rate": 0.1})
    with pytest.raises(UserError, match=r"target\.options\.epochs must be a whole number of at least 1, found"):
        load_class("svhn-cnn")().setup({}, Context("a", 0, 1, {"data": str(data), "epochs": 0}, tmp_path))
