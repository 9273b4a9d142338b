"""The readers of CIFAR-10 and SVHN read Fashion-MNIST unchanged."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from swift_hyperband.cli import main
from swift_hyperband.datasets import cifar10, substitutes, svhn
from swift_hyperband.datasets.substitutes import fashion_mnist

COUNTS = {"train": 50, "t10k": 20}


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Return a few images in the format of Debian's package."""
    draw, images = np.random.default_rng(0), {}
    for part, count in COUNTS.items():
        images[part] = draw.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        header = struct.pack(">HBBiii", 0, 8, 3, count, 28, 28)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + images[part].tobytes()))
        header = struct.pack(">HBBi", 0, 8, 1, count)
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(header + labels.tobytes()))
    monkeypatch.setattr(fashion_mnist, "INSTALLED", tmp_path)
    monkeypatch.chdir(tmp_path)
    return images


def test_images_come_out_as_they_went_in(source, capsys):
    assert main(["data", "fashion-mnist"]) == 0
    assert capsys.readouterr().out == "fashion-mnist: data/fashion-cifar10\nfashion-mnist: data/fashion-svhn\n"
    where = Path("data/fashion-cifar10")
    for found in (cifar10.read(where), svhn.read(Path("data/fashion-svhn"))):
        assert found.pixels.shape == (50, 3, 32, 32)
        assert found.classes.tolist() == [row % 10 for row in range(50)]
        for channel in range(3):
            assert np.array_equal(found.pixels[:, channel, 2:-2, 2:-2], source["train"])
    assert np.array_equal(cifar10.read(where, (cifar10.TEST,)).pixels[:, 0, 2:-2, 2:-2], source["t10k"])
    assert substitutes.about(where)["source"] == "Fashion-MNIST"


def test_what_is_there_is_left_alone_and_what_was_not_finished_is_written_again(source):
    main(["data", "fashion-mnist"])
    written = Path("data/fashion-svhn/train_32x32.mat")
    written.write_bytes(b"")
    assert main(["data", "fashion-mnist"]) == 0
    assert written.read_bytes() == b""
    # as after a kill: the note is written last
    Path("data/fashion-svhn", substitutes.NOTE).unlink()
    assert main(["data", "fashion-mnist"]) == 0
    assert svhn.read(Path("data/fashion-svhn")).pixels.shape == (50, 3, 32, 32)


def test_names_are_checked_and_listed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["data"]) == 0
    text = capsys.readouterr().out
    for name in substitutes.SUBSTITUTES:
        assert name in text
    assert "data/brown-ptb (not there yet)" in text
    assert main(["data", "mnist"]) == 2
    assert capsys.readouterr().err == "error: data: must be among fashion-mnist, brown, ttbar or all, found 'mnist'\n"


def test_without_debian_s_tools_it_is_said_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fashion_mnist, "INSTALLED", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["data", "fashion-mnist"]) == 2
    assert "there is no apt-get; put the four .gz files of Fashion-MNIST there" in capsys.readouterr().err
