"""Logs are JSON, and an exception's message, which may quote a transcript, is not in them."""

import json
import logging
import sys

from serving.logs import JsonFormatter


def record(**extra: object) -> logging.LogRecord:
    made = logging.LogRecord("tbc", logging.INFO, "x.py", 1, "request", None, None)
    made.__dict__.update(extra)
    return made


def test_fields_stand_beside_the_message() -> None:
    line = json.loads(JsonFormatter().format(record(fields={"status": 200})))
    assert (line["message"], line["status"], line["level"]) == ("request", 200, "info")


def test_an_exception_is_named_and_not_quoted() -> None:
    try:
        raise ValueError("the secret text")
    except ValueError:
        text = JsonFormatter().format(record(exc_info=sys.exc_info()))
    assert "the secret text" not in text
    assert json.loads(text)["error"] == "ValueError"
    assert "test_logs.py" in json.loads(text)["at"]
