"""Writing a search for other tools: Optuna, MLflow, TensorBoard, Weights & Biases, CSV. One module for each.

Each is imported for its own target only, as its library is an extra of its own. All write the same trials (`trials`).
"""
