"""The predictor on an annealer: support vector regression as a QUBO, and the samplers that minimise it."""
