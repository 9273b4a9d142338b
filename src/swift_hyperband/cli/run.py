"""`swift-hyperband run` and `resume`: start the workflow, or go on with it after anything that stopped it."""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from swift_hyperband.base.console import diverted, say
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_text
from swift_hyperband.cli.live import STOPPED, Live
from swift_hyperband.processes import head, lease
from swift_hyperband.processes.watch import Ended, watched
from swift_hyperband.results import accounting, jobs, provenance
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.slurm import queue
from swift_hyperband.workflow.snakemake_log import failures, new_log

DEFAULT_STUDY = Path("config/config.yaml")
GRACE = 5.0
"""Seconds that jobs have to end when the search is stopped: of what they train, nothing is lost."""
GRACE_ON_SLURM = 30.0
"""The same for cancelling jobs in SLURM, whose controller may be busy."""
LONGEST_PAUSE = 30.0
"""Seconds between two looks into the queue while jobs are waited for."""
FAILED = 1
"""Snakemake's exit code where something went wrong that it has told of."""
OTHERS = {"compare", "figure4", "record"}
"""What the workflow makes besides searches."""
PROFILE_SAID = re.compile("Using (workflow specific )?profiles? ")
TOKEN = "DWAVE_API_TOKEN"
NOTHING_TO_DO = "Nothing to be done"
"""Snakemake's own words."""
NOTHING_STARTED = "stopped; nothing was started"
CHANGED_CODE = "go on though the model's code changed since trials were trained"
SAY_AGAIN = 600.0
"""Seconds after which a line is said again while nothing changes."""
LOOKS = (
    *("dryrun", "lint", "list_rules", "list_target_rules", "print_compilation", "dag", "rulegraph", "filegraph"),
    *("d3dag", "summary", "detailed_summary", "report", "containerize", "generate_unit_tests", "unlock", "archive"),
    *("list_changes", "list_input_changes", "list_params_changes", "list_untracked", "cleanup_metadata"),
    *("cleanup_shadow", "delete_all_output", "delete_temp_output", "conda_create_envs_only", "list_conda_envs"),
    *("conda_cleanup_envs", "container_cleanup_images"),
)
"""Options with which Snakemake runs no jobs. Were one missing here, leftover jobs would be waited for without need."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands `run` and `resume`."""
    common = (
        "This is snakemake, without its lock (which a killed run leaves behind): the search itself lets one process "
        "run it at a time. Options that are not listed here go to snakemake as they are. Ctrl-C and SIGTERM always end "
        "it, and its jobs; the same command goes on. Jobs in SLURM that a killed run left behind are found and waited "
        "for, or cancelled, before anything starts. How far the search has come is shown; what Snakemake says goes to "
        "a file in logs."
    )
    run = commands.add_parser(
        "run",
        help="start the workflow, or go on with it after anything that stopped it",
        description=f"Start the workflow, or go on with it after anything that stopped it. {common}",
        usage="%(prog)s [study file] [options]",
        # else --config of snakemake would be taken for --configfile
        allow_abbrev=False,
    )
    resume = commands.add_parser(
        "resume",
        help="go on with a search that was started",
        description="Go on with a search that was started, as 'run' does, and never start another. results/<study> "
        f"goes on with the settings of the last start, a study file with those that stand in it now. {common}",
        usage="%(prog)s [results/<study> | study file] [options]",
        allow_abbrev=False,
    )
    for parser, start in ((run, _run), (resume, _resume)):
        parser.add_argument("--configfile", type=Path, default=DEFAULT_STUDY, help="the study file")
        parser.add_argument(
            "-c", "--cores", help="cores to use here (default: what the study's workers need, all at most)"
        )
        parser.add_argument("--profile", help="where to run, such as profiles/slurm (default: here)")
        parser.add_argument(
            "--leftover",
            choices=["wait", "cancel"],
            help="what to do with jobs in SLURM that an earlier start left behind "
            "(default: ask, and wait where nobody can answer)",
        )
        parser.add_argument("--allow-changed-code", action="store_true", help=CHANGED_CODE)
        parser.add_argument(
            "--verbose",
            action="count",
            default=0,
            help="show what Snakemake says, not how far the search has come; given twice, with Snakemake's debugging",
        )
        parser.set_defaults(run=start, passes_on=True)


