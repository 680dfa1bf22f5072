"""What Inspect AI finds through the package's entry point."""

from classifier.integrations.inspect_scorer import behavior_scorer

__all__ = ["behavior_scorer"]
