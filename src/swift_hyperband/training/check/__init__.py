"""Trying a target before it costs money."""
