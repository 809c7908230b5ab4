"""Codes, receipts and notices on their way to a person: the seam, and into a file."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from models.base import utc_now

SIGN_IN_CODE = "sign_in_code"


@dataclass(frozen=True)
class Message:
    """Words for one person; its repr shows neither who nor what, for it may end in a log."""

    to: str = field(repr=False)
    kind: str
    text: str = field(repr=False)
    language: str
    fields: Mapping[str, str] = field(repr=False, default_factory=dict)


class MessageNotSent(Exception):
    """The message did not go out; its words hold no code, token or phone number."""

    def __init__(self, why: str, *, retry: bool) -> None:
        super().__init__(why)
        self.retry = retry


class Messenger(Protocol):
    """A way to reach people."""

    async def send(self, message: Message) -> None:
        """Hand the message over, or raise MessageNotSent."""

    async def close(self) -> None:
        """Let go of connections."""


class FileMessenger:
    """Appends one line of JSON per message to a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, message: Message) -> None:
        try:
            self._append(_line(message))
        except OSError as error:
            raise MessageNotSent(f"The message file: {error.strerror}", retry=True) from None

    async def close(self) -> None:
        """Nothing stays open between two messages, so the file can be moved away any time."""

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # One write with O_APPEND: lines of other tasks and processes can't get between.
            if os.write(file, line) < len(line):
                os.write(file, b"\n")
                raise MessageNotSent("The message file: only a part was written.", retry=True)
        finally:
            os.close(file)


def _line(message: Message) -> bytes:
    line: dict[str, object] = {
        "at": utc_now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "to": message.to,
        "kind": message.kind,
        "text": message.text,
        "language": message.language,
        "fields": dict(message.fields),
    }
    if "code" in message.fields:
        line["code"] = message.fields["code"]
    # Escaped to ASCII, for some readers end a line at more than a line feed.
    return json.dumps(line).encode() + b"\n"
