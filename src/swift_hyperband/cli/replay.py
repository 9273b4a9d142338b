"""`swift-hyperband replay`: a search over recorded learning curves, many times, in seconds."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from swift_hyperband.base import keys
from swift_hyperband.base.errors import KeysError, UserError
from swift_hyperband.base.shipped import page
from swift_hyperband.base.wording import one_of
from swift_hyperband.cli import console
from swift_hyperband.cli.arguments import at_least
from swift_hyperband.cli.progress_bar import bar
from swift_hyperband.compare.verdicts import verdict
from swift_hyperband.processes.exit_codes import INTERRUPTED
from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.draws import Draw
from swift_hyperband.replay.model_draws import draws, with_caution
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay, Run, interval
from swift_hyperband.replay.searches import PREDICTORS, Recipe
from swift_hyperband.replay.tables.reader import published_epochs, read
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.report.verdicts import kill_risks, sentence
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.fast_hyperband import FastSettings
from swift_hyperband.study.model import load
from swift_hyperband.study.presets import PRESETS
from swift_hyperband.study.reader import parse_yaml
from swift_hyperband.study.section import checked

FEW = 30
"""Curves below which a replay says nothing of others."""
LONG = 1e9
"""From here on numbers are printed with their power of ten."""

FORMATS = ("mlpf", "cifar10", "ptb", "svhn", "long")
EXAMPLE = """examples:
  swift-hyperband replay delphes_trainings_processed.csv --format mlpf --preset published
  swift-hyperband replay results/digits-curves/curves.parquet --metric accuracy --mode max --search hyperband
  swift-hyperband replay curves.csv --metric loss --mode min --search asha --max-epochs 81 --eta 3 --workers 64
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `replay` takes."""
    parser.description = (
        "Replay a search over a table of recorded learning curves, once for each seed, beside Hyperband on the same "
        f"configurations. {page('replay.md')} explains tables, searches and numbers."
    )
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("table", type=Path, metavar="TABLE", help="a file of learning curves")
    table = parser.add_argument_group("the table")
    table.add_argument("--format", choices=FORMATS, help="who wrote it (default: guessed from the file)")
    table.add_argument("--metric", help="the metric to optimise, where there are several")
    table.add_argument("--mode", choices=("min", "max"), help="whether it is minimised or maximised")
    table.add_argument(
        "--metric-at",
        choices=("last", "best"),
        default="last",
        help="which epoch of a curve counts: its last one, or its best one so far (default: last)",
    )
    table.add_argument("--distinct", action="store_true", help="leave out rows that repeat a configuration")
    search = parser.add_argument_group("the search")
    search.add_argument(
        "--search", choices=tuple(ALGORITHMS), default="swift-hyperband", help="default: swift-hyperband"
    )
    search.add_argument("--max-epochs", type=int, metavar="R", help="default: as published, else the table's last")
    search.add_argument("--eta", type=int, metavar="E", help="default: 2 for a published table, else 3")
    search.add_argument("--brackets", type=_numbers, metavar="S,S,...", help="brackets to run (default: all)")
    search.add_argument("--preset", choices=("default", *PRESETS), default="default", help="default: default")
    search.add_argument("--predictor", choices=tuple(PREDICTORS), help="default: that of the preset")
    search.add_argument("--trials", type=int, help="trials of a random search (default: as Hyperband's epochs pay for)")
    search.add_argument("--full", type=int, help="how many of them train fully (predicted-random, one-epoch)")
    search.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other setting: swift.margin=1, predictor.C=3, fast.confidence=0.9 ...; may be given again",
    )
    drawn = parser.add_argument_group("configurations")
    drawn.add_argument(
        "--seeds", type=int, action=at_least(1), default=10, metavar="N", help="replays, seeds 0 to N-1 (default: 10)"
    )
    drawn.add_argument(
        "--study",
        type=Path,
        help="draw from the space of this study, and take the nearest row (default: shuffled rows)",
    )
    drawn.add_argument(
        "--sampling",
        choices=("random", "tpe", "bohb"),
        default="random",
        help="tpe, bohb: two in three are drawn by a model of the curves of earlier brackets, as in a study",
    )
    cluster = parser.add_argument_group("a simulated cluster")
    cluster.add_argument("--workers", type=int, metavar="W", help="trainings side by side (default: 1)")
    cluster.add_argument(
        "--seconds-per-epoch", type=float, metavar="S", help="where the table does not tell; default 1"
    )
    cluster.add_argument("--pace", choices=("constant", "per-configuration", "heavy-tailed"), default="constant")
    cluster.add_argument("--spread", type=float, default=0.5, help="of the pace (default: 0.5)")
    cluster.add_argument("--start-seconds", type=float, default=0.0, metavar="S", help="start of a job")
    cluster.add_argument(
        "--queue-seconds", type=float, default=0.0, metavar="S", help="mean wait of a job in the queue"
    )
    cluster.add_argument("--failures-per-hour", type=float, default=0.0, metavar="F", help="of a worker that trains")
    cluster.add_argument(
        "--speculate",
        type=float,
        nargs="?",
        const=True,
        default=False,
        metavar="SHARE",
        help="free workers train ahead of a search in rounds; SHARE: by at most this share of the epochs asked for",
    )
    cluster.add_argument("--gantt", type=Path, metavar="PNG", help="draw who trained what and when, for the first seed")
    parser.add_argument("--json", action="store_true", help="print the runs as JSON")
    parser.set_defaults(run=_replay)


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be numbers with commas between, found {text!r}") from None


def _replay(options: argparse.Namespace) -> int:
    table = read(options.table, options.format, options.metric, options.mode, options.metric_at)
    wanted = _recipe(options, table)
    if options.distinct:
        # of those that are long enough, so that no configuration is lost because its first row is short
        table = table.complete(wanted.max_epochs).distinct()
    table = with_caution(table, options.sampling)
    replay = Replay(table, wanted.max_epochs, *_draws(options, table.complete(wanted.max_epochs)))
    cluster = _cluster(options)
    runs: list[Run] = []
    stopped = False
    try:
        runs.extend(progress(replay.runs(wanted, range(options.seeds), cluster), options.seeds, wanted.label))
    except KeyboardInterrupt:
        stopped = True
    if options.json:
        notes = [*replay.complete.notes, *_cautions(replay, wanted, cluster)]
        print(json.dumps({"runs": [run.to_json() for run in runs], "notes": notes}, indent=1))
    elif runs:
        _print(console.console(), replay, wanted, runs, cluster)
    if options.gantt is not None and not stopped:
        _gantt(options.gantt, replay, wanted, cluster)
    return INTERRUPTED if stopped else 0


def _recipe(options: argparse.Namespace, table: CurveTable) -> Recipe:
    settings = _settings(options.set)
    if options.predictor is not None:
        settings["predictor"]["name"] = options.predictor
    published = published_epochs(table)
    try:
        return recipe(
            options.search,
            options.max_epochs if options.max_epochs is not None else published or table.epochs,
            options.eta if options.eta is not None else 2 if published else 3,
            where="command line",
            preset=options.preset,
            brackets=options.brackets,
            trials=options.trials,
            full=options.full,
            swift=settings["swift"],
            predictor=settings["predictor"],
            fast=checked(FastSettings, settings["fast"], "", "fast"),
            adaptive=checked(AdaptiveSettings, settings["adaptive"], "", "adaptive"),
            sampling=options.sampling,
        )
    except KeysError as error:
        raise _of_options(error) from None


def _of_options(error: KeysError) -> KeysError:
    """Return an error that names the options of the keys."""

    def option(path: str) -> str:
        section, _, name = path.partition(".")
        return f"--set {path}" if section in _SECTIONS else f"--{name.replace('_', '-')}"

    return KeysError("", [(option(path), text) for path, text in error.problems])


_SECTIONS = ("swift", "predictor", "fast", "adaptive")
"""Sections whose keys `--set` takes."""


def _settings(given: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the settings of `--set`, by section."""
    found: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    for text in given:
        key, equals, value = text.partition("=")
        section, dot, name = key.partition(".")
        if not equals or not dot or section not in found:
            ways = one_of([f"{name}.KEY=VALUE" for name in _SECTIONS])
            raise UserError(f"--set must be {ways}, found {text!r}")
        try:
            found[section][name] = parse_yaml(value)
        except UserError:
            raise UserError(f"--set {key} must be a value as in YAML, found {value!r}") from None
    return found


