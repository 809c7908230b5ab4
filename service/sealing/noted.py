"""Heads noted beside the keys: a book whose seals were removed and made anew no longer fits."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from models.base import utc_now
from service.sealing.heads import PageFacts


class HeadDiffers(Exception):
    """A page would get another seal than the one that was noted here."""

    def __init__(self, page: int, path: Path) -> None:
        super().__init__(
            f"Page {page} is not sealed: another head of it is noted in {path}. Was the book"
            " edited, or an older copy of the database restored?"
        )


class Head(NamedTuple):
    bank_id: UUID
    page: int
    head: bytes


class NotedHeads:
    """A file that only grows: a line for each bank and batch of pages that was sealed here.

    Of a long file only what is new is read, unless a page has to be compared.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_to = 0
        self._last: dict[UUID, int] = {}

    def note(self, pages: Sequence[PageFacts]) -> None:
        """Note the last of a bank's pages that are about to be sealed.

        Raises HeadDiffers if one of them was noted with another head.
        """
        last = pages[-1]
        self._catch_up()
        if pages[0].page <= self._last.get(last.bank_id, 0):
            self._compare(pages)
        if last.page > self._last.get(last.bank_id, 0):
            self._append(Head(last.bank_id, last.page, last.head()))

    def _catch_up(self) -> None:
        if not self._path.exists() or self._path.stat().st_size < self._read_to:
            self._read_to, self._last = 0, {}
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read_to)
            for one in _heads(file):
                self._last[one.bank_id] = max(one.page, self._last.get(one.bank_id, 0))
            self._read_to = file.tell()

    def _compare(self, pages: Sequence[PageFacts]) -> None:
        heads = noted_in(self._path).get(pages[0].bank_id, {})
        for facts in pages:
            if heads.get(facts.page, facts.head()) != facts.head():
                raise HeadDiffers(facts.page, self._path)

    def _append(self, one: Head) -> None:
        said = {"at": utc_now().isoformat(timespec="seconds"), "bank": one.bank_id.hex}
        line = json.dumps({**said, "page": one.page, "head": one.head.hex()})
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # A line of its own, even after one that a power cut left without its end.
            os.write(descriptor, f"\n{line}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@lru_cache
def noted_at(path: Path) -> NotedHeads:
    """The file of this process, with what is known of it."""
    return NotedHeads(path)


def noted_in(path: Path) -> dict[UUID, dict[int, bytes]]:
    """The heads of a file by bank and page; none if it isn't there."""
    found: dict[UUID, dict[int, bytes]] = {}
    if path.exists():
        with path.open("rb") as file:
            for one in _heads(file):
                found.setdefault(one.bank_id, {}).setdefault(one.page, one.head)
    return found


def _heads(lines: Iterable[bytes]) -> Iterator[Head]:
    for line in lines:
        try:
            said = json.loads(line)
            yield Head(UUID(said["bank"]), int(said["page"]), bytes.fromhex(said["head"]))
        except (ValueError, KeyError, TypeError):  # Empty, or cut off by a loss of power.
            continue
