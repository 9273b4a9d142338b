"""The functions that the Snakefile calls, and the start and end of a search."""
