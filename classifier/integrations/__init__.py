"""The classifier inside other people's tools; nothing here is imported by the core."""
