"""Searches: what to train next, given the curves so far. No files, no Snakemake, no torch."""
