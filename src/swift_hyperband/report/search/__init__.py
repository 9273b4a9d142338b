"""Pictures and tables of a search."""
