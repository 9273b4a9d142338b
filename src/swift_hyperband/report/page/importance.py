"""Which hyperparameters mattered, with the error, and why not to trust it."""

from __future__ import annotations

from swift_hyperband.report import style
from swift_hyperband.report.importance import MOST, Importance
from swift_hyperband.report.page import look

MOST_BARS = 20
TEXT = (
    "By how much a random forest explains the trials' ranks worse if one hyperparameter is shuffled (permutation "
    "importance; Breiman 2001). Trials that failed or diverged count as worst. Bars have their standard error; a "
    "bar that its error reaches down to 0 tells nothing. They hold for the trials that this search trained so "
    "far, of which promotions have chosen the better ones."
)


def section(found: Importance) -> look.Section:
    """Return the bars, the most important hyperparameter above."""
    if not found.weights:
        return look.Section("importance", "Importance", TEXT, None, found.warnings)
    shown = found.weights[:MOST_BARS][::-1]
    figure = look.figure(110 + 28 * len(shown), margin={"l": 60, "r": 20, "t": 10, "b": 50})
    figure.add_traces(
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": [weight.importance for weight in shown],
                "y": [look.text(weight.name) for weight in shown],
                "marker": {"color": style.BLUE},
                "error_x": {"type": "data", "array": [weight.error for weight in shown], "color": style.GREY},
                "customdata": [[weight.error, weight.active] for weight in shown],
                "hovertemplate": "%{y}: %{x:.3f} ± %{customdata[0]:.3f}<br>"
                "active in %{customdata[1]} trials<extra></extra>",
            }
        ]
    )
    figure.update_xaxes(title_text="fall of the out-of-bag R²", zeroline=True, zerolinecolor=style.GREY)
    figure.update_yaxes(type="category", showgrid=False)
    lost = f", {found.lost} of them lost" if found.lost else ""
    at = f" at epoch {found.epoch}" if found.epoch is not None else ""
    drawn = f", drawn from {found.drawn_from:,}" if found.drawn_from > MOST else ""
    text = f"{TEXT} <b>{found.trials} trials{at}{lost}{drawn}; the forest's out-of-bag R² is {found.r2:.2f}.</b>"
    notes = list(found.warnings)
    if len(found.weights) > MOST_BARS:
        notes.append(f"The {MOST_BARS} most important of {len(found.weights)} hyperparameters are shown.")
    return look.Section("importance", "Importance", text, figure, notes)
