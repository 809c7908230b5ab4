"""Files beside the database that may name people: the messages, and whatever is logged there."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from service.messages import SIGN_IN_CODE
from service.privacy.finding import Finder, unescaped

MESSAGES = "messages.jsonl"
_KEYS = "keys"
_DATABASES = {".db", ".db-wal", ".db-shm", ".db-journal", ".lock"}


def blank_messages(path: Path, finder: Finder) -> int:
    """Empty the messages that name somebody; how many.

    Each is written over where it stands, by one of the same length: a server may append
    meanwhile, and who reads along doesn't lose their place.
    """
    if not path.exists():
        return 0
    blanked = 0
    with path.open("r+b") as file:
        start = 0
        for line in file.readlines():
            if any(finder.find(unescaped(line.decode("utf-8", "replace")))):
                _write_over(file.fileno(), start, line)
                blanked += 1
            start += len(line)
        os.fsync(file.fileno())
    return blanked


def lines_in(folders: list[Path]) -> Iterator[tuple[Path, int, str]]:
    """Every line of every file of text in these folders, but of keys and databases."""
    for folder in folders:
        for path in sorted(folder.rglob("*") if folder.is_dir() else [folder]):
            if path.is_file() and _KEYS not in path.parts and path.suffix not in _DATABASES:
                with path.open(encoding="utf-8", errors="replace") as file:
                    for number, line in enumerate(file, start=1):
                        yield path, number, line


def asked_since(path: Path, line: str, since: datetime) -> bool:
    """Whether a line is the message with a code that somebody asked for after an instant.

    Anybody can type any number: that it stands there says nothing of what was kept.
    """
    if path.name != MESSAGES:
        return False
    try:
        message = json.loads(line)
        return message["kind"] == SIGN_IN_CODE and datetime.fromisoformat(message["at"]) > since
    except (ValueError, KeyError, TypeError):
        return False


def _write_over(descriptor: int, start: int, line: bytes) -> None:
    try:
        kind = str(json.loads(line)["kind"])
    except (ValueError, KeyError, TypeError):
        kind = ""
    blank = json.dumps({"to": "", "kind": kind, "text": "", "fields": {}}).encode()
    width = len(line) - line.endswith(b"\n")
    # Shorter than any message: those have more in them.
    os.pwrite(descriptor, blank[:width].ljust(width), start)
