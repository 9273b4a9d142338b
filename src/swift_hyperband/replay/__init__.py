"""Replay: recorded learning curves in the place of training."""
