#!/bin/sh
# Print success, running or failed for a job's number. If SLURM does not answer, the job counts as running.
id=$1
if found=$(squeue --noheader --all --states=all --format=%T --jobs="$id" 2>&1); then
    case $found in
    COMPLETED) echo success ;;
    BOOT_FAIL | CANCELLED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | REVOKED | TIMEOUT) echo failed ;;
    # SLURM holds these until somebody releases them: another job continues, so this one must never start
    LAUNCH_FAILED | RECONFIG_FAIL | REQUEUE_HOLD | RESV_DEL_HOLD | SPECIAL_EXIT)
        scancel "$id" 2>/dev/null
        echo failed
        ;;
    '') echo failed ;; # SLURM has forgotten it
    # COMPLETING CONFIGURING EXPEDITING PENDING POWER_UP_NODE REQUEUED REQUEUE_FED RESIZING RUNNING SIGNALING STAGE_OUT
    # STOPPED SUSPENDED UPDATE_DB: not ended
    *) echo running ;;
    esac
else
    case $found in
    *"Invalid job id"*) echo failed ;;
    *) echo running ;;
    esac
fi
