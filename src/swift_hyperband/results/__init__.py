"""The folder results/<study>: only this package reads and writes it."""