def _draws(options: argparse.Namespace, table: CurveTable) -> tuple[Draw | None, Draw | None]:
    """Return what draws configurations, and those of the Hyperband beside; None for shuffled rows."""
    space = None if options.study is None else load(options.study, data=False).search_space()
    return draws(table, options.sampling, space)


def _cluster(options: argparse.Namespace) -> ClusterSettings | None:
    """Return the cluster, if anything was said of one."""
    given = {name: getattr(options, name) for name in keys.of(ClusterSettings) if hasattr(options, name)}
    given = {name: value for name, value in given.items() if value is not None}
    try:
        found = checked(ClusterSettings, given, "", "cluster")
    except KeysError as error:
        raise _of_options(error) from None
    asked = options.workers is not None or options.gantt is not None
    return found if asked or found != ClusterSettings(spread=options.spread) else None


def progress(runs: Iterator[Run], total: int, what: str) -> Iterator[Run]:
    """Pass runs on, with a bar."""
    with bar() as shown:
        task = shown.add_task(what, total=total)
        for run in runs:
            shown.advance(task)
            yield run


def _print(
    screen: Console, replay: Replay, recipe: Recipe, runs: Sequence[Run], cluster: ClusterSettings | None
) -> None:
    """Print a table for people."""
    table = replay.complete
    search = recipe.study.definition["search"]
    screen.print(
        f"\n[bold]{recipe.label}[/] on {table.name}: {table.rows} curves of {table.metric.name} ({table.metric.mode})"
    )
    screen.print(f"max_epochs {recipe.max_epochs}, eta {search['eta']}, {len(runs)} seeds", style="dim")
    for note in table.notes:
        screen.print(f"note: {note}", style="dim", markup=False)
    for caution in _cautions(replay, recipe, cluster):
        screen.print(f"note: {caution}", style="yellow", markup=False)
    shown = console.table()
    shown.add_column("")
    for name in ("mean", "± 95 %", "best", "worst"):
        shown.add_column(name, justify="right")
    order = 1 if table.metric.minimised else -1
    where = "at the end" if table.metric.at == "last" else "at the best epoch"
    lines: list[tuple[str, Sequence[float | None], int]] = [
        (f"{table.metric.name} {where}", [run.best for run in runs], order),
        ("  of Hyperband", [run.hyperband_best for run in runs], order),
        ("regret", [run.regret for run in runs], 1),
        ("epochs", [run.epochs for run in runs], 1),
        ("  of Hyperband", [run.hyperband_epochs for run in runs], 1),
        ("predictors fitted", [run.fits for run in runs], 1),
    ]
    if cluster is not None:
        lines.append(("makespan, s", [run.makespan for run in runs], 1))
        lines.append(("utilisation", [run.utilisation for run in runs], -1))
        if cluster.speculate is not False:
            lines.append(("epochs ahead, used", [run.used_ahead for run in runs], -1))
            lines.append(("  in vain", [run.in_vain for run in runs], 1))
    lines.append(("CPU s a replay", [run.cpu_s for run in runs], 1))
    for name, values, better in lines:
        if known := [value for value in values if value is not None]:
            shown.add_row(name, *map(_number, _summary(known, better)))
    screen.print()
    screen.print(shown)
    same = sum(run.best is not None and run.best == run.hyperband_best for run in runs)
    if any(run.winner_stopped is not None for run in runs):
        screen.print(kill_risks([run.winner_stopped for run in runs], [run.kill_risk for run in runs]), soft_wrap=True)
    failed = sum(run.best is None for run in runs)
    screen.print(f"\n{_balance(runs)}; the same best value in {same} of {len(runs)} seeds")
    if not (recipe.is_plain and replay.plain_draw is None):
        screen.print(f"verdict: {sentence(verdict([run.to_json() for run in runs], table.metric))}", soft_wrap=True)
    if failed:
        screen.print(f"in {failed} seeds no trial reached the last epoch", style="yellow")
    screen.print()


