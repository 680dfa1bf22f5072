"""Read plain text: the whole text is one message of the agent's.

Never guessed: only a caller who names the format, or a file called `.txt` or `.md`, gets it, because
any broken log would read as text and be judged as if the agent had written all of it.
"""

from collections.abc import Iterator
from typing import Final

from classifier.formats.fields import Place, expect_str
from classifier.transcript import Message, Role, Source, Transcript

NAME: Final = "plain"
TITLE: Final = "Plain text, all of it the agent's (only when asked for, or by .txt and .md)"


def matches(payload: object) -> bool:  # noqa: ARG001 - the signature all formats share
    """Whether the payload is in this format: never by itself."""
    return False


def parse(payload: object, *, source: Source, default_id: str) -> Iterator[Transcript]:
    """Read one transcript.

    Raises:
        MalformedTranscriptError: If the payload is not text.
    """
    text = expect_str(payload, Place.root(NAME, source))
    message = Message.model_validate({"id": "text", "role": Role.ASSISTANT, "content": text})
    yield Transcript(id=default_id, messages=(message,), source=source)
