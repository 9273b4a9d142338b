"""Pictures and tables of a comparison."""
