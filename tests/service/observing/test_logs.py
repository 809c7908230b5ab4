"""Lines of the log: readable, complete, and about nobody."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from service.observing import configure, request_id

log = logging.getLogger("tests.observing")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_a_line_of_text_names_the_request_and_nobody() -> None:
    stream = io.StringIO()
    configure("text", stream)
    token = request_id.set("abcdef0123")
    log.warning("no answer from %s", "+6281234567890")
    request_id.reset(token)
    log.info("beside any request")
    log.debug("for who develops")
    assert stream.getvalue().splitlines() == [
        "WARNING:     no answer from [phone] [abcdef0123]",
        "INFO:     beside any request",
    ]


def test_a_line_of_json_has_all_a_collector_needs() -> None:
    stream = io.StringIO()
    configure("json", stream)
    token = request_id.set("abcdef0123")
    try:
        raise ValueError("Siti of 0812-3456-7890")
    except ValueError:
        log.exception("defect %s", "/v1/pickups")
    request_id.reset(token)
    line = json.loads(stream.getvalue())
    assert (line["level"], line["event"]) == ("error", "defect /v1/pickups")
    assert (line["logger"], line["request_id"]) == ("tests.observing", "abcdef0123")
    assert line["timestamp"].endswith("Z")
    assert "ValueError: Siti of [phone]" in line["exception"]
