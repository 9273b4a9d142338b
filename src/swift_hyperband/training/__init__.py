"""Training: trials are trained epoch by epoch, and can be cut anywhere and resumed without a difference."""
