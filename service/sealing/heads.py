"""What is signed: the head of a page, and the figures of a closed day."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.sealing.canonical import FORM, netstrings

NO_PAGE = bytes(32)
"""The head before that of a book's first page."""
_HEAD = b"\x02"
_PAGE_TITLE = b"jumpa-madu/page/1\n"
_DAY_TITLE = "jumpa-madu/day/1"
_COUNT_TITLE = "jumpa-madu/count/1"
_BALANCES_TITLE = "jumpa-madu/balances/1"


class PageFacts(NamedTuple):
    """What the head of a page is made of."""

    bank_id: UUID
    page: int
    transfers: int
    root: bytes
    previous: bytes
    form: int = FORM

    def head(self) -> bytes:
        """SHA-256 over the facts, each of a fixed width; numbers with the high byte first."""
        numbers = self.page.to_bytes(8, "big") + self.transfers.to_bytes(8, "big")
        said = _HEAD + bytes([self.form]) + self.bank_id.bytes + numbers
        return hashlib.sha256(said + self.root + self.previous).digest()


class Count(NamedTuple):
    """The cash that was counted at the close of a day, and by whom; all None if nobody did."""

    counted_cash_idr: int | None = None
    cash_difference_idr: int | None = None
    closed_by: UUID | None = None

    def hash(self) -> bytes:
        """SHA-256 of netstrings: seals are published, and what is in a drawer is not."""
        numbers = (self.counted_cash_idr, self.cash_difference_idr)
        said = ["" if one is None else str(one) for one in numbers]
        by = self.closed_by.hex if self.closed_by else ""
        return hashlib.sha256(netstrings((_COUNT_TITLE, *said, by))).digest()


NOBODY_COUNTED = Count()


class DayFacts(NamedTuple):
    """What is signed of a closed day."""

    bank_id: UUID
    day: date
    page: int
    transfers: int
    head: bytes
    balances: bytes
    counted: Count = NOBODY_COUNTED

    def message(self) -> bytes:
        """The bytes that are signed: netstrings of text."""
        numbers = (str(self.page), str(self.transfers))
        hashes = (self.head.hex(), self.balances.hex(), self.counted.hash().hex())
        return netstrings((_DAY_TITLE, self.bank_id.hex, self.day.isoformat(), *numbers, *hashes))


class Total(NamedTuple):
    """What was posted to an account of the chart."""

    code: str
    unit: str
    debit: int
    credit: int


def count_in(row: Mapping[str, Any]) -> Count:
    """The count in a row that a statement in plain text gave."""
    by = row["closed_by"]
    return Count(
        row["counted_cash_idr"], row["cash_difference_idr"], None if by is None else UUID(str(by))
    )


def page_message(head: bytes) -> bytes:
    """The bytes that are signed of a page: a title of their own, and its head."""
    return _PAGE_TITLE + head


def balances_hash(totals: Iterable[Total]) -> bytes:
    """SHA-256 of a trial balance: accounts that something was posted to, by unit and code."""
    moved = [total for total in totals if total.debit or total.credit]
    moved.sort(key=lambda total: (total.unit.encode(), total.code.encode()))
    text = netstrings([_BALANCES_TITLE])
    text += b"".join(
        netstrings((total.unit, total.code, str(total.debit), str(total.credit))) for total in moved
    )
    return hashlib.sha256(text).digest()


def is_signed(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether this key made the signature."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
