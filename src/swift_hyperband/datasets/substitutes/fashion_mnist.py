"""Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv 1708.07747), from Debian's package, as CIFAR-10 and SVHN files.

Images of 28 x 28 grey pixels get a border of two pixels and are copied to all three colours.
"""

from __future__ import annotations

import logging
import pickle
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import cifar10, idx, svhn
from swift_hyperband.datasets.substitutes import finish

logger = logging.getLogger(__name__)

PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("/usr/share/datasets/fashion-mnist")
SVHN_SIZES = {svhn.TRAINING: 12_000, svhn.TEST: 4_000}
"""Enough for small studies: a whole .mat file is slow to read."""


def write(data: Path) -> None:
    """Write data/fashion-cifar10 and data/fashion-svhn.

    Raises
    ------
    UserError
        If the images are neither installed nor can be fetched.
    """
    with tempfile.TemporaryDirectory() as name:
        source = INSTALLED if INSTALLED.is_dir() else _fetch(Path(name))
        images = {part: idx.read(source / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k")}
        labels = {part: idx.read(source / f"{part}-labels-idx1-ubyte.gz") for part in ("train", "t10k")}
    logger.info("writes 70,000 images in the format of CIFAR-10")
    _write_cifar10(data / "fashion-cifar10", images, labels)
    logger.info("writes 16,000 images in the format of SVHN")
    _write_svhn(data / "fashion-svhn", images, labels)


def _fetch(folder: Path) -> Path:
    """Fetch and unpack the package, without installing it; return the folder of the files."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UserError(
            f"fashion-mnist: must be in {INSTALLED} or come from Debian's package {PACKAGE}, and there is no apt-get; "
            "put the four .gz files of Fashion-MNIST there"
        )
    logger.info(f"fetches Debian's package {PACKAGE} (31 MB)")
    download = ["apt-get", "download", "-qq", PACKAGE]
    done = subprocess.run(download, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        # a fresh machine knows no packages
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True)
        done = subprocess.run(download, cwd=folder, capture_output=True, text=True)
    packages = list(folder.glob("*.deb"))
    if done.returncode or not packages:
        found = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise UserError(
            f"fashion-mnist: 'apt-get download {PACKAGE}' must fetch the package, found: {found}; "
            f"install it by hand, or put the four .gz files into {INSTALLED}"
        )
    subprocess.run(["dpkg-deb", "-x", str(packages[0]), str(folder)], check=True)
    return folder / INSTALLED.relative_to("/")


def _coloured(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 28 x 28 grey images, shape (n, 28, 28), as coloured ones, shape (n, 3, 32, 32)."""
    edged = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    return np.repeat(edged[:, None], 3, axis=1)


def _write_cifar10(folder: Path, images: dict[str, NDArray[np.uint8]], labels: dict[str, NDArray[np.uint8]]) -> None:
    inner = folder / "cifar-10-batches-py"
    inner.mkdir(parents=True, exist_ok=True)
    parts = np.array_split(np.arange(len(images["train"])), len(cifar10.BATCHES))
    files = [("train", name, rows) for name, rows in zip(cifar10.BATCHES, parts, strict=True)]
    for part, name, rows in [*files, ("t10k", cifar10.TEST, np.arange(len(images["t10k"])))]:
        pixels = _coloured(images[part][rows]).reshape(len(rows), -1)
        with (inner / name).open("wb") as file:
            pickle.dump({b"data": pixels, b"labels": labels[part][rows].tolist()}, file, protocol=2)
    finish(folder, source="Fashion-MNIST", licence="MIT", classes=10)


def _write_svhn(folder: Path, images: dict[str, NDArray[np.uint8]], labels: dict[str, NDArray[np.uint8]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, name in (("train", svhn.TRAINING), ("t10k", svhn.TEST)):
        size = SVHN_SIZES[name]
        pixels = _coloured(images[part][:size]).transpose(2, 3, 1, 0)
        # SVHN writes class 0 as 10
        classes = np.where(labels[part][:size] == 0, 10, labels[part][:size])
        savemat(folder / name, {"X": pixels, "y": classes[:, None]})
    finish(folder, source="Fashion-MNIST", licence="MIT", classes=10)
