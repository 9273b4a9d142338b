"""How much of a search earlier searches save, before it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from swift_hyperband.earlier.sources import Offer, offers, sources
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.schedule import Round

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study


@dataclass(frozen=True)
class Foresight:
    """What earlier searches give.

    Attributes
    ----------
    trials, epochs : int
        How many trials the search goes on with, and with how many of their epochs.
    least, most : int
        How many of these it asks for: which trials are promoted is not known before.
    without_states : int
        How many of the trials have no state, and train anew where they must go on.
    left_out : mapping of str to dict
        By folder, how many trials were left out for which reason.
    """

    trials: int
    epochs: int
    least: int
    most: int
    without_states: int
    left_out: Mapping[str, Mapping[str, int]]

    @property
    def told(self) -> str:
        """In words."""
        where = " and ".join(self.left_out)
        if not self.trials:
            reasons = [f"{count}, as {why}" for found in self.left_out.values() for why, count in found.items()]
            return f"no trial of {where} can be taken over" + (f": left out {'; '.join(reasons)}" if reasons else "")
        count = f"{self.trials} trial{'s' if self.trials > 1 else ''}"
        bounds = f"at least {self.least} and at most {self.most}" if self.least < self.most else str(self.most)
        told = f"{count} of {where}: {bounds} of these epochs are there already"
        if self.without_states:
            told += f"; {self.without_states} of them have no state and train anew where they must go on"
        return told

    def to_json(self) -> dict[str, Any]:
        """Return it as `swift-hyperband plan --json` prints it."""
        return asdict(self)


def foresee(study: Study, folder: StudyFolder, where: str) -> Foresight | None:
    """Return what the earlier searches of a study give; None if it names none.

    Parameters
    ----------
    study : Study
    folder : StudyFolder
        Where its search lies, or will lie.
    where : str
        The study's file, for messages.

    Raises
    ------
    UserError
        As `sources.sources`.
    """
    if not study.earlier:
        return None
    offered = offers(study, sources(study, folder, where))
    by_bracket: dict[int, list[Offer]] = {}
    for offer in offered.trials.values():
        by_bracket.setdefault(offer.config.bracket, []).append(offer)
    supply, total = study.supply(), sum(offer.epochs for offer in offered.trials.values())
    least, most = 0, total
    # without rounds any trial may go on, and none is sure to begin
    if ALGORITHMS[study.search.algorithm].synchronous:
        thawed = 0 if supply.thaw is None else supply.thaw.budget or 0
        least = sum(_certain(supply.brackets[bracket], found) for bracket, found in by_bracket.items())
        possible = sum(_possible(supply.brackets[bracket], found) for bracket, found in by_bracket.items())
        most = min(total, possible + thawed)
    return Foresight(
        trials=len(offered.trials),
        epochs=total,
        least=least,
        most=most,
        without_states=sum(not offer.state for offer in offered.trials.values()),
        left_out=offered.left_out,
    )


def _certain(rounds: Sequence[Round], found: Sequence[Offer]) -> int:
    """Return how many epochs of a bracket's trials its first round asks for.

    The last epoch of the search is not taken over without a state where jobs train in rounds.
    """
    point, last = rounds[0].decision_epoch or rounds[0].end, rounds[-1].end
    return sum(min(offer.epochs if offer.state else min(offer.epochs, last - 1), point) for offer in found)


def _possible(rounds: Sequence[Round], found: Sequence[Offer]) -> int:
    """Return how many of them all rounds ask for at most: where the longest go on."""
    longest = sorted((offer.epochs for offer in found), reverse=True)
    return sum(max(0, min(length, r.end) - r.start) for r in rounds for length in longest[: r.trials])
