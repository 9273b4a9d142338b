"""A stranger: an empty environment, the wheel that the sdist makes, a folder of their own, all as they would type it.

It installs packages, so it needs the network, and runs by `make test-installed` only.
"""

import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    "TEST_INSTALLED" not in os.environ, reason="installs packages, for which it needs the network: make test-installed"
)


@dataclass
class Stranger:
    """A folder, and the commands of an environment.

    Attributes
    ----------
    environment : Path
        Has pip, and what it has installed.
    wheel : Path
    folder : Path
        Where commands run.
    """

    environment: Path
    wheel: Path
    folder: Path

    def types(self, line, code=0):
        """Run a line of a shell; return what it prints."""
        kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("PIP_")}
        elsewhere = [path for path in os.environ["PATH"].split(":") if Path(path) != Path(sys.executable).parent]
        variables = {**kept, "PATH": ":".join([f"{self.environment}/bin", *elsewhere]), "COLUMNS": "200"}
        done = subprocess.run(
            ["bash", "-euc", line], cwd=self.folder, env=variables, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == code, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def installs(self, extras=""):
        """Install the wheel, in the versions of the lock file."""
        self.types(f"pip install --quiet --constraint {ROOT}/requirements.lock '{self.wheel}{extras}'")

    def python(self, code):
        """Run a program in Python; return what it prints."""
        return self.types(f"python - <<'END'\n{textwrap.dedent(code)}\nEND")


KEPT = {"HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}


@pytest.fixture
def stranger(tmp_path):
    place = tmp_path
    # the wheel is made from the sdist
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(place / "dist"), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (place / "dist").glob("*.whl")
    assert len(list((place / "dist").glob("*.tar.gz"))) == 1
    subprocess.run([sys.executable, "-m", "venv", str(place / "env")], check=True, timeout=300)
    (place / "home").mkdir()
    found = Stranger(place / "env", wheel, place / "home")
    found.installs()
    yield found
    # gigabytes, which pytest would keep
    shutil.rmtree(found.environment)


def test_a_stranger_installs_it_edits_the_model_searches_and_takes_the_results_elsewhere(stranger):
    the_core_says_what_it_lacks(stranger)
    stranger.installs("[train,optuna]")
    the_model_is_edited_and_checked(stranger)
    best = it_is_searched(stranger)
    the_results_are_looked_at(stranger, best["trial"])
    optuna_shows_the_search(stranger)


def the_core_says_what_it_lacks(stranger):
    assert str(stranger.environment) in stranger.types("swift-hyperband workflow")
    documentation = stranger.types("swift-hyperband --help").split()[-1]
    assert documentation.startswith(str(stranger.environment))
    assert "(export.md)" in Path(documentation).read_text()
    assert Path(documentation).with_name("export.md").exists()
    printed = stranger.types("swift-hyperband init my-search --slurm")
    assert "pip install 'swift-hyperband[train]'" in printed
    stranger.folder = stranger.folder / "my-search"
    assert "pip install 'swift-hyperband[train]'" in stranger.types("swift-hyperband check-target", code=1)
    printed = stranger.types("swift-hyperband run --profile profiles/slurm", code=2)
    assert printed.endswith("install them with: pip install 'swift-hyperband[slurm]'\n")
    assert printed.count("\n") == 1
    found = stranger.python("""
        from importlib.util import find_spec
        print([name for name in ("torch", "dimod", "optuna", "mlflow", "wandb", "tensorboard") if find_spec(name)])
    """)
    assert found == "[]\n"
    assert not (stranger.folder / "results").exists()


def the_model_is_edited_and_checked(stranger):
    change(
        stranger.folder / "model.py",
        ('lr=configuration["lr"]', 'lr=configuration["lr"], weight_decay=configuration["decay"]'),
    )
    change(
        stranger.folder / "config/config.yaml",
        ("space:\n", "space:\n  decay: {type: float, low: 1.0e-6, high: 1.0e-2, log: true}\n"),
        ("name: my-model\n", "name: mine\n"),
    )
    printed = stranger.types("swift-hyperband check-target")
    assert "2 epochs come out as 1 + 1 in new processes, bit for bit" in printed
    assert "decay" in printed
    assert "69 epochs" in printed


def change(path, *replaced):
    text = path.read_text()
    for old, new in replaced:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text)


def it_is_searched(stranger):
    assert "best configuration: results/mine/best.yaml" in stranger.types("swift-hyperband run --cores 2")
    assert "Nothing to be done" in stranger.types("swift-hyperband run --cores 2")
    printed = stranger.types('snakemake --snakefile "$(swift-hyperband workflow)" --cores 2')
    assert "Nothing to be done" in printed
    assert "Using workflow specific profile" in printed
    best = yaml.safe_load((stranger.folder / "results/mine/best.yaml").read_text())
    assert set(best["configuration"]) == {"lr", "decay", "width"}
    return best


def the_results_are_looked_at(stranger, best):
    assert best in stranger.types("swift-hyperband trials")
    page = stranger.folder / "results/mine/report/index.html"
    page.unlink()
    stranger.types("swift-hyperband report")
    assert "plotly" in page.read_text().lower()
    assert best in stranger.types("swift-hyperband best --load")
    printed = stranger.python("""
        from swift_hyperband import Results
        results = Results.open("results/mine")
        print(results.best.trial, len(results.trials))
    """)
    assert printed.split() == [best, "17"]


def optuna_shows_the_search(stranger):
    assert "results/mine/export/" in stranger.types("swift-hyperband export --to optuna")
    printed = stranger.python("""
        import optuna
        study = optuna.load_study(study_name="mine", storage="sqlite:///results/mine/export/optuna.db")
        print(len(study.trials), study.best_trial.user_attrs["trial"])
        draw = optuna.visualization
        plots = draw.plot_optimization_history, draw.plot_intermediate_values, draw.plot_slice, draw.plot_contour
        print([len(plot(study).to_html()) > 1000 and len(plot(study).data) > 0 for plot in plots])
    """)
    best = yaml.safe_load((stranger.folder / "results/mine/best.yaml").read_text())["trial"]
    assert printed.splitlines()[-2:] == [f"17 {best}", "[True, True, True, True]"]
