"""The tables of `swift-hyperband plan` for people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from swift_hyperband.annealing.settings import REMOTE
from swift_hyperband.base.wording import duration
from swift_hyperband.cli import console
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.plan import LITTLE, Case, Plan, begun_anew, epochs, makespan
from swift_hyperband.search.schedule import Schedule, hyperband, random_search

if TYPE_CHECKING:
    from swift_hyperband.results.layout import StudyFolder
    from swift_hyperband.results.pace import Pace
    from swift_hyperband.study.model import Study
    from swift_hyperband.workflow.fitting import Outlook

_CASES: tuple[Case, Case] = ("half", "worst")


def show(study: Study, plan: Plan, pace: Pace | None, sampler: Outlook | None, former: StudyFolder | None) -> None:
    """Print a plan for people.

    Parameters
    ----------
    sampler : Outlook or None
        The state of the sampler of the fits, where they have one.
    former : StudyFolder or None
        The folder of a search that an earlier version began with another schedule.
    """
    screen = console.console()
    schedule, search = plan.schedule, study.search
    count = len(schedule.brackets)
    screen.print(f"\n[bold]{study.name}[/]  {search.algorithm}, max_epochs {search.max_epochs}, eta {search.eta}")
    screen.print(f"{schedule.configurations} configurations in {count} bracket{'s' if count > 1 else ''}\n")
    screen.print(_rounds(schedule))
    screen.print(_totals(study, plan, pace))
    screen.print()
    screen.print(_durations(study, plan, pace))
    trained = f"batches of trials as batch_size {plan.batch_size} makes them"
    if plan.execution == "workers":
        trained = "a worker trains a trial at a time"
    screen.print(
        "[dim]If half of the partial trials continue (in brackets: if all do). In epochs of one trial after another; "
        f"{trained}.[/]"
    )
    if pace is None:
        screen.print("[dim]For hours give --seconds-per-epoch, or plan again once the first epochs are trained.[/]")
    else:
        screen.print(f"[dim]Times at {pace.seconds:.3g} s an epoch ({pace.source}), without waiting for a queue.[/]")
    if schedule.thaw is not None and not study.keep_states:
        told = f"all {schedule.configurations} trials keep their states until the search is over, as any may go on then"
        screen.print(f"[dim]Thaw: {told}.[/]")
    if schedule.in_turn and count > 1:
        told = f"one after another, as {search.sampling} draws the configurations of each from all curves before it"
        screen.print(f"[dim]Brackets run {told}.[/]")
    if search.first:
        screen.print(f"[dim]First: {first_told(study)}.[/]")
    if sampler is not None:
        screen.print(f"\n{_annealer(study, sampler)}", soft_wrap=True)
    algorithm = ALGORITHMS[search.algorithm]
    if algorithm.predicts and not algorithm.random and _share_saved(schedule) < LITTLE:
        screen.print(f"\n[yellow]note:[/] {_how_to_save(study, schedule)}")
    screen.print()
    if former is not None:
        began = f"the search in {former.path} was begun by a former version, and goes on as it began"
        screen.print(f"[yellow]note:[/] {escape(began)}\n", soft_wrap=True)


def first_told(study: Study) -> str:
    """Say which of the trials have configurations that the user gave."""
    count = len(study.search.first)
    return f"{count} given configuration{'s' if count > 1 else ''} among the trials of bracket {study.first_bracket}"


def _annealer(study: Study, found: Outlook) -> str:
    """Say what the fits put to the sampler, and what of its time they will take if it is one in the network."""
    count = f"{len(found.sizes)} problem{'s' if len(found.sizes) > 1 else ''} of up to {max(found.sizes)} variables"
    told = f"annealer  {found.sampler}: {count}"
    if found.sampler in REMOTE:
        budget = study.budget.annealer_seconds
        seconds = found.ready.charged_seconds if found.ready is not None else None
        # why it is not known stands below
        told += f", at most {seconds * len(found.sizes):.2g} s of its time in all" if seconds is not None else ""
        told += "" if budget is None else f"; the budget is {budget:g} s"
    return "\n".join([escape(told), *(f"[yellow]note:[/] {escape(note)}" for note in found.notes)])


def _rounds(schedule: Schedule) -> Table:
    """Return the table of all rounds."""
    names = ("bracket", "round", "trials", "in full", "partial", "decided\nat epoch", "ends at\nepoch")
    table = console.table(*names, "epochs\nat most", "\nat least", collapse_padding=True)
    for bracket, rounds in schedule.brackets.items():
        for round_ in rounds:
            table.add_row(
                str(bracket) if round_.index == 0 else "",
                str(round_.index),
                str(round_.trials),
                str(round_.full),
                str(round_.partial) if round_.partial else "·",
                str(round_.decision_epoch) if round_.decision_epoch is not None else "·",
                str(round_.end),
                str(round_.epochs_worst),
                str(round_.epochs_best),
                end_section=round_.key == rounds[-1].key,
            )
    if (thaw := schedule.thaw) is not None:
        table.add_row("thaw", "", f"up to {thaw.trials}", "·", "·", "·", str(thaw.end), str(thaw.budget), "0")
    return table


def _totals(study: Study, plan: Plan, pace: Pace | None) -> Table:
    """Return the sums, at most and at least."""
    table = Table.grid(padding=(0, 3))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column()
    table.add_row("", "[dim]at most[/]", "[dim]at least[/]", "")
    most, least = epochs(plan.schedule, "worst"), epochs(plan.schedule, "best")
    whose = "those of training all fully" if ALGORITHMS[study.search.algorithm].random else "Hyperband's"
    saved = f"[dim]saves up to {_share_saved(plan.schedule):.0%} of {whose}[/]"
    table.add_row("epochs", str(most), str(least), saved if least < most else "[dim]nobody is stopped by prediction[/]")
    if not study.target.resumable:
        again = begun_anew(plan.schedule, "worst"), begun_anew(plan.schedule, "best")
        table.add_row("  again", *map(str, again), "[dim]as the program cannot go on where it was[/]")
        most, least = most + again[0], least + again[1]
    if plan.execution == "workers" and study.speculate:
        bound = f" by at most {study.speculate:g} of these" if study.speculate is not True else ""
        why = f"and more, in part in vain: workers without other work train ahead{bound} (speculate)"
        table.add_row("  ahead", "", "", f"[dim]{why}[/]")
    table.add_row("jobs", str(plan.jobs("worst")), str(plan.jobs("best")), "[dim]of the workflow[/]")
    (jobs, alone), (least_jobs, _) = plan.trainings("worst"), plan.trainings("best")
    packed = f"{alone - jobs} waits in a queue saved by packing {alone} trainings" if jobs < alone else "one trial each"
    if plan.execution == "workers":
        packed = f"workers that stay, for up to {alone} trainings"
    table.add_row("  of training", str(jobs), str(least_jobs), f"[dim]{packed}[/]")
    if pace is not None:
        table.add_row("training", duration(most * pace.seconds), duration(least * pace.seconds), "")
        if gpus := study.resources.gpus:
            hours = [f"{total * pace.seconds * gpus / 3600:.3g}" for total in (most, least)]
            side_by_side = study.resources.side_by_side
            shared = f", at most {side_by_side} times fewer as trials share them" if side_by_side > 1 else ""
            table.add_row("GPU-hours", *hours, f"[dim]{gpus} GPU{'s' if gpus > 1 else ''} a training job{shared}[/]")
    return table


def _durations(study: Study, plan: Plan, pace: Pace | None) -> Table:
    """Return how long the search takes, beside Hyperband and beside the other way to use curves."""
    search = study.search
    algorithm = ALGORITHMS[search.algorithm]
    if algorithm.random:
        rows = {ALGORITHMS["random"].label: random_search(search.max_epochs, search.eta, plan.schedule.configurations)}
    else:
        rows = {ALGORITHMS["hyperband"].label: hyperband(search.max_epochs, search.eta, search.brackets)}
    chosen = algorithm.label
    if algorithm.random:
        rows[chosen] = plan.schedule
    if algorithm.predicts and not algorithm.random:
        names = {True: "Swift, curves shared", False: "Swift, own curves"}
        chosen = names[study.swift.share_curves]
        found = {name: _shared(study, share) for share, name in names.items()}
        # without curves of other brackets the default decides nothing, and is Hyperband
        rows |= {name: schedule for name, schedule in found.items() if name == chosen or schedule.decides}
    workers = f"{plan.workers} worker{'s' if plan.workers > 1 else ''}"
    table = console.table(collapse_padding=True)
    table.add_column("how long it takes")
    for name in ("epochs\nin all", f"with\n{workers}", "with unlimited\nworkers"):
        table.add_column(name, justify="right")
    for name, schedule in rows.items():
        cells = [
            _cell([epochs(schedule, case) for case in _CASES], None),
            _cell([makespan(schedule, case, plan.packing, plan.workers, plan.seconds) for case in _CASES], pace),
            _cell([makespan(schedule, case, plan.packing, None, plan.seconds) for case in _CASES], pace),
        ]
        label = f"[bold]{name}[/]\n[dim]this study[/]" if name == chosen else name
        table.add_row(label, *cells)
    return table


def _shared(study: Study, share: bool) -> Schedule:
    """Return the schedule that a study of Swift-Hyperband has with or without curves shared by its brackets."""
    return study.model_copy(update={"swift": replace(study.swift, share_curves=share)}).schedule()


def _cell(cases: list[int], pace: Pace | None) -> str:
    """Return "half (all)", with the time it takes below."""
    half, worst = cases
    text = f"{half} ({worst})" if half != worst else str(half)
    if pace is None:
        return text
    times = [duration(case * pace.seconds) for case in cases]
    return f"{text}\n[dim]{times[0]} ({times[1]})[/]" if half != worst else f"{text}\n[dim]{times[0]}[/]"


def _share_saved(schedule: Schedule) -> float:
    """Return the share of Hyperband's epochs that is saved at best."""
    return 1 - schedule.epochs_best / schedule.epochs_hyperband


def _how_to_save(study: Study, schedule: Schedule) -> str:
    found = f"saves at best {_share_saved(schedule):.1%} of Hyperband's epochs"
    ways = ["swift.preset: default"] if study.swift.preset != "default" else []
    fewest = study.predictor.fewest_curves
    if any(round_.idle for round_ in schedule.rounds):
        ways.append(f"a swift.d of at least {fewest} (predictor.fewest_curves)")
    elif study.swift.teachers == "all" and not study.swift.share_curves:
        ways.append("swift.share_curves: true")
    elif study.swift.teachers == "reference" and study.swift.d > fewest:
        ways.append(f"a swift.d below {study.swift.d}")
    else:
        ways.append("a larger search.max_epochs")
    return f"with these settings the search {found}; set {' or '.join(ways)}"
