"""Verdicts in words and tables. Without matplotlib, so that a replay can print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.verdicts import WORDS, Overall, Verdict, mean_known
from swift_hyperband.report.tables import csv_text, markdown, plus_minus

EXPLAINED = """\
A search is better or worse than Hyperband on a table if the 95 % interval of the difference of their regrets, seed by
seed, lies wholly on one side of 0. Level means that no difference was shown; more seeds may show one. Epochs are shares
of Hyperband's: the mean over the tables, and the largest. The worst table has the largest difference of regrets.
"""


def sentence(verdict: Verdict) -> str:
    """Return a verdict in one line."""
    parts = [f"{'level with' if verdict.word == 'level' else f'{verdict.word} than'} Hyperband"]
    parts += [f"regret {difference(verdict.regret)}"] if verdict.regret is not None else []
    parts.append(f"worse in {percent(verdict.worse)} and better in {percent(verdict.better)} of the seeds")
    parts += [f"at {percent(verdict.epochs.mean)} of its epochs"] if verdict.epochs is not None else []
    return f"{parts[0]}: {', '.join(parts[1:])}"


def beaten(search: str, by: Mapping[str, Verdict]) -> str:
    """Return by which baselines, at least one, a search is beaten, in one line."""
    told = []
    for baseline, found in by.items():
        facts = [f"regret {difference(found.regret)}"] if found.regret is not None else []
        facts += [f"at {percent(found.epochs.mean)} of its epochs"] if found.epochs is not None else []
        told.append(f"{baseline} ({', '.join(facts)})")
    return f"{search} is beaten by {' and by '.join(told)}"


def short(verdict: Verdict | None) -> tuple[str, str]:
    """Return the word of a verdict, and in which shares of the seeds the search is worse and better."""
    if verdict is None:
        return "", ""
    return verdict.word, f"{100 * verdict.worse:.0f}/{100 * verdict.better:.0f} %"


def difference(mean: Mean | None) -> str:
    """Return a mean difference with its sign and its interval; nothing if there is none."""
    if mean is None:
        return ""
    text = plus_minus(mean.mean, mean.half)
    return f"+{text}" if mean.mean > 0 else text


def percent(share: float) -> str:
    """Return a share in percent."""
    return f"{100 * share:.0f} %"


KILL_RISK = "kill risk (predicted)"
"""The name of what `kill_risk` returns."""


def kill_risk(counted: float | None, predicted: float | None) -> str:
    """Return the counted kill risk in percent, and the predicted one in brackets; nothing of what is unknown."""
    if counted is None:
        return ""
    return percent(counted) + ("" if predicted is None else f" ({percent(predicted)})")


def kill_risks(stopped: Sequence[bool | None], predicted: Sequence[float | None]) -> str:
    """Return the kill risk of runs in one line, given whether each stopped the winner, and the predicted chances."""
    known = [one for one in stopped if one is not None]
    line = f"kill risk: a prediction stopped the winner of Hyperband in {sum(known)} of {len(known)} seeds"
    chance = mean_known(predicted)
    return line if chance is None else f"{line}; by the predictions and their errors {chance:.1%}"


COLUMNS = ("better/\nlevel/\nworse", "epochs\n(most)", "worse in\nat most", "worst table:\nregret")
"""Of the table over all tables, behind the search, in lines; epochs are shares of Hyperband's."""


def row(found: Overall) -> list[str]:
    """Return the row of a search in the table over all tables; cells may have two lines."""
    counts = "/".join(str(found.tables[word]) for word in WORDS)
    epochs = f"{percent(found.epochs)} ({percent(found.most_epochs)})"
    worst = f"{found.worst}:\n{difference(found.worst_verdict.regret) or 'none'}"
    return [found.search, counts, epochs, percent(found.most_worse), worst]


def as_markdown(found: Sequence[Overall]) -> str:
    """Return the table over all tables in Markdown."""
    head, *rows = [[cell.replace("\n", " ") for cell in cells] for cells in (["search", *COLUMNS], *map(row, found))]
    return markdown(head, rows)


def as_csv(found: Sequence[Overall]) -> str:
    """Return the figures over all tables as CSV, a line for each search; no text if there is no search."""
    lines: list[dict[str, Any]] = []
    for one in found:
        regret = one.worst_verdict.regret
        lines.append(
            {
                "search": one.search,
                **{str(word): count for word, count in one.tables.items()},
                "epochs": one.epochs,
                "most_epochs": one.most_epochs,
                "most_worse": one.most_worse,
                "worst_table": one.worst,
                "worst_regret_difference": None if regret is None else regret.mean,
                "worst_regret_difference_half_interval": None if regret is None else regret.half,
            }
        )
    return csv_text(lines) if lines else ""
