"""Two targets compared attribute by attribute: what a restored one has lost."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from typing import Any

DEPTH = 6
"""Objects within objects that are looked into."""


def differences(one: object, other: object) -> Iterator[str]:
    """Return in which attributes two targets differ, "!" before those that have a state of their own."""
    for name, value in vars(one).items():
        fresh = vars(other).get(name)
        if _has_state(value):
            if not _equal(value.state_dict(), fresh.state_dict() if _has_state(fresh) else None):  # type: ignore[union-attr]
                yield f"!self.{name} is another"
        elif (generator := _generator_state(value)) is not None:
            if not _equal(generator, _generator_state(fresh)):
                yield f"self.{name}, a random generator, is another"
        elif isinstance(value, bool | int | float | str) and value != fresh:
            yield f"self.{name} is {fresh} and was {value}"
        elif _comparable(value) and not _equal(value, fresh):
            yield f"self.{name} is another"


def _has_state(value: object) -> bool:
    return not isinstance(value, type) and all(
        callable(getattr(value, name, None)) for name in ("state_dict", "load_state_dict")
    )


def _generator_state(value: object) -> Any:
    """Return the state of a random generator, None of anything else."""
    if isinstance(value, random.Random):
        return value.getstate()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and isinstance(value, numpy.random.Generator):
        return value.bit_generator.state
    if numpy is not None and isinstance(value, numpy.random.RandomState):
        return value.get_state()
    if torch is not None and isinstance(value, torch.Generator):
        return value.get_state()
    return None


def _comparable(value: object) -> bool:
    return isinstance(value, list | tuple | dict) or hasattr(value, "shape")


def _equal(one: Any, other: Any, depth: int = 0) -> bool:
    """Whether two values are the same, as far as they are plain data and arrays."""
    if depth > DEPTH:
        return True
    if isinstance(one, Mapping):
        return (
            isinstance(other, Mapping)
            and one.keys() == other.keys()
            and all(_equal(value, other[key], depth + 1) for key, value in one.items())
        )
    if isinstance(one, list | tuple):
        return (
            isinstance(other, list | tuple)
            and len(one) == len(other)
            and all(_equal(a, b, depth + 1) for a, b in zip(one, other, strict=True))
        )
    if hasattr(one, "shape") and hasattr(other, "shape"):
        return bool(tuple(one.shape) == tuple(other.shape) and _bytes(one) == _bytes(other))
    if isinstance(one, bool | int | float | str | bytes) or one is None:
        return bool(one == other or (one != one and other != other))
    return True


def _bytes(value: Any) -> bytes:
    if hasattr(value, "detach"):
        value = value.detach().cpu().contiguous()
        # NumPy knows no bfloat16, of which every number is one of float32
        value = (value.float() if value.is_floating_point() and value.element_size() < 4 else value).numpy()
    return bytes(value.tobytes())
