"""Structured logs: one JSON object a line on stderr.

Nothing from a request but ids, route patterns and numbers is ever given to a logger here; an
exception is logged by its type and place, for its message may quote what was sent.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override


class JsonFormatter(logging.Formatter):
    """Formats a record and its `fields` as JSON."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0]:
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            line["error"] = record.exc_info[0].__name__
            if trace is not None:
                line["at"] = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        else:
            line["message"] = record.getMessage()
        return json.dumps(line | getattr(record, "fields", {}), ensure_ascii=False)


def log_to_stderr() -> None:
    """Send every log of the process, uvicorn's too, through the formatter."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
