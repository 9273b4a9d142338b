"""What lies in results/<study>: written and read here only."""
