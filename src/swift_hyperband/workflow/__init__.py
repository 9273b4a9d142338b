"""What the Snakefile calls, and what starts and ends a search."""
