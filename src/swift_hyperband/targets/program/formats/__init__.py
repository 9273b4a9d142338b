"""Readers of files of metrics, one for each `target.metrics.format`; all return rows."""
