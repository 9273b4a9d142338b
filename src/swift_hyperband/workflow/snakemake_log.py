"""Snakemake's log file while `swift-hyperband run` shows the progress, and a summary of its errors."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from swift_hyperband.base.errors import UserError

KEPT_LOGS = 20
SHOWN = 5
"""How many lines about errors are shown."""


def new_log(study: str) -> Path:
    """Return where a start of Snakemake logs to, a new file; logs of the starts but the last few are removed."""
    folder = Path("logs")
    try:
        folder.mkdir(exist_ok=True)
        for old in sorted(folder.glob(f"{study}-{'[0-9]' * 8}T*.log"))[: 1 - KEPT_LOGS]:
            old.unlink(missing_ok=True)
        found = folder / f"{study}-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.log"
        found.touch()
    except OSError as error:
        raise UserError(
            f"{folder}: must be a folder where Snakemake's log can be written, found: {error.strerror}; "
            "mend that, or see it here with --verbose"
        ) from None
    return found


def failures(log: Path) -> list[str]:
    """Return what a log of Snakemake says of errors in a few lines: what jobs said of theirs, else Snakemake itself."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    where = ""
    found: dict[str, str] = {}
    for line in lines:
        if named := re.fullmatch(r"Logfile (\S.*):", line):
            where = named[1]
        elif line.startswith("error: "):
            found.setdefault(line, where)
    if found:
        told = [f"{line} ({where})" if where else line for line, where in found.items()]
        return told[:SHOWN] + ([f"and {len(told) - SHOWN} more"] if len(told) > SHOWN else [])
    for number, line in reversed(list(enumerate(lines))):
        # the last one that says more than that there was an error
        if re.match(r"(\w+\.)*\w*(Error|Exception)\b", line) and not line.startswith("RuleException"):
            said = [text.strip() for text in lines[number : number + SHOWN] if text.strip()]
            if "At least one job did not complete successfully." not in said:
                return said
    return [line.strip() for line in lines if line.strip()][-SHOWN:]
