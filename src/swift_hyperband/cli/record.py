"""`swift-hyperband record`: train configurations of a study to the end, for a table of curves that replays read."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.errors import UserError

if TYPE_CHECKING:
    from swift_hyperband.results.layout import StudyFolder
    from swift_hyperband.study.model import Study

SUFFIX = "-curves"
"""Behind the study's name: the recording is a study of its own, a random search that stops nobody."""
STUDY_FILE = "recording.yaml"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `record`."""
    parser = commands.add_parser(
        "record",
        help="record learning curves for replays",
        description="Train random configurations of a study to the last epoch and write their learning curves as a "
        "table that 'replay' and 'compare' read. A recording is a random search with a name of its own, "
        "<study>-curves: stopped at any moment, the same command goes on, and asked for more configurations it only "
        "trains those that are missing. Trains in this process; with --profile, or other options of snakemake, by the "
        "workflow.",
        allow_abbrev=False,
    )
    parser.add_argument("study", nargs="?", type=Path, default=Path("config/config.yaml"), help="the study file")
    parser.add_argument("--configurations", type=int, default=60, metavar="N", help="how many (default: 60)")
    parser.add_argument("--epochs", type=int, metavar="R", help="to which epoch (default: the study's max_epochs)")
    parser.add_argument("--workers", type=int, help="trials that train side by side (default: the study's)")
    parser.add_argument("--profile", help="where to run, such as profiles/slurm")
    parser.add_argument("-c", "--cores", help="cores to use here, by the workflow")
    parser.add_argument("--to", type=Path, help="where to put the table, besides results/<study>-curves/curves.parquet")
    parser.set_defaults(run=_record, passes_on=True)


def _record(options: argparse.Namespace) -> int:
    import shutil

    from swift_hyperband.processes import head
    from swift_hyperband.results.layout import StudyFolder

    if options.workers is not None and options.workers < 1:
        raise UserError(f"--workers must be at least 1, found {options.workers}")
    study = recording(options.study, options.configurations, options.epochs, options.workers)
    folder = StudyFolder(Path("results") / study.name)
    by_workflow = _wants_workflow(options)
    if _only_looks(options.rest):
        return _look(options, study, folder)
    # nothing is touched under a recording that runs; whoever goes on here takes the lease again
    with head.lead(folder.path):
        if _has_another_size(folder, study):
            _make_room(folder)
        if by_workflow:
            _write_study(folder.path, study)
    code = _by_workflow(options, folder.path) if by_workflow else _here(study, folder)
    if code or not folder.curves.exists():
        return code
    if options.to is not None:
        options.to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder.curves, options.to)
    table, target, search = str(options.to or folder.curves), study.target, study.search
    settings = [
        "--metric",
        target.metric,
        "--mode",
        target.mode,
        "--max-epochs",
        search.max_epochs,
        "--eta",
        search.eta,
    ]
    replay = shlex.join(map(str, ["swift-hyperband", "replay", table, *settings]))
    print(f"\n{options.configurations} curves: {table}\nreplay them: {replay}")
    return 0


def recording(path: Path, configurations: int, epochs: int | None, workers: int | None = None) -> Study:
    """Return the study that records another one's curves.

    Parameters
    ----------
    path : Path
        The other one's study file.
    configurations : int
    epochs : int, optional
        The study's own `search.max_epochs` if not given.
    workers : int, optional
        The study's own `resources.workers` if not given.
    """
    from swift_hyperband.study.model import load, parse
    from swift_hyperband.study.reader import read

    if configurations < 1 or (epochs is not None and epochs < 1):
        found = configurations if epochs is None else min(configurations, epochs)
        raise UserError(f"--configurations and --epochs must be at least 1, found {found}")
    given = load(path, data=False)
    search = {
        "algorithm": "random",
        "trials": configurations,
        "max_epochs": epochs or given.search.max_epochs,
        "eta": given.search.eta,
        "seed": given.search.seed,
    }
    content: dict[str, Any] = {key: value for key, value in read(path).items() if key not in ("swift", "predictor")}
    if workers is not None:
        content["resources"] = {**content.get("resources", {}), "workers": workers}
    return parse({**content, "name": given.name + SUFFIX, "search": search}, str(path))


def _has_another_size(folder: StudyFolder, study: Study) -> bool:
    """Whether a folder holds the same recording, but of another number of configurations."""
    from swift_hyperband.results.freeze import frozen_definition

    if not folder.study.exists():
        return False
    before = frozen_definition(folder)
    now = study.definition()
    # another study is refused as everywhere
    return bool(
        before != now
        and {**before, "search": {**before["search"], "trials": None}}
        == {**now, "search": {**now["search"], "trials": None}}
    )


def _make_room(folder: StudyFolder) -> None:
    """Forget the rounds of a recording; what was trained stays."""
    import shutil

    for path in folder.path.glob("bracket=*"):
        shutil.rmtree(path)
    for path in (folder.study, folder.best, folder.curves):
        path.unlink(missing_ok=True)


def _wants_workflow(options: argparse.Namespace) -> bool:
    return options.profile is not None or options.cores is not None or bool(options.rest)


def _only_looks(rest: Sequence[str]) -> bool:
    """Whether options of Snakemake are there with which it runs no jobs."""
    if not rest:
        return False
    from snakemake.cli import get_argument_parser

    from swift_hyperband.cli.run import LOOKS

    parsed = get_argument_parser().parse_args(rest)
    return any(getattr(parsed, name, None) for name in LOOKS)


def _look(options: argparse.Namespace, study: Study, folder: StudyFolder) -> int:
    """Let Snakemake look at a recording, and leave everything as it is."""
    import tempfile

    from swift_hyperband.results.freeze import frozen_definition

    if _has_another_size(folder, study):
        before = frozen_definition(folder)["search"].get("trials")
        raise UserError(
            f"--configurations must be {before}, as {folder.path} has, where Snakemake is only to look, found "
            f"{study.search.trials}; started without such an option, only those that are missing are trained"
        )
    # jobs of a recording that runs read the file in its folder
    with tempfile.TemporaryDirectory() as name:
        _write_study(Path(name), study)
        return _by_workflow(options, Path(name))


def _here(study: Study, folder: StudyFolder) -> int:
    from swift_hyperband.cli.live import shown
    from swift_hyperband.report import write_report
    from swift_hyperband.results import provenance
    from swift_hyperband.results.history import History
    from swift_hyperband.workflow.driver import run_search

    # here, before the line is shown, which would overwrite a question
    provenance.check(folder, study.definition()["target"])
    with shown(folder):
        run_search(study, folder, study.resources.workers)
    write_report(History(folder), folder)
    return 0


def _write_study(folder: Path, study: Study) -> None:
    """Write the recording's own study file, for the workflow."""
    from swift_hyperband.base.files import write_text

    # JSON is YAML, and a study file as any other
    write_text(folder / STUDY_FILE, json.dumps({**study.definition(), **study.settings()}, indent=1) + "\n")


def _by_workflow(options: argparse.Namespace, folder: Path) -> int:
    """Run the workflow on the study file in a folder."""
    from swift_hyperband.cli import main

    where = ["--profile", options.profile] if options.profile is not None else []
    cores = ["--cores", options.cores] if options.cores is not None else []
    return main(["run", "--configfile", str(folder / STUDY_FILE), *where, *cores, *options.rest])
