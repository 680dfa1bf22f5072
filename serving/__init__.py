"""HTTP around the classifier."""
