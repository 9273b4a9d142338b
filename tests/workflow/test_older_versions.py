"""A search that an older version began: half-finished.tar.gz is a folder of version 0.1.0, killed in the middle.

It lacks the keys that became part of a frozen study later. What the same version made of it is below.
"""

import json
import tarfile
from pathlib import Path

import pytest

HALF_FINISHED = Path(__file__).with_name("half-finished.tar.gz")
BEST = """\
study: example-train-sh
metric: loss
value: 0.479572
configuration:
  rate: 0.2248128317339134
trial: fea1d7ff7365
bracket: 1
epochs: 9
state: results/example-train-sh/trials/fea1d7ff7365/state.9
"""
PROMOTED = {
    "bracket=0/round=0": ["3edaa1e9fb73"],
    "bracket=1/round=0": ["fea1d7ff7365"],
    "bracket=1/round=1": ["fea1d7ff7365"],
    "bracket=2/round=0": ["d2887e6ad00f", "afe33a9e346d", "5117f303263b"],
    "bracket=2/round=1": ["d2887e6ad00f"],
    "bracket=2/round=2": ["d2887e6ad00f"],
}
CONTINUED = {"fea1d7ff7365", "92c4ce6b1d11"}


@pytest.mark.parametrize("command", [["snakemake", "--cores", "2"], ["swift-hyperband", "search"]], ids=" ".join)
def test_a_search_that_an_older_version_began_ends_as_that_version_would_have_ended_it(project, command):
    with tarfile.open(HALF_FINISHED) as archive:
        # Debian 12 has Python 3.11.2, without filters
        archive.extractall(project.path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    project.run(*command)
    results = project.path / "results/example-train-sh"
    assert (results / "best.yaml").read_text() == BEST
    rounds = {str(path.parent.relative_to(results)): path for path in results.glob("bracket=*/round=*/promotion.json")}
    assert {name: json.loads(path.read_text())["promoted"] for name, path in rounds.items()} == PROMOTED
    decision = json.loads((results / "bracket=1/round=0/decision.json").read_text())
    assert {trial for trial, verdict in decision["verdicts"].items() if verdict["continues"]} == CONTINUED
    assert decision["threshold"] == 0.8308210000000001
    assert decision["sigma"] == pytest.approx(0.02844238277114459, rel=1e-12)
