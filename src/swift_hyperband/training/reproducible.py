"""The same bits from the same seed: random draws by epoch, a fixed number of threads, repeatable kernels."""

from __future__ import annotations

import hashlib
import os
import random
import sys


def set_environment(threads: int) -> None:
    """Set the variables that numerical libraries read at import. Call it before the target is imported."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    # cuBLAS repeats its results only with a workspace of fixed size
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # a module may then ask for CUDA at import, and the process can still be forked
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")


def prepare_torch(threads: int) -> None:
    """Set torch, if it is imported, to reproduce the same bits."""
    if (torch := sys.modules.get("torch")) is None:
        return
    # the number of threads changes the order of sums, and so the bits
    torch.set_num_threads(threads)
    # decaying weights end as denormal numbers, with which a CPU is many times slower
    torch.set_flush_denormal(True)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # filling new memory only helps to find reads of it, and costs time
    torch.utils.deterministic.fill_uninitialized_memory = False


def seed_epoch(seed: int, trial: str, epoch: int) -> None:
    """Seed `random` and, where imported, numpy and torch for one epoch (0: before the first)."""
    digest = hashlib.sha256(f"{seed}/{trial}/{epoch}".encode()).digest()
    number = int.from_bytes(digest[:8], "big") >> 1
    random.seed(number)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(number % 2**32)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(number)


def number(seed: int, trial: str) -> int:
    """Return a seed of a trial's own, below 2^31, as all libraries take it."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{trial}".encode()).digest()[:4], "big") >> 1
