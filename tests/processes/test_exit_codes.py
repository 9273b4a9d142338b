"""Exit codes are those that shells, schedulers and users of the command know."""

import os
import signal

import pytest

from swift_hyperband.processes import exit_codes


def test_codes_have_the_values_that_shells_and_sysexits_give_them():
    assert os.EX_TEMPFAIL == exit_codes.TRY_AGAIN == 75
    assert exit_codes.INTERRUPTED == 130
    assert exit_codes.of_signal(signal.SIGKILL) == 137


def test_a_process_that_leaves_by_a_signal_has_its_code():
    with pytest.raises(SystemExit) as ended:
        exit_codes.leave(signal.SIGTERM, None)
    assert ended.value.code == 143
