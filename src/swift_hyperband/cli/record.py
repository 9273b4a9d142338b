"""`swift-hyperband record`: train configurations of a study to the end, for a table of curves that replays read."""

from __future__ import annotations

import argparse
import shlex
import shutil
import tempfile
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli import main
from swift_hyperband.cli.arguments import add_study, add_workers, at_least
from swift_hyperband.cli.live import shown
from swift_hyperband.processes import head
from swift_hyperband.results import provenance
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import Study
from swift_hyperband.workflow import snakemake
from swift_hyperband.workflow.driver import run_search
from swift_hyperband.workflow.record import make_room, recording, trials_before, write_study
from swift_hyperband.workflow.steps import write_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `record` takes."""
    parser.description = (
        "Train random configurations of a study to the last epoch and write their learning curves as a table that "
        "'replay' and 'compare' read. A recording is a random search with a name of its own, <study>-curves: stopped "
        "at any moment, the same command goes on, and asked for more configurations it only trains those that are "
        "missing. Trains in this process; with --profile, or other options of snakemake, by the workflow."
    )
    # options of snakemake must not be taken for abbreviations of ours
    parser.allow_abbrev = False
    add_study(parser)
    count = "how many (default: 60)"
    parser.add_argument("--configurations", type=int, action=at_least(1), default=60, metavar="N", help=count)
    last = "to which epoch (default: the study's max_epochs)"
    parser.add_argument("--epochs", type=int, action=at_least(1), metavar="R", help=last)
    add_workers(parser)
    parser.add_argument("--profile", help="where to run, such as profiles/slurm")
    parser.add_argument("-c", "--cores", help="cores to use here, by the workflow")
    parser.add_argument("--to", type=Path, help="where to put the table, besides results/<study>-curves/curves.parquet")
    parser.set_defaults(run=_record, passes_on=True)


def _record(options: argparse.Namespace) -> int:
    study = recording(options.study, options.configurations, options.epochs, options.workers)
    folder = StudyFolder.of(study.name, study.results)
    if options.rest and snakemake.runs_no_jobs(snakemake.parse(options.rest)[1]):
        return _look(options, study, folder)
    study_file: Path | None = None
    # nothing is changed below a recording that runs; the search takes the lease again
    with head.lead(folder.path):
        if trials_before(folder, study) is not None:
            make_room(folder)
        if options.profile is not None or options.cores is not None or options.rest:
            study_file = write_study(folder.path, study)
    code = _here(study, folder) if study_file is None else _by_workflow(options, study_file)
    if code or not folder.curves.exists():
        return code
    if options.to is not None:
        options.to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder.curves, options.to)
    table = str(options.to or folder.curves)
    print(f"\n{options.configurations} curves: {table}\nreplay them: {_replay_command(table, study)}")
    return 0


def _replay_command(table: str, study: Study) -> str:
    """Return the command line that replays a recording."""
    target, search = study.target, study.search
    words = ["swift-hyperband", "replay", table, "--metric", target.metric, "--mode", target.mode]
    words += ["--metric-at", target.metric_at] if target.metric_at != "last" else []
    return shlex.join(map(str, [*words, "--max-epochs", search.max_epochs, "--eta", search.eta]))


def _look(options: argparse.Namespace, study: Study, folder: StudyFolder) -> int:
    """Let Snakemake look at a recording, and leave everything as it is."""
    if (before := trials_before(folder, study)) is not None:
        raise UserError(
            f"--configurations must be {before}, as {folder.path} has, where Snakemake is only to look, found "
            f"{study.search.trials}; started without such an option, only those that are missing are trained"
        )
    # not in the recording's folder, whose file is read by the jobs of a recording that runs
    with tempfile.TemporaryDirectory() as name:
        return _by_workflow(options, write_study(Path(name), study))


def _here(study: Study, folder: StudyFolder) -> int:
    # here, before the line is shown, which would overwrite a question
    provenance.check(folder, study.definition()["target"])
    with shown(folder):
        run_search(study, folder, study.resources.workers)
    write_report(folder)
    return 0


def _by_workflow(options: argparse.Namespace, study_file: Path) -> int:
    """Run the workflow on a study file."""
    where = ["--profile", options.profile] if options.profile is not None else []
    cores = ["--cores", options.cores] if options.cores is not None else []
    said = ["--verbose"] * options.verbose + ["--quiet"] * options.quiet
    return main(["run", "--configfile", str(study_file), *where, *cores, *said, *options.rest])
