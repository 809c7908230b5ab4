"""One line for each thing worth telling, as text for a person or as JSON for a collector."""

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Literal, TextIO

from service.observing.masking import without_people

Format = Literal["text", "json"]

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request that is being answered; empty beside any."""


def configure(wanted: Format, stream: TextIO | None = None) -> logging.Handler:
    """Send every logger's lines to one place, without personal data."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_json() if wanted == "json" else _Text())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.INFO)
    handler.addFilter(_is_no_chatter)
    return handler


def _is_no_chatter(record: logging.LogRecord) -> bool:
    """Clients say with every call where it went."""
    return record.levelno >= logging.WARNING or not record.name.startswith(("httpx", "httpcore"))


class _Text(logging.Formatter):
    """Level, words, and the request if there is one."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s:     %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = without_people(super().format(record))
        asked = request_id.get()
        return f"{line} [{asked}]" if asked else line


def _json() -> logging.Formatter:
    import structlog  # noqa: PLC0415  Slow to import, and a start at home does without.

    told: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request,
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=told,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_people,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def _with_request(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if asked := request_id.get():
        event["request_id"] = asked
    return event


def _without_people(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A processor: every text of the line is masked, whatever it is called."""
    unchanged = ("timestamp", "request_id", "logger", "level")
    for name, value in event.items():
        if isinstance(value, str) and name not in unchanged:
            event[name] = without_people(value)
    return event