def _cautions(replay: Replay, recipe: Recipe, cluster: ClusterSettings | None) -> list[str]:
    """Return what the search does differently here, and why the figures of a replay say little."""
    rows, wanted = replay.complete.rows, recipe.configurations
    note = recipe.note(1 if cluster is None else cluster.workers)
    found = [] if note is None else [note]
    if rows < FEW:
        found.append(f"{rows} curves are too few for figures that say anything of others")
    if rows < wanted and replay.draw is None:
        found.append(
            f"a search has {wanted} configurations, so each of the {rows} curves is drawn "
            f"{wanted / rows:.1f} times on average"
        )
    return found


def _balance(runs: Sequence[Run]) -> str:
    """Say what was saved against Hyperband, or why nothing was."""
    spent, plain = sum(run.epochs for run in runs), sum(run.hyperband_epochs for run in runs)
    if not plain:
        return "no epoch was trained"
    saved = 1 - spent / plain
    if saved >= 0:
        return f"epochs saved against Hyperband: {saved:.1%}"
    return f"{-saved:.1%} more epochs trained than by Hyperband on the same configurations"


def _summary(values: Sequence[float], order: int) -> tuple[float, float, float, float]:
    """Return the mean, half its 95 % interval, the best and the worst value; `order` 1 if small ones are good."""
    mean, half = interval(values)
    ends = min(values), max(values)
    return mean, half, *(ends if order > 0 else ends[::-1])


def _number(value: float) -> str:
    if math.isnan(value):
        return "·"
    return f"{value:.0f}" if 1000 <= abs(value) < LONG else f"{value:.5g}"


def _gantt(path: Path, replay: Replay, recipe: Recipe, cluster: ClusterSettings | None) -> None:
    # matplotlib, which only the picture needs
    from swift_hyperband.report import gantt, style

    assert cluster is not None
    _, simulation = replay.run(recipe, 0, cluster)
    assert simulation is not None
    with style.style():
        picture = gantt.draw(
            simulation, f"{recipe.label} on {replay.table.name}", lambda _, epochs: f"to epoch {epochs}"
        )
        style.save(picture, path)
    print(f"picture: {path}")
