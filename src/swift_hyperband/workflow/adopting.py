"""Rounds that ended without jobs of their own: execution by workers, or by the plain driver, writes no file a batch.

Snakemake would start a job for each such batch, which finds all its trials trained. The head writes the files instead,
from the trials' curves, when a search goes on by rounds.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from swift_hyperband.results.contents import Batch, Completion
from swift_hyperband.results.layout import PARTS
from swift_hyperband.search.schedule import Round
from swift_hyperband.training.trial import state_of
from swift_hyperband.workflow.dag import Dag


def adopt(dag: Dag) -> None:
    """Write the missing files of the batches of all rounds that are over, and date what was decided from them."""
    over = [round_ for round_ in dag.schedule.all_rounds if dag.folder.promotion(round_).exists()]
    missing = [_adopt(dag, round_) for round_ in over if dag.folder.entry(round_).exists()]
    if any(missing):
        _date(dag, over)


def _adopt(dag: Dag, round_: Round) -> bool:
    """Write the missing files of a round's batches; return whether there were any."""
    folder, metric, missing = dag.folder, dag.study.target.metric, False
    begun = folder.entry(round_).stat().st_mtime_ns
    for part in PARTS:
        batches = dag.known_batches(round_, part) or {}
        epochs = round_.end if part != "partial" else round_.decision_epoch or round_.end
        for batch, trials in batches.items():
            path = folder.manifest(round_, part, batch)
            trained = {trial: state_of(folder.trial(trial), metric) for trial in trials}
            if not path.exists() and all(found.settled(epochs) for found in trained.values()):
                missing = True
                Batch(epochs, trained).write(path)
                os.utime(path, ns=(begun, begun))
        if part == "complete" and batches and not (path := folder.completion(round_)).exists():
            Completion(batches, round_.end).write(path)
    return missing


def _date(dag: Dag, over: Sequence[Round]) -> None:
    """Give all decisions of rounds that are over one time: one process wrote them, in another order than jobs do.

    Snakemake would take them again where one is older than what it is taken from. Each fits the others, as the head
    has looked at what they hold.
    """
    folder = dag.folder
    kinds = (folder.draw, folder.threshold, folder.predictor, folder.decision, folder.thaw, folder.promotion)
    found = [path for round_ in over for kind in kinds if (path := kind(round_)).exists()]
    last = max(path.stat().st_mtime_ns for path in found)
    for path in found:
        os.utime(path, ns=(last, last))
