"""Swift-Hyperband: hyperparameter optimisation of deep-learning models on HPC clusters."""

from importlib import import_module

TYPE_CHECKING = False  # as of `typing`, which every command would have to import
if TYPE_CHECKING:
    from swift_hyperband.base.errors import UserError
    from swift_hyperband.python_api import Results, Study

__version__ = "0.2.0"
__all__ = ["Results", "Study", "UserError", "__version__"]

_HOMES = {"Results": "python_api", "Study": "python_api", "UserError": "base.errors"}
"""The modules of the names that are imported when they are asked for, and not with the package."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
