#!/bin/sh
# Submit a job script to SLURM; print the job's number. Arguments: rule, cores, memory (MB), time (minutes), GPUs, the
# rule's wildcards as one word, and the script. Edit the lines marked SITE, or all of it for another scheduler.
set -eu
rule=$1 cores=$2 memory=$3 minutes=$4 gpus=$5 wildcards=$6 script=$7

account=                    # SITE: such as --account=lab
gpu_nodes='--partition=gpu' # SITE
cpu_nodes='--partition=cpu' # SITE

if [ "$gpus" -gt 0 ]; then
    place="$gpu_nodes --gpus=$gpus"
else
    place=$cpu_nodes
fi
mkdir -p logs/slurm
# 'swift-hyperband resume' and 'status' recognise the jobs of a study by the comment.
# shellcheck disable=SC2086
exec sbatch --parsable --requeue --nodes=1 $account $place --cpus-per-task="$cores" --mem="$memory" --time="$minutes" \
    --job-name="swift-hyperband-$rule" --comment="rule_${rule}_wildcards_$(echo "$wildcards" | sed 's/[a-z]*=//g; s/[ ,]/_/g')" \
    --output=logs/slurm/%j.log "$script"
