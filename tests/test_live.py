"""The live line is what `status` knows, in a line: no number of its own."""

from types import SimpleNamespace

import pytest

from swift_hyperband.cli.live import told


def progress(best=None, rounds=(), outcomes=()):
    brackets = [
        SimpleNamespace(
            bracket=bracket,
            round=None if index is None else SimpleNamespace(competitors=("a",), schedule=SimpleNamespace(index=index)),
        )
        for bracket, index in rounds
    ]
    target = SimpleNamespace(metric="loss")
    return SimpleNamespace(
        sum={"spent": 45, "to_come": 237}.get,
        best=best,
        brackets=brackets,
        jobs=[SimpleNamespace(outcome=outcome) for outcome in outcomes],
        history=SimpleNamespace(study=SimpleNamespace(name="mine", target=target)),
    )


@pytest.mark.parametrize(
    ("found", "queue", "line"),
    [
        (progress(), "", "mine: 45 of at most 282 epochs"),
        (
            progress(SimpleNamespace(value=0.12345678), [(3, None), (2, 1)], ["at work", "through"]),
            "",
            "mine: 45 of at most 282 epochs; best loss 0.123457; bracket 2 round 1; 1 job running",
        ),
        (
            progress(None, [(3, 0), (2, 1), (1, 0)], ["at work", "at work"]),
            "in SLURM 3 jobs (2 running, 1 pending)",
            "mine: 45 of at most 282 epochs; bracket 3 round 0, bracket 2 round 1 and 1 more; "
            "in SLURM 3 jobs (2 running, 1 pending)",
        ),
    ],
)
def test_the_line_tells_bracket_best_epochs_and_jobs(found, queue, line):
    assert told(found, queue) == line
