"""What reading gives in place of a transcript that it could not read.

A record of a source is either a transcript or one of these; none vanishes.
"""

from dataclasses import dataclass

from classifier.errors import ClassifierError
from classifier.transcript import Source


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that could not be read."""

    id: str
    """The id that the transcript would have had by its place."""

    source: Source
    """Where it stands."""

    error: ClassifierError
    """Why it could not be read."""