def print_result(folder: StudyFolder) -> None:
    """Tell what a finished search found, and where it lies."""
    from swift_hyperband.cli.status import spent

    found = read_text(folder.best)
    print(f"\n{found}\nbest configuration: {folder.best}\npictures and tables: {folder.report}")
    if records := accounting.read(folder.path):
        print(f"training jobs: {spent(jobs.totals(records))}")


def _run(options: argparse.Namespace) -> int:
    from swift_hyperband.study.model import load

    # as other commands take it; not left to argparse, for which the first value of an option that is snakemake's would
    # be the study
    if options.rest and _is_study_file(Path(options.rest[0])):
        options.configfile = Path(options.rest.pop(0))
    study = load(options.configfile)
    folder = StudyFolder(Path("results") / study.name)
    if not Path("workflow/Snakefile").exists():
        raise UserError("workflow/Snakefile: must be there, found no such file; run this in the project's folder")
    arguments = ["--nolock", *options.rest]
    if options.configfile != DEFAULT_STUDY:
        arguments += ["--configfile", str(options.configfile)]
    gives_jobs = any(re.match(r"-j|--jobs\b", option) for option in options.rest)
    if options.verbose > 1:
        arguments.append("--verbose")
    if options.profile is not None:
        arguments += ["--profile", options.profile]
    if options.cores is not None:
        arguments += ["--cores", options.cores]
    elif options.profile is None and not gives_jobs and not {"-e", "--executor"} & set(options.rest):
        resources = study.resources
        wanted = resources.workers * study.target.threads * resources.side_by_side
        arguments += ["--cores", str(min(os.cpu_count() or 1, wanted))]
    parser, parsed = _parsed(arguments)
    for name in ("cores", "jobs"):
        # with which Snakemake would wait for ever
        if isinstance(count := getattr(parsed, name), int) and count < 1:
            raise UserError(f"--{name} must be at least 1, found {count}")
    if any(str(given).startswith("name=") for given in parsed.config or ()):
        raise UserError(
            "--config name: must not be given, as jobs and results go by the name in the study file; "
            "give a study file of its own with --configfile"
        )
    on_slurm = _submits_to_slurm(parsed.executor)
    if on_slurm and parsed.verbose and TOKEN in os.environ:
        raise UserError(
            f"--verbose: must not be given twice while {TOKEN} is set, as jobs in SLURM would write their environment "
            "into their logs; keep the token in D-Wave's configuration file ('dwave config create')"
        )
    if options.allow_changed_code:
        provenance.allow()
    if parsed.executor not in (None, "local", "dryrun", "touch") and not gives_jobs:
        parsed.jobs = min(study.resources.workers, parsed.jobs or study.resources.workers)
    looks = any(getattr(parsed, name, None) for name in LOOKS)
    if on_slurm:
        if parsed.executor == "slurm" and not any(
            option.split("=")[0] == "--slurm-jobname-prefix" for option in options.rest
        ):
            parsed.slurm_jobname_prefix = queue.job_prefix(study.name)
        if not looks:
            _settle_leftovers(folder, study.name, options.leftover)
    if not looks:
        # here, where there is a terminal to ask at: Snakemake runs without one
        provenance.check(folder, study.definition()["target"])
    # who looks, or asks for Snakemake's commands or for its debugging, wants to see what Snakemake says
    shows = options.verbose or parsed.verbose or parsed.printshellcmds or OTHERS & set(parsed.targets or ())
    log = None if looks or shows else new_log(study.name)
    ended = _watched(lambda: _snakemake(parser, parsed, log), folder, study.name, on_slurm, log)
    if on_slurm and not looks and folder.study.exists():
        with suppress(OSError):
            accounting.note(folder.path)
    if ended.code == 0 and log is not None and NOTHING_TO_DO in log.read_text(encoding="utf-8", errors="replace"):
        print(NOTHING_TO_DO)
    if ended.code == 0 and folder.best.exists() and not looks:
        print_result(folder)
        if log is not None:
            print(f"log of Snakemake: {log}")
    elif ended.code == FAILED and log is not None:
        say(f"Snakemake ended with an error; its log is {log}")
        for line in failures(log):
            print(f"  {line}", file=sys.stderr, flush=True)
    return ended.code


