"""Methods: one estimator a file, over one base."""
