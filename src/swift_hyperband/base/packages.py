"""Packages that only some searches need: which extra of swift-hyperband brings each, and the line that says so."""

from __future__ import annotations

from importlib import import_module

from swift_hyperband.base.errors import UserError

EXTRAS = {
    "torch": "train",
    "lightning": "lightning",
    "dimod": "annealer",
    "dwave": "annealer",
    "neal": "annealer",
    "tensorboard": "tensorboard",
    "pandas": "pandas",
    "optuna": "optuna",
    "mlflow": "mlflow",
    "wandb": "wandb",
    "pythia8mc": "physics",
    "snakemake_executor_plugin_slurm": "slurm",
    "snakemake_executor_plugin_cluster_generic": "slurm",
}
"""The extra by the name of the module; pyproject.toml says which packages it has."""


def cure(module: str) -> str:
    """Return the command that installs a module of `EXTRAS`, or of a package in it."""
    return f"pip install 'swift-hyperband[{EXTRAS[module.partition('.')[0]]}]'"


def missing(what: str, module: str, found: str) -> str:
    """Return the message about what needs a module that cannot be imported, as the module `found` is not there."""
    return f"{what} needs packages that are not installed, found no module {found!r}; install them with: {cure(module)}"


def require(what: str, *modules: str) -> None:
    """Import modules that come with an extra.

    Parameters
    ----------
    what : str
        What needs them, for the message: "predictor.sampler.name: qpu", "--to optuna".
    *modules : str
        At least one of their packages is in `EXTRAS`.

    Raises
    ------
    UserError
        If one cannot be imported.
    """
    for module in modules:
        try:
            import_module(module)
        except ImportError as error:
            # one without an extra of its own comes with that of another
            known = next(name for name in (module, *modules) if name.partition(".")[0] in EXTRAS)
            raise UserError(missing(what, known, error.name or module)) from None
