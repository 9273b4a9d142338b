#!/bin/sh
# Print success, running or failed for a job's number. A SLURM that does not answer tells nothing: running.
id=$1
if found=$(squeue --noheader --all --states=all --format=%T --jobs="$id" 2>&1); then
    case $found in
    COMPLETED) echo success ;;
    BOOT_FAIL | CANCELLED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | REVOKED | TIMEOUT) echo failed ;;
    '') echo failed ;; # SLURM has forgotten it
    *) echo running ;;
    esac
else
    case $found in
    *"Invalid job id"*) echo failed ;;
    *) echo running ;;
    esac
fi
