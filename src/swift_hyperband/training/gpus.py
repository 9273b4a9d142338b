"""Checks that a training that asks for a GPU sees one; otherwise it would silently train on the CPU."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from swift_hyperband.base.errors import UserError

PATIENCE = 120.0
"""Seconds to wait for a driver's answer."""
HIDDEN = ("", "-1", "NoDevFiles")
"""Values of a variable of visible devices that hide all of them."""
VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
DEVICES = ("nvidia[0-9]*", "nvidia-caps/nvidia-cap[0-9]*", "kfd", "dxg")
"""Files in /dev of NVIDIA's and AMD's drivers, and of both under Windows' Linux."""


class NoGpuError(UserError):
    """A GPU is required and none is visible; a start on another host may find one."""


def check(command: bool) -> None:
    """Refuse to train without a visible GPU. Call it after the target was imported.

    Parameters
    ----------
    command : bool
        Whether the target is a program. Then the driver's files show whether there is a GPU, as for a class without
        torch.

    Raises
    ------
    NoGpuError
    """
    found = _files(os.environ) if command or "torch" not in sys.modules else _torch()
    if found is not None:
        raise NoGpuError(
            f"resources.gpus: a training must see a GPU, found {found} on host {os.uname().nodename}; start it where "
            "there is one, or give resources.gpus_required: false to train without"
        )


def deal(number: int, gpus: int, devices: Path = Path("/dev")) -> None:
    """Give a worker its GPUs, where several lie in a machine and nobody else deals them out.

    Nothing is done in a job of SLURM, which deals them out itself, nor where visible devices are given. Call it before
    the target is imported. Only NVIDIA's are dealt out, as only its driver has a file for each.

    Parameters
    ----------
    number : int
        Of the worker: different workers should have different ones.
    gpus : int
        How many it needs.
    devices : Path
        The folder of the drivers' files.
    """
    if not gpus or "SLURM_JOB_ID" in os.environ or any(name in os.environ for name in VISIBLE):
        return
    there = len([*devices.glob("nvidia[0-9]*")])
    if there > gpus:
        dealt = sorted({(number * gpus + one) % there for one in range(gpus)})
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, dealt))


def _files(environment: Mapping[str, str], devices: Path = Path("/dev")) -> str | None:
    """Return why there is no GPU; None if there is one by the driver's files and the environment."""
    given = {name: environment[name] for name in VISIBLE if name in environment}
    if given and all(value.strip() in HIDDEN for value in given.values()):
        return " and ".join(f"{name}={value!r}" for name, value in given.items())
    if not any(True for pattern in DEVICES for _ in devices.glob(pattern)):
        return f"no {devices}/nvidia0, and none of AMD's {devices}/kfd"
    return None


def _torch() -> str | None:
    """Return why torch, which is imported, sees no GPU, NVIDIA's or AMD's; None if it sees one."""
    # in a child: once a process has asked a driver, no process forked from it can use the driver
    process = multiprocessing.get_context("fork").Process(target=_ask_torch)
    process.start()
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()
        return f"that the driver does not answer within {PATIENCE:.0f} s"
    visible = {name: os.environ[name] for name in VISIBLE if name in os.environ}
    told = "".join(f", {name}={value!r}" for name, value in visible.items())
    return None if process.exitcode == 0 else f"that torch {sys.modules['torch'].__version__} sees none{told}"


def _ask_torch() -> None:
    # end at once, without the parent's clean-up at exit
    os._exit(0 if sys.modules["torch"].cuda.is_available() else 1)
