"""The study file: how it is read, its sections, their checks, and its frozen form."""
