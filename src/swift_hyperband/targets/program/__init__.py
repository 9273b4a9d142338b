"""Targets that are programs: their command line, and the metrics in the files that they write."""
