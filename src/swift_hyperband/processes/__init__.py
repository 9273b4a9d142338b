"""One writer at a time (lease), the process that leads a search (head), and processes that can always be ended."""
