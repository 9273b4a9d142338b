"""Hyperparameters, constraints on them, and how configurations are drawn."""