def _resume(options: argparse.Namespace) -> int:
    from swift_hyperband.study.model import load

    where: Path | None = None
    if options.rest and _names_study(Path(options.rest[0])):
        where = Path(options.rest.pop(0))
    if where is not None and not _is_study_file(where):
        folder = StudyFolder(where)
    else:
        options.configfile = where or options.configfile
        folder = StudyFolder(Path("results") / load(options.configfile).name)
    if not folder.study.exists():
        raise UserError(
            f"{folder.path}: must hold a search that was started, found no {folder.study}; "
            "start it with 'swift-hyperband run'"
        )
    if folder.path == where:
        options.configfile = _frozen_study_file(folder)
    return _run(options)


def _is_study_file(path: Path) -> bool:
    """Whether a word is the path of a study file, and not of the best configuration, which Snakemake can make."""
    return path.suffix in (".yaml", ".yml") and path != StudyFolder(path.parent).best


def _names_study(path: Path) -> bool:
    """Whether a word is a study file or the folder of a study, and no option, rule or file for Snakemake to make."""
    return _is_study_file(path) or path.is_dir() or path.parent.name == "results"


def _frozen_study_file(folder: StudyFolder) -> Path:
    """Write the study that a folder holds, with the settings of its last start, to a study file; return its path."""
    from swift_hyperband.base.files import write_json
    from swift_hyperband.results.contents import known
    from swift_hyperband.results.freeze import load_frozen

    frozen = load_frozen(folder)
    study = {**frozen.definition, **frozen.settings}
    here = StudyFolder(Path("results") / study["name"])
    if here.path.resolve() != folder.path.resolve():
        raise UserError(f"{folder.path}: must be {here.path} of the folder where this is run, found another folder")
    # jobs that are still at work read it, too
    if known(folder.resume) != study:
        write_json(folder.resume, study)
    return folder.resume


