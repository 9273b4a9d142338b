"""Rows follow from code: a changed rule makes them anew, a changed comment or picture does not."""

import shutil
from pathlib import Path

import pytest

import swift_hyperband
from swift_hyperband.compare.code import ROWS, closure, digest, digest_of

SOURCE = Path(swift_hyperband.__file__).parent


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return Path(shutil.copytree(SOURCE, tmp_path_factory.mktemp("code") / "swift_hyperband"))


@pytest.fixture
def changed(package):
    """Return the digest after a text in a module is replaced by another; the module is put back."""
    before = {}

    def changed(module, text, by):
        path = package / module
        content = path.read_text()
        assert text in content
        before.setdefault(path, content)
        path.write_text(content.replace(text, by))
        return digest_of(package, ROWS)

    yield changed
    for path, content in before.items():
        path.write_text(content)


def test_it_does_not_depend_on_where_the_package_lies(package):
    assert digest_of(package, ROWS) == digest()


@pytest.mark.parametrize(
    ("module", "text", "by"),
    [
        ("study/frozen.py", "% 2**31", "% 2**30"),
        ("space/draw.py", "{seed}/{bracket}/{slot}/{attempt}", "{seed}/{bracket}/{attempt}"),
        ("space/parameters.py", "math.exp(math.log(self.low)", "math.exp(1 + math.log(self.low)"),
        ("search/decisions.py", "- margin * sigma < threshold", "- margin * sigma <= threshold"),
        ("search/schedule.py", "trials = n // eta**i", "trials = 1 + n // eta**i"),
        ("search/swift_hyperband.py", "settings.d - curves", "settings.d - curves + 1"),
        ("search/asha.py", "rung.entered // self.schedule.eta", "1 + rung.entered // self.schedule.eta"),
        ("predictors/bounds.py", "LARGEST = 1e100", "LARGEST = 1e99"),
        ("predictors/svr.py", "svm_type=4", "svm_type=3"),
        ("annealing/qubo.py", "return bqm", "return bqm.copy()"),
        ("replay/tables/published.py", 'Published("MLPF", "loss", "min", 100', 'Published("MLPF", "loss", "min", 90'),
        ("compare/accuracy.py", "default_rng(seed)", "default_rng(seed + 1)"),
    ],
)
def test_a_changed_rule_makes_rows_anew(changed, module, text, by):
    assert changed(module, text, by) != digest()


@pytest.mark.parametrize(
    ("module", "text", "by"),
    [
        ("search/decisions.py", "from __future__", "# why a trial goes on\nfrom __future__"),
        ("search/decisions.py", '"""Return the k-th best loss', '"""Say which loss is the k-th best'),
        ("predictors/bounds.py", '"""Beyond it every loss stands outside', '"""Losses above it stand outside'),
        ("search/schedule.py", "max_epochs must be at least eta", "max_epochs must not be below eta"),
        ("compare/published_results.py", "Figure(2926, 40)", "Figure(2926, 41)"),
        ("report/style.py", "import", "import math\nimport"),
        ("study/presets.py", "PRESETS", "PRESET"),
        ("cli/compare.py", "INTERRUPTED", "STOPPED"),
        ("workflow/dag.py", "def ", "def _"),
    ],
)
def test_what_no_row_follows_from_keeps_them(changed, module, text, by):
    assert changed(module, text, by) == digest()


def test_it_covers_the_searches_and_no_study_file_workflow_or_picture():
    packages = {name.split(".")[1] for name in closure(SOURCE, ROWS) if "." in name}
    assert {"space", "annealing", "predictors", "search", "replay"} <= packages
    assert not packages & {"cli", "report", "results", "slurm", "targets", "training", "workflow"}
    study = {name for name in closure(SOURCE, ROWS) if ".study" in name}
    assert study == {"swift_hyperband.study.frozen"}, "a study is in the definition, with all its keys"
