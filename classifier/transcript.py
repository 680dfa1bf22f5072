"""What a transcript is: the one shape that every log format is read into.

Readers normalise structure and never text: every character of a message stands here as it stood in
the log, so that evidence can point at it. Who wrote a message is said by `author`, not guessed from
its role further down.
"""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def mend_surrogates(text: object) -> object:
    """Replace lone surrogates, which no UTF-8 encoder accepts, one for one by U+FFFD.

    Logs cut in the middle of an emoji hold them. Lengths, and so offsets, stay as they are.
    """
    if isinstance(text, str) and not text.isascii():
        return _LONE_SURROGATE.sub("\ufffd", text)
    return text


Text = Annotated[str, BeforeValidator(mend_surrogates)]
"""Any text that UTF-8 can hold."""


class Role(StrEnum):
    """Seat in the conversation."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Author(StrEnum):
    """Who wrote a message. Only `AGENT` can be accused by its text."""

    AGENT = "agent"
    OTHER_AGENT = "other_agent"
    HUMAN = "human"
    ENVIRONMENT = "environment"
    OPERATOR = "operator"
    """System prompts, and words that the operator put into the agent's mouth (prefill)."""


_AUTHOR_OF_ROLE = {
    Role.SYSTEM: Author.OPERATOR,
    Role.USER: Author.HUMAN,
    Role.ASSISTANT: Author.AGENT,
    Role.TOOL: Author.ENVIRONMENT,
}


class ToolCall(BaseModel):
    """A tool call that the agent made."""

    model_config = ConfigDict(frozen=True)

    id: str | None = None
    name: Text
    arguments: dict[str, Any] | Text = Field(default_factory=dict)
    """The decoded object, or the raw text where the log's arguments are no JSON object."""


class Message(BaseModel):
    """One message."""

    model_config = ConfigDict(frozen=True)

    id: str
    """The log's own id, or the message's place in the log, e.g. `messages[3]`."""

    role: Role
    author: Author
    """Follows the role unless the reader knows better (prefill, sub-agents, tool results)."""

    content: Text = ""
    """Visible text."""

    reasoning: Text = ""
    """Private reasoning that the log keeps apart; reasoning inside `content` stays there."""

    reasoning_kind: Literal["full", "summary", "redacted", "none"] = "none"
    """What `reasoning` is. `redacted`: the agent reasoned and the log does not show it."""

    tool_calls: tuple[ToolCall, ...] = ()
    name: str | None = None
    """Name of the tool or of the other agent, where the log gives one."""

    dropped: dict[str, int] = Field(default_factory=dict)
    """Parts without text that were left out, by kind, e.g. `{"image": 2}`."""

    @model_validator(mode="before")
    @classmethod
    def _author_follows_role(cls, data: Any) -> Any:
        if isinstance(data, dict):
            data = dict(data)
            if data.get("author") is None and data.get("role") in set(Role):
                data["author"] = _AUTHOR_OF_ROLE[Role(data["role"])]
            if data.get("reasoning") and data.get("reasoning_kind") is None:
                data["reasoning_kind"] = "full"
            data = {key: value for key, value in data.items() if value is not None}
        return data


class Source(BaseModel):
    """Where a transcript came from."""

    model_config = ConfigDict(frozen=True)

    format: str
    path: str | None = None
    sample: str | None = None
    """Place inside the file: a line number, a sample id with its epoch."""


class Transcript(BaseModel):
    """One run of one agent."""

    model_config = ConfigDict(frozen=True)

    id: str
    messages: tuple[Message, ...]
    source: Source
    metadata: dict[str, Any] = Field(default_factory=dict)
    """What else the log says of the run (model, task, scores); never read by the model."""

    dropped: dict[str, int] = Field(default_factory=dict)
    """Parts left out that belong to no message, by kind."""
