"""Errors that a user can correct, each a message of one line."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from swift_hyperband.base.wording import one_line

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EROFS)
"""Errors of a disk that is full or fails."""

PASSING_ERRORS = (
    *(errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EREMOTEIO, errno.ENOLINK, errno.ECOMM),
    *(errno.ENOTCONN, errno.ESHUTDOWN, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ECONNRESET),
)
"""Errors of a shared disk that may be away for a moment."""

PLACE_ERRORS = {
    errno.EACCES: "must be readable and writable for you, found: Permission denied; change that or work elsewhere",
    errno.EPERM: "must be writable for you, found: Operation not permitted; change that or work elsewhere",
    errno.ENOTDIR: "must lie in a folder, found a file in the place of one; move that file away",
    errno.EISDIR: "must be a file, found a folder; move it away",
    errno.EEXIST: "must be a folder or not be there, found something else; move it away",
    errno.ENAMETOOLONG: "must be shorter, as no file can have so long a name; rename the study or its folder",
    errno.ELOOP: "must be a file or a folder, found a symbolic link that leads in circles; remove it",
}
"""Messages for places where no file can be written or read."""


class UserError(Exception):
    """The user gave something wrong.

    The message says what must hold, what was found, where (file and key) and what to do. Command lines and the
    Snakefile print it without a traceback and exit with 2.
    """

    def _render_traceback_(self) -> list[str]:
        """Return what notebooks and IPython show of it: the message, without a traceback."""
        return [f"error: {self}"]


def about_disk(error: OSError, where: object = None) -> str:
    """Return the message about a file that could not be read or written; `where` names it if the error does not."""
    place = str(error.filename or where or "")
    # the start of a name that is too long is enough
    place = place if len(place) <= 300 else f"{place[:300]} ..."
    found = f"the disk must take what is written, found: {error.strerror}; then run again to go on"
    if error.errno not in DISK_ERRORS:
        found = PLACE_ERRORS.get(error.errno or 0, f"must be readable and writable, found: {error.strerror or error}")
    return f"{place}: {found}" if place else found


Problem = tuple[str, str]
"""A key's path, below the checked part, and what is wrong with it: ("low", "must be below high (1), found 2")."""

LONGEST_LINE = 1000
"""Characters of a line; the names of keys in it may be long."""
MOST_LINES = 20
"""Lines about one file."""


class InvalidKeysError(ValueError):
    """A section or a value does not pass its check. `KeysError` reports the same for a file."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{key} {text}" for key, text in problems))
        self.problems = problems


class KeysError(UserError):
    """Keys of a file or options of a command are wrong: one line for each.

    Parameters
    ----------
    where : str
        The file, with which each line begins; empty for a command line.
    problems : sequence of Problem
        By the path of the key in the file.
    """

    def __init__(self, where: str, problems: Sequence[Problem]) -> None:
        begin = f"{where}: " if where else ""
        lines = [begin + one_line(f"{key} {text}".lstrip())[:LONGEST_LINE] for key, text in problems[:MOST_LINES]]
        if len(problems) > MOST_LINES:
            lines.append(f"{begin}and {len(problems) - MOST_LINES} mistakes more")
        super().__init__("\n".join(lines))
        self.where = where
        self.problems = tuple(problems)
