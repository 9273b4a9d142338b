"""Comparisons of several searches, on recorded curves or with real training."""
