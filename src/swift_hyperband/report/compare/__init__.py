"""Pictures and tables of comparisons."""

from swift_hyperband.report import style

COLOURS = {
    "random": style.GREY,
    "predicted-random": "#CC79A7",
    "one-epoch": "#8C6D31",
    "hyperband": style.DARK,
    "fast-hyperband": style.ORANGE,
    "swift-hyperband": style.BLUE,
    "asha": style.GREEN,
    "swift-asha": style.RED,
    "adaptive-hyperband": "#882255",
}
"""Of algorithms."""
