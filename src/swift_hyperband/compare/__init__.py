"""Several searches beside each other, on recorded curves or on real training."""
