"""The errors a user can mend, each told in one line."""

from __future__ import annotations

import errno

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE)
"""Of a disk that is full or fails: nobody's fault but the disk's."""


class UserError(Exception):
    """Something the user gave does not hold.

    The message says what must hold, what was found, where (file and key) and what to do. Command lines and the
    Snakefile print it without a traceback and exit with 2.
    """


def about_disk(error: OSError, where: object = None) -> str:
    """Return what to say of a disk that is full or fails; `where` is told if the error does not know its file."""
    place = error.filename or where
    found = f"the disk must take what is written, found: {error.strerror}; then run again to go on"
    return f"{place}: {found}" if place else found
