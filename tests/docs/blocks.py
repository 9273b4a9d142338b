"""The code blocks of the documentation, and what their pages say about running them.

A comment directly above a block says what becomes of it:

    <!-- not run: needs SLURM -->      it is not run, for this reason
    <!-- file: my_model.py -->         its text becomes this file, in the folder of the page

A block of a shell or of Python without a comment is run, in the order of the page.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "config/README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
COMMENT = re.compile(r"<!-- (not run|file): (.+?) -->\s*\Z")
PROMPT = "$ "
PROGRAMS = ("swift-hyperband", "snakemake", "python", "python3", "pip", "make", "optuna", "mlflow", "tensorboard")
"""A line that begins with one of these is a command."""


@dataclass(frozen=True)
class Block:
    """One code block.

    Attributes
    ----------
    language : str
        As the page names it: sh, console (commands after a prompt, with what they print), python, yaml ...
    text : str
    file : str or None
        The file that it is the text of.
    not_run : str or None
        Why it is not run.
    """

    language: str
    text: str
    file: str | None
    not_run: str | None

    @property
    def runs(self):
        """Whether a test must run it."""
        return self.language in ("sh", "console", "python") and not (self.file or self.not_run)

    def commands(self):
        """Return the lines of a shell, those that go on with a backslash as one."""
        lines = self.text.replace("\\\n", " ").splitlines()
        if self.language == "console":
            return [line.removeprefix(PROMPT) for line in lines if line.startswith(PROMPT)]
        return [line for line in lines if line and not line.startswith("#")]


def blocks(page):
    """Return the code blocks of a page."""
    text, found = page.read_text(), []
    for match in FENCE.finditer(text):
        comment = COMMENT.search(text[: match.start()])
        kind, said = comment.groups() if comment else (None, None)
        code = re.sub(f"^{match[1]}", "", match[3], flags=re.MULTILINE)
        found.append(Block(match[2], code, said if kind == "file" else None, said if kind == "not run" else None))
    return found


def prose(page):
    """Return the text of a page without its code blocks."""
    return FENCE.sub("", page.read_text())
