"""Training: trials that are trained epoch by epoch, can be cut anywhere and go on as if nothing had happened."""
