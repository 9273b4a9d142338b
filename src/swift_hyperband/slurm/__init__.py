"""SLURM: its queue, and its plugin for Snakemake."""
