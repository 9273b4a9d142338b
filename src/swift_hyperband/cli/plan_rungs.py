"""The plan of a search without rounds: bounds, and how many epochs it trained in replays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from swift_hyperband.base.shipped import page
from swift_hyperband.base.wording import duration
from swift_hyperband.cli import console
from swift_hyperband.cli.plan_tables import first_told
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.plan import Plan
from swift_hyperband.search.start import note

if TYPE_CHECKING:
    from swift_hyperband.results.pace import Pace
    from swift_hyperband.study.model import Study

IN_REPLAYS = {
    "asha": ("1.1 to 1.3 times those of Hyperband", "swift-asha.md"),
    "swift-asha": (".7 to .8 times those of Hyperband with one worker, 1.0 to 1.1 times with 16", "swift-asha.md"),
    "fast-hyperband": (".95 to 1 times those of Hyperband", "comparison.md"),
    "adaptive-hyperband": ("nearly all of adaptive.budget", "replay.md"),
}
"""The epochs that each algorithm trained on the published tables, and the page that tells of them."""
NO_BOUND = "not bounded: each trial that is better than all before it goes on"


def to_json(study: Study, plan: Plan) -> dict[str, Any]:
    """Return the plan as `swift-hyperband plan --json` prints it."""
    schedule = plan.schedule
    return {
        "configurations": schedule.configurations,
        "epochs": {"hyperband": schedule.epochs_hyperband, "worst": study.frozen().most_epochs()},
        "workers": _workers(study, plan),
        "rungs": [
            {"bracket": bracket, "epochs": [round_.end for round_ in rounds], "trials": rounds[0].trials}
            for bracket, rounds in schedule.brackets.items()
        ],
    }


def show(study: Study, plan: Plan, pace: Pace | None) -> None:
    """Print the plan for people."""
    screen = console.console()
    schedule, search = plan.schedule, study.search
    count, workers = len(schedule.brackets), _workers(study, plan)
    screen.print(f"\n[bold]{study.name}[/]  {search.algorithm}, max_epochs {search.max_epochs}, eta {search.eta}")
    adapts = ALGORITHMS[search.algorithm].adapts
    how = "of which it chooses, more than once if they pay" if adapts else "no rounds"
    screen.print(f"{schedule.configurations} configurations in {count} bracket{'s' if count > 1 else ''}, {how}\n")
    table = console.table("bracket", "trials", "rungs at epoch", collapse_padding=True)
    for bracket, rounds in schedule.brackets.items():
        table.add_row(str(bracket), str(rounds[0].trials), ", ".join(str(round_.end) for round_ in rounds))
    screen.print(table)
    screen.print(_totals(study, plan, pace, workers))
    screen.print()
    for line in _notes(study, workers):
        screen.print(line, soft_wrap=True)
    screen.print()


def _workers(study: Study, plan: Plan) -> int:
    """Return how many trials train side by side."""
    return plan.workers * study.resources.side_by_side if study.execution == "workers" else 1


def _totals(study: Study, plan: Plan, pace: Pace | None, workers: int) -> Table:
    plain, most = plan.schedule.epochs_hyperband, study.frozen().most_epochs()
    table = Table.grid(padding=(0, 3))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    bounded = ("at most", str(most), "") if most is not None else ("at most", "·", f"[dim]{NO_BOUND}[/]")
    table.add_row("epochs " + bounded[0], *bounded[1:])
    table.add_row("  of Hyperband", str(plain), "")
    table.add_row("  in replays", "", f"[dim]{IN_REPLAYS[study.search.algorithm][0]}[/]")
    if pace is not None:
        shown = "as many epochs as Hyperband" if most is None else "all these epochs"
        seconds = (plain if most is None else most) * pace.seconds
        side_by_side = f"{workers} trial{'s' if workers > 1 else ''} at a time"
        table.add_row("training", duration(seconds / workers), f"[dim]{shown}, {side_by_side}, nobody idle[/]")
    return table


def _notes(study: Study, workers: int) -> list[str]:
    found = [f"[dim]replays: {escape(page(IN_REPLAYS[study.search.algorithm][1]))}[/]"]
    if study.execution == "rounds":
        found.append(
            "[yellow]note:[/] 'swift-hyperband search' trains one trial after another; the workflow, and more at a "
            "time, need execution: workers"
        )
    if (line := note(study.search.algorithm, study.adaptive, workers)) is not None:
        found.append(f"[yellow]note:[/] {line}")
    if workers > 1:
        found.append("[dim]With several workers the result depends on the order in which trainings end.[/]")
    if study.search.first:
        found.append(f"[dim]First: {first_told(study)}.[/]")
    if not study.keep_states:
        found.append("[dim]All trials keep their states until the search is over, as any may go on.[/]")
    return found
