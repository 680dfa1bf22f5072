"""Hypothesis strategies for transcripts, hostile ones included."""

from typing import Any

from hypothesis import strategies as st

from classifier.transcript import Author, Message, Role, Source, ToolCall, Transcript

HOSTILE = st.sampled_from(
    [
        "[CLS]",
        "[SEP]",
        "[PAD]",
        "[UNK]",
        "[MASK]",
        "[unused1]",
        "[unused4]",
        "<think>",
        "</think>",
        "<SCRATCHPAD_REASONING>",
        "</SCRATCHPAD_REASONING>",
        "<tool_use:email>",
        "</tool_use:email>",
        "\x00",
        "\u202e",
        "\u200b",
        "ﬁ",
        "Ｃ",
        "日本語",
        "🙂",
        "\r\n",
    ]
)
TEXTS = st.lists(HOSTILE | st.text(max_size=20), max_size=6).map(" ".join)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    role = draw(st.sampled_from(Role))
    authors = [None, Author.OTHER_AGENT, Author.OPERATOR]
    calls = [
        ToolCall(name=draw(TEXTS), arguments=draw(st.dictionaries(TEXTS, JSON, max_size=3) | TEXTS))
        for _ in range(draw(st.integers(0, 2)))
    ]
    return Message(
        id=draw(st.sampled_from("abc")),
        role=role,
        author=draw(st.sampled_from(authors)),  # type: ignore[arg-type]  # None: follows the role
        content=draw(TEXTS),
        reasoning=draw(TEXTS),
        tool_calls=tuple(calls),
    )


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    found = draw(st.lists(messages(), max_size=6))
    return Transcript(id="t", messages=tuple(found), source=Source(format="native"))
