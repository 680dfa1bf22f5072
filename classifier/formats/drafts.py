"""Gather the blocks of one message, of any format, into a `Message`.

Every block ends as text, as a tool call or as a count in `dropped`; none goes unmentioned.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from classifier.transcript import Author, Message, Role, ToolCall

SEPARATOR: Final = "\n\n"
"""Stands between the blocks of one channel."""

_KIND: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")

ReasoningKind = Literal["full", "summary", "redacted", "none"]


def kind_of_block(block_type: object) -> str:
    """Name under which an unread block is counted; anything but a plain name is `unknown`.

    Counts travel to metrics and reports, where no text of the log's may stand.
    """
    if isinstance(block_type, str) and _KIND.fullmatch(block_type):
        return block_type
    return "unknown"


@dataclass(slots=True)
class Draft:
    """A message while its blocks are being read."""

    texts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    is_summary: bool = False
    """Whether some reasoning is a summary."""

    is_redacted: bool = False
    """Whether some reasoning is not shown."""

    def add_text(self, text: str) -> None:
        """Add visible text."""
        if text:
            self.texts.append(text)

    def add_reasoning(self, text: str, *, is_summary: bool = False) -> None:
        """Add private reasoning."""
        if text:
            self.reasoning.append(text)
            self.is_summary = self.is_summary or is_summary

    def redact(self, block_type: object) -> None:
        """Note reasoning that the log does not show."""
        self.is_redacted = True
        self.drop(block_type)

    def drop(self, block_type: object) -> None:
        """Count a block that cannot be read as text."""
        self.dropped[kind_of_block(block_type)] += 1

    @property
    def is_empty(self) -> bool:
        """Whether no block was added."""
        return not (self.texts or self.reasoning or self.calls or self.dropped or self.is_redacted)

    @property
    def reasoning_kind(self) -> ReasoningKind:
        """What the reasoning is; of mixed blocks with text, the weaker word."""
        if self.reasoning:
            return "summary" if self.is_summary else "full"
        return "redacted" if self.is_redacted else "none"

    def message(
        self, id: str, role: Role, *, author: Author | None = None, name: str | None = None
    ) -> Message:
        """Finish the message; without an author, the role decides."""
        return Message.model_validate(
            {
                "id": id,
                "role": role,
                "author": author,
                "content": SEPARATOR.join(self.texts),
                "reasoning": SEPARATOR.join(self.reasoning),
                "reasoning_kind": self.reasoning_kind,
                "tool_calls": tuple(self.calls),
                "name": name,
                "dropped": dict(self.dropped),
            }
        )
