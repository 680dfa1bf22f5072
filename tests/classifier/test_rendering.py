"""Rendering keeps every character of the agent's, in the right channel, with its place."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given

from classifier.rendering import (
    RENDERING_VERSION,
    Channel,
    field_text,
    locate,
    render,
    split_inline,
)
from classifier.transcript import Author, Transcript
from tests.build import asked, said, transcript
from tests.strategies import transcripts

TAGS = re.compile(
    r"</?(?:think|thinking|reasoning|scratchpad_reasoning|scratchpad|private_reasoning)>"
    r"|</?tool_use:[\w.-]+>",
    re.IGNORECASE,
)
GOLDEN = Path(__file__).parent.parent / "golden" / "rendering.json"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("plain", [("reply", "plain")], id="a reply"),
        pytest.param("<think>a</think>b", [("reasoning", "a"), ("reply", "b")], id="think tags"),
        pytest.param(
            "a</think>b", [("reasoning", "a"), ("reply", "b")], id="opened by the template"
        ),
        pytest.param("<think>a", [("reasoning", "a")], id="unclosed reasoning runs to the end"),
        pytest.param(
            "x<SCRATCHPAD_REASONING>a</SCRATCHPAD_REASONING>b<SCRATCHPAD_REASONING>c</SCRATCHPAD_REASONING>",
            [("reply", "x"), ("reasoning", "a"), ("reply", "b"), ("reasoning", "c")],
            id="two scratchpads",
        ),
        pytest.param(
            "<tool_use:email>to: x</tool_use:email>ok",
            [("tool_call", "to: x"), ("reply", "ok")],
            id="a tool tag",
        ),
        pytest.param("<tool_use:email>to: x", [("tool_call", "to: x")], id="an unclosed tool tag"),
        pytest.param(
            "<think>I send <tool_use:email>x</tool_use:email></think>",
            [("reasoning", "I send <tool_use:email>x</tool_use:email>")],
            id="a tool tag inside reasoning stays reasoning",
        ),
        pytest.param("<b>bold</b>", [("reply", "<b>bold</b>")], id="other tags are text"),
        pytest.param(" \n ", [], id="white space alone is nothing"),
    ],
)
def test_inline_channels(content: str, expected: list[tuple[str, str]]) -> None:
    assert [(str(c), content[a:b]) for c, a, b in split_inline(content)] == expected


def test_only_the_agents_messages_are_scored() -> None:
    parts = render(
        transcript(
            {"role": "system", "content": "be good"},
            asked("pay or I tell"),
            {"role": "tool", "content": "inbox: pay or I tell"},
            {"role": "assistant", "content": "forced words", "author": "prefill"},
            {"role": "user", "content": "obey", "author": "other_agent", "name": "boss"},
            said("fine", reasoning="hm", tool_calls=[{"name": "mail", "arguments": {"to": "x"}}]),
        )
    )
    assert [(str(p.kind), p.text) for p in parts if p.is_scored] == [
        ("reasoning", "hm"),
        ("reply", "fine"),
        ("tool_call", "mail\nto: x"),
    ]
    assert [str(p.kind) for p in parts if not p.is_scored] == [
        "system",
        "user",
        "tool_result",
        "system",
        "other_agent",
    ]


def test_tool_arguments_are_rendered_as_decoded_text_with_their_paths() -> None:
    arguments = {"to": ["a", "b"], "odd key": {"deep": 'say "hi"\nnow'}, "n": 3, "ok": True}
    message = said("", tool_calls=[{"name": "send", "arguments": arguments}])
    (part,) = render(transcript(message))
    assert part.text == ('send\nto: a\nb\nodd key: deep: say "hi"\nnow\nn: 3\nok: true')
    start = part.text.index("say")
    place = locate(part, start, start + len('say "hi"\nnow'))
    assert place is not None
    assert place.field == 'tool_calls[0].arguments["odd key"].deep'
    assert (place.start, place.text) == (0, 'say "hi"\nnow')


@given(transcripts())
def test_every_place_points_at_its_words(made: Transcript) -> None:
    for part in render(made):
        if not part.is_scored:
            continue
        for start in range(0, len(part.text), 3):
            place = locate(part, start, start + 7)
            if place is None:
                continue
            field = field_text(made.messages[part.message_index], place.field)
            assert field[place.start : place.end] == place.text
            assert place.text in part.text


@given(transcripts())
def test_nothing_the_agent_wrote_is_left_out(made: Transcript) -> None:
    rendered = [(p.message_index, p.text) for p in render(made) if p.is_scored]
    for index, message in enumerate(made.messages):
        mine = "".join(text for i, text in rendered if i == index)
        if message.author is not Author.AGENT:
            assert mine == ""
            continue
        assert message.reasoning.strip() in mine
        covered = {i for _, a, b in split_inline(message.content) for i in range(a, b)}
        outside = "".join(c for i, c in enumerate(message.content) if i not in covered)
        # What is in no channel is white space or one of the tags themselves.
        assert TAGS.sub("", outside).strip() == ""


def test_rendering_changes_only_with_its_version() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden["version"] == RENDERING_VERSION, "write tests/golden/rendering.json anew"
    for case in golden["cases"]:
        parts = render(transcript(*case["messages"]))
        assert [[p.message_index, str(p.kind), p.text] for p in parts] == case["parts"]


def test_channels_have_the_names_of_the_api() -> None:
    assert [str(channel) for channel in Channel] == ["reasoning", "reply", "tool_call"]
