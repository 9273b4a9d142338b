"""Start-up costs: a command imports only what it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from swift_hyperband.cli import COMMANDS

ROOT = Path(__file__).parents[1]
HEAVY = {
    *("torch", "sklearn", "scipy", "pandas", "matplotlib", "pyarrow", "snakemake", "dimod", "dwave", "plotly"),
    *("optuna", "mlflow", "wandb"),
}
LIGHT = {"numpy", "pydantic", "rich", "yaml"}
READ_A_STUDY = f"""from pathlib import Path; from swift_hyperband.study.model import load
study = load(Path({str(ROOT / "config/config.yaml")!r}))
study.trials(3), study.definition()"""

SEARCH_WITHOUT_A_PREDICTOR = """from swift_hyperband.search import rounds, schedule, scheduled, settings
from swift_hyperband.predictors.settings import PredictorSettings
plain, rules = schedule.hyperband(9, 3), rounds.Rules(settings.SwiftSettings(), PredictorSettings())
trials = {bracket: [f'{bracket}/{slot}' for slot in range(99)] for bracket in plain.brackets}
search = scheduled.ScheduledSearch(plain, trials, rules)
while running := search.ask():
    for training in running:
        search.tell(training.trial, [1.0] * training.epochs)
assert search.finished"""
FIT_THE_DEFAULT_PREDICTOR = """from swift_hyperband.predictors import fitting, settings
curves = [[1 / (epoch + speed) for epoch in range(1, 10)] for speed in range(9)]
predictor = fitting.fit_curves(curves, 5, 9, settings.PredictorSettings())
fitting.load(predictor.to_dict()).optimistic(curves, 1.5)"""


def imported_modules(code):
    printed = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return printed.stdout.split()


def imported(code):
    return {name.partition(".")[0] for name in imported_modules(code)}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import swift_hyperband; swift_hyperband.__version__", set()),
        ("from swift_hyperband import Study, Results", {"pydantic", "yaml"}),
        ("import swift_hyperband.cli", set()),
        ("import swift_hyperband.training.batch", set()),
        ("import swift_hyperband.workflow.steps, swift_hyperband.search.rounds", set()),
        ("import swift_hyperband.search.scheduled", set()),
        (SEARCH_WITHOUT_A_PREDICTOR, set()),
        ("import swift_hyperband.search.fast_hyperband, swift_hyperband.search.asha", set()),
        ("import swift_hyperband.replay.simulator", set()),
        ("import swift_hyperband.replay.runs, swift_hyperband.replay.tables.reader", {"numpy"}),
        ("import swift_hyperband.workflow.dag", {"pydantic", "yaml"}),
        (READ_A_STUDY, {"pydantic", "yaml"}),
        ("import swift_hyperband.predictors.last_value", {"numpy"}),
        (FIT_THE_DEFAULT_PREDICTOR, {"numpy"}),
        ("import swift_hyperband.targets.models.digits_cnn", {"torch", "numpy"}),
    ],
)
def test_nothing_heavy_is_imported_without_need(code, allowed):
    found = imported(code)
    assert not found & (HEAVY | LIGHT) - allowed - ({"scipy"} if "torch" in allowed else set())


def test_the_package_itself_imports_no_module_of_ours():
    printed = imported_modules("import swift_hyperband")
    assert [name for name in printed if name.startswith("swift_hyperband.")] == []


LOADED = "sys.argv[1:] = {words}; from swift_hyperband.cli import main"
RUN = """
try:
    main()
except SystemExit:
    pass
print()
"""


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        (["job", "--help"], set()),
        (["init", "--help"], set()),
        (["workflow"], set()),
        (["status", "--help"], {"pydantic", "yaml", "rich"}),
        (["report", "--help"], {"pydantic", "yaml"}),
        (["trials", "--help"], {"pydantic", "yaml", "rich"}),
        (["plan"], {"pydantic", "yaml", "rich"}),
        (["plan", "--json"], {"pydantic", "yaml", "rich"}),
    ],
)
def test_a_command_imports_no_library_that_it_does_not_use(words, allowed):
    code = f"import sys; {LOADED.format(words=words)}\n{RUN}print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    modules = ran.stdout.splitlines()[-1].split()
    assert not {name.partition(".")[0] for name in modules} & (HEAVY | LIGHT) - allowed
    # nor another command
    of_commands = {name.replace("-", "_") for name in COMMANDS}
    loaded = {name.removeprefix("swift_hyperband.cli.") for name in modules} & of_commands
    assert loaded <= {words[0]}
