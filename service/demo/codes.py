"""Codes out of the message file of a server that runs on this machine."""

import json
from pathlib import Path


class NoCodeFound(Exception):
    """The message file has no code for a number."""


class CodeFile:
    """Reads on where it stopped; a server writes a message before it answers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_to = 0
        self._newest: dict[str, str] = {}

    async def __call__(self, number: str) -> str:
        """The newest code that was sent to a number. Raises NoCodeFound."""
        self._read_on()
        if number not in self._newest:
            raise NoCodeFound(f"{self._path} has no code for {number}.")
        return self._newest[number]

    def _read_on(self) -> None:
        if not self._path.exists():
            raise NoCodeFound(f"There is no message file at {self._path}.")
        with self._path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_to += len(line)
                if b'"code"' in line:
                    self._note(json.loads(line))

    def _note(self, message: dict[str, str]) -> None:
        if "code" in message:
            self._newest[message["to"]] = message["code"]
