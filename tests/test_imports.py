"""Start-up costs: a command imports only what it needs."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "sklearn", "scipy", "pandas", "matplotlib", "pyarrow", "snakemake", "dimod", "dwave"}


def imported(code):
    printed = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in printed.stdout.split()}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import swift_hyperband.cli", set()),
        ("import swift_hyperband.training.batch", set()),
        ("import swift_hyperband.workflow.steps, swift_hyperband.search.rounds", set()),
        ("import swift_hyperband.search.scheduled", set()),
        ("import swift_hyperband.search.fast_hyperband, swift_hyperband.search.asha", set()),
        ("import swift_hyperband.replay.simulator", set()),
        ("import swift_hyperband.replay.runs, swift_hyperband.replay.tables.reader", {"numpy"}),
        ("import swift_hyperband.workflow.dag", {"pydantic", "yaml"}),
        ("import swift_hyperband.predictors.last_value", {"numpy"}),
        ("import swift_hyperband.targets.models.digits_cnn", {"torch", "numpy"}),
    ],
)
def test_nothing_heavy_is_imported_without_need(code, allowed):
    found = imported(code)
    assert not found & (HEAVY | {"numpy", "pydantic", "rich", "yaml"}) - allowed - (
        {"scipy"} if "torch" in allowed else set()
    )
