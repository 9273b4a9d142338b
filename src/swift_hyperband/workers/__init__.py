"""Workers that stay: each takes one training after another from an agenda that one process writes, which decides."""
