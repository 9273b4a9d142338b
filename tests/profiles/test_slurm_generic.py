"""Every state that SLURM gives a job is understood, by the profile's script as by the product."""

import os
import subprocess
from pathlib import Path

import pytest

from swift_hyperband.slurm import plugin, queue

SCRIPT = Path(__file__).parents[2] / "profiles/slurm-generic/status.sh"

# all of squeue's and sacct's, SLURM 22.05 to 25.05
GOES_ON = [
    *("COMPLETING", "CONFIGURING", "EXPEDITING", "PENDING", "POWER_UP_NODE", "REQUEUED", "REQUEUE_FED", "RESIZING"),
    *("RUNNING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED", "UPDATE_DB"),
]
ENDED = [
    *("BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"),
    *("LAUNCH_FAILED", "RECONFIG_FAIL", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"),
]
HELD = ENDED[-5:]


@pytest.mark.parametrize(
    ("state", "answer"),
    [("COMPLETED", "success"), *((state, "running") for state in GOES_ON), *((state, "failed") for state in ENDED)],
)
def test_the_profiles_script_knows_every_state(tmp_path, state, answer):
    (tmp_path / "squeue").write_text(f"#!/bin/sh\necho {state}\n")
    (tmp_path / "scancel").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/cancelled\n')
    for name in ("squeue", "scancel"):
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([SCRIPT, "17"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{answer}\n"
    assert (tmp_path / "cancelled").exists() == (state in HELD), "what is held must not come back beside the next try"


def test_so_does_the_product():
    assert set(HELD) == queue.HELD
    assert not queue.OVER & {*GOES_ON, "NODE_FAIL", "REQUEUE_HOLD", "RESV_DEL_HOLD"}
    assert {*ENDED, "COMPLETED"} - queue.OVER == {"NODE_FAIL", "REQUEUE_HOLD", "RESV_DEL_HOLD"}
    # what the plugin takes for the end of a job
    fails = {"BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}
    assert {plugin.understood(state) for state in ENDED} == fails
    assert {plugin.understood(state) for state in GOES_ON} == set(GOES_ON)


@pytest.mark.parametrize("wildcards", ["study=table,worker=7", "table 7"])
def test_the_product_knows_the_jobs_that_the_script_submits(tmp_path, wildcards):
    (tmp_path / "sbatch").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "sbatch").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [SCRIPT.with_name("submit.sh"), "worker", "1", "600", "10", "1", wildcards, "script"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    (comment,) = (line.removeprefix("--comment=") for line in done.stdout.splitlines() if "--comment=" in line)
    assert comment == "rule_worker_wildcards_table_7"
    assert queue.worker(comment) == "7"
