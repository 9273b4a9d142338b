"""The Penn Treebank as Mikolov prepared it: ptb.train.txt, ptb.valid.txt and ptb.test.txt.

One sentence a line, words separated by blanks, rare words are <unk>; the end of a line is the word <eos>.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import existing

PARTS = ("train", "valid", "test")
END, UNKNOWN = "<eos>", "<unk>"


@dataclass(frozen=True)
class Text:
    """A text in numbers.

    Attributes
    ----------
    words : tuple of str
        By number, the most frequent first.
    parts : mapping of str to array of int64
        The words of train, valid and test, one after another.
    """

    words: tuple[str, ...]
    parts: Mapping[str, NDArray[np.int64]]


def read(folder: Path, vocabulary: int | None = None) -> Text:
    """Return the text.

    Parameters
    ----------
    folder : Path
    vocabulary : int, optional
        Number of known words, the most frequent of the training part; the others are <unk>. All if not given.

    Raises
    ------
    UserError
        If a file is missing, empty or no text.
    """
    words = {part: _words(existing(folder / f"ptb.{part}.txt")) for part in PARTS}
    counts = Counter(words["train"])
    # by frequency, then alphabetically: numbers do not depend on the order in the file
    known = sorted(counts.keys() - {UNKNOWN}, key=lambda word: (-counts[word], word))
    names = (UNKNOWN, *known[: None if vocabulary is None else vocabulary - 1])
    number = {word: index for index, word in enumerate(names)}
    return Text(names, {part: _numbers(found, number) for part, found in words.items()})


def _words(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: must be a text in UTF-8, found: {error.reason} at byte {error.start}") from None
    found = [word for line in lines for word in (*line.split(), END)]
    if len(found) <= len(lines):
        raise UserError(f"{path}: must hold a sentence a line, found no word")
    return found


def _numbers(words: Sequence[str], number: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([number.get(word, 0) for word in words], np.int64)
