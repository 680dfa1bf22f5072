"""Short ways to write transcripts in tests."""

from typing import Any

from classifier.formats import parse_payload
from classifier.transcript import Transcript


def transcript(*messages: dict[str, Any], id: str = "t") -> Transcript:
    """A transcript from messages in the project's own format."""
    (made,) = parse_payload({"id": id, "messages": list(messages)}, format="native", default_id=id)
    return made


def said(content: str, **fields: Any) -> dict[str, Any]:
    """A message of the agent's."""
    return {"role": "assistant", "content": content, **fields}


def asked(content: str) -> dict[str, Any]:
    """A message of the user's."""
    return {"role": "user", "content": content}
