"""Earlier work: a search goes on with the trials of earlier searches, as far as both draw the same."""
