"""The page of a search for a browser: figures that answer to the mouse, a table to sort and filter, in one file."""
