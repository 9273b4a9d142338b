"""The errors a user can mend, each told in one line."""


class UserError(Exception):
    """Something the user gave does not hold.

    The message says what must hold, what was found, where (file and key) and what to do. Command lines and the
    Snakefile print it without a traceback and exit with 2.
    """
