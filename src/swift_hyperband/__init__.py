"""Swift-Hyperband: hyperparameter optimisation of deep-learning models on HPC clusters."""

__version__ = "0.2.0"
