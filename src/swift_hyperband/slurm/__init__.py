"""What SLURM is asked and told: the queue, and its plugin for Snakemake."""