def _parsed(arguments: list[str]) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Return what Snakemake makes of its command line and profiles: the first half of its main()."""
    from snakemake.cli import parse_args, print_exception

    # from here on SIGTERM takes along what was started, such as the question for SLURM's settings in the plugin
    signal.signal(signal.SIGTERM, _leave)
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            parser, parsed = parse_args(arguments)
    except Exception as error:
        print_exception(error)
        raise SystemExit(FAILED) from None
    finally:
        # which profiles it uses is what the user knows
        told = [line for line in said.getvalue().splitlines(keepends=True) if not PROFILE_SAID.match(line)]
        print("".join(told), end="", file=sys.stderr, flush=True)
    return parser, parsed


def _submits_to_slurm(executor: str | None) -> bool:
    # with commands of the site's own it may be another scheduler, where nobody can be asked
    return executor == "slurm" or (executor == "cluster-generic" and shutil.which("squeue") is not None)


def _leave(number: int, _: FrameType | None) -> NoReturn:
    # by itself, as it may have interrupted a print, within which another one fails
    os.write(2, f"swift-hyperband: {NOTHING_STARTED}\n".encode())
    raise SystemExit(128 + number)


def _snakemake(parser: argparse.ArgumentParser, parsed: argparse.Namespace, log: Path | None) -> int:
    """Run Snakemake, the second half of its main(), perhaps with a log for what it prints; return its exit code."""
    from snakemake.cli import args_to_api, print_exception

    with diverted(log) if log is not None else nullcontext():
        try:
            return 0 if args_to_api(parsed, parser) else FAILED
        except SystemExit as end:
            if not isinstance(end.code, str):
                return int(end.code or 0)
            mistake = end.code.removeprefix("error: ")
        except Exception as error:
            print_exception(error)
            return FAILED
    raise UserError(mistake)


def _watched(work: Callable[[], int], folder: StudyFolder, study: str, on_slurm: bool, log: Path | None) -> Ended:
    """Run Snakemake until it ends or is stopped; show how far it comes where it logs, and tell what became of it."""
    led = False
    stops = threading.Event()

    def follow(over: threading.Event) -> None:
        if log is not None:
            Live(folder, on_slurm).follow(lambda seconds: over.wait(seconds) or stops.is_set())

    def on_stop() -> None:
        nonlocal led
        stops.set()
        led = lease.is_held_by(folder.path, os.getpid())
        what = f"jobs in SLURM are cancelled, which may take {GRACE_ON_SLURM:.0f} s" if on_slurm else "jobs end"
        say(f"is being stopped: {what}")

    head.watcher = os.getpid()
    ended = watched(work, GRACE_ON_SLURM if on_slurm else GRACE, on_stop, follow)
    if ended.code == 0 or not (ended.stopped_by or ended.signal):
        return ended
    if on_slurm and (led or lease.is_held_by(folder.path, os.getpid())):
        _tell_what_remains(study, cancel=ended.stopped_by is not None)
    lease.clear(folder.path)
    if ended.stopped_by is None:
        assert ended.signal is not None
        say(f"Snakemake was ended by {signal.Signals(ended.signal).name} from outside; the same command goes on")
        return ended
    say(STOPPED)
    return Ended(128 + ended.stopped_by, ended.signal, ended.stopped_by)


def _tell_what_remains(study: str, cancel: bool) -> None:
    """Cancel what a stopped Snakemake has overlooked in SLURM, and tell what is still there."""
    # Snakemake cancels no jobs that it is just submitting or asking for, nor any where it must be ended by force
    try:
        found = _at_work(queue.jobs(study, say, pauses=()))
        if cancel and found:
            queue.cancel(found, say, pauses=())
            found = _at_work(queue.jobs(study, say, pauses=()))
    except queue.SlurmError as error:
        say(f"it is not known what remains in SLURM's queue ({error}); 'swift-hyperband resume' looks again")
        return
    if found:
        say(f"{queue.counted(found)} in SLURM go on; 'swift-hyperband resume' waits for them or cancels them")


def _at_work(found: list[queue.Job]) -> list[queue.Job]:
    return [job for job in found if job.state != "COMPLETING"]


def _settle_leftovers(folder: StudyFolder, study: str, choice: str | None) -> None:
    """Wait for jobs in SLURM that an earlier start left behind, or cancel them.

    Trials' leases keep two jobs from training the same, but the second would hold a node and wait.
    """
    if not queue.jobs(study, say):
        return
    # where another head lives, these are its jobs, and this is refused; and none comes to life meanwhile
    with head.lead(folder.path):
        try:
            found = queue.jobs(study, say)
            if found:
                say(f"{queue.counted(found)} of an earlier start are in SLURM: {', '.join(job.id for job in found)}")
                choice = choice or _ask()
                if choice == "quit":
                    say(NOTHING_STARTED)
                    raise SystemExit(1)
                if choice == "cancel":
                    queue.cancel(found, say)
                _wait_until_gone(study, "until these are gone" if choice == "cancel" else "for these")
        except KeyboardInterrupt:
            say(NOTHING_STARTED)
            raise


def _ask() -> str:
    """Ask what to do with leftover jobs; wait for them where nobody can answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "wait"
    choices = {"w": "wait", "c": "cancel", "q": "quit"}
    while True:
        print("Wait for them, cancel them, or quit? [w/c/q] ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            return "quit"
        if (first := answer.strip().lower()[:1]) in choices:
            return choices[first]


def _wait_until_gone(study: str, what: str) -> None:
    pause, said, since = 1.0, "", 0.0
    while True:
        try:
            found = queue.jobs(study, say, pauses=())
            if not found:
                return
            line = f"waits {what}: {queue.counted(found)}; Ctrl-C ends the waiting"
        except queue.SlurmError as error:
            line = f"waits, and does not know for what: {error}"
        if line != said or time.monotonic() - since > SAY_AGAIN:
            say(line)
            said, since = line, time.monotonic()
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
