"""Reports: pictures, tables and pages of searches and of comparisons."""
