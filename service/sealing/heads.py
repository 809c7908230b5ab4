"""What is signed: the head of a page, and the figures of a closed day."""

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.sealing.canonical import netstrings

NO_PAGE = bytes(32)
"""The head before that of a book's first page."""
NO_ENTRIES = hashlib.sha256().digest()
"""The root of no entries at all."""
_HEAD = b"\x02"
PAGE_FORM = 2
"""The form in which pages are sealed from now on, with their audit; form 1 stays good."""
_PAGE_TITLE = b"jumpa-madu/page/1\n"
DAY_FORM = 2
"""The form in which days are signed from now on; those of form 1 stay good."""
_DAY_TITLE = "jumpa-madu/day"
_COUNT_TITLE = "jumpa-madu/count"
_REOPENING_TITLE = "jumpa-madu/reopening/1"
_BALANCES_TITLE = "jumpa-madu/balances/1"


class PageFacts(NamedTuple):
    """What the head of a page is made of."""

    bank_id: UUID
    page: int
    transfers: int
    root: bytes
    previous: bytes
    audit_entries: int = 0
    audit_root: bytes = NO_ENTRIES
    form: int = PAGE_FORM

    def head(self) -> bytes:
        """SHA-256 over the facts, each of a fixed width; numbers with the high byte first."""
        numbers = self.page.to_bytes(8, "big") + self.transfers.to_bytes(8, "big")
        said = _HEAD + bytes([self.form]) + self.bank_id.bytes + numbers
        said += self.root + self.previous
        if self.form > 1:
            said += self.audit_entries.to_bytes(8, "big") + self.audit_root
        return hashlib.sha256(said).digest()


class InDrawer(NamedTuple):
    """What was counted in one drawer as a day was closed, in rupiah."""

    drawer: str
    counted_idr: int
    difference_idr: int


class Count(NamedTuple):
    """The cash that was counted at the close of a day, and by whom; all None if nobody did.

    `despite_unknown` says why it was closed although nobody knew how some payouts went.
    """

    counted_cash_idr: int | None = None
    cash_difference_idr: int | None = None
    closed_by: UUID | None = None
    despite_unknown: str = ""
    drawers: tuple[InDrawer, ...] = ()

    def hash(self, form: int = DAY_FORM) -> bytes:
        """SHA-256 of netstrings: seals are published, and what is in a drawer is not."""
        numbers = (self.counted_cash_idr, self.cash_difference_idr)
        said = ["" if one is None else str(one) for one in numbers]
        said.append(self.closed_by.hex if self.closed_by else "")
        if form > 1:
            said.append(self.despite_unknown)
            by_name = sorted(self.drawers, key=lambda one: one.drawer.encode())
            said += [str(value) for one in by_name for value in one]
        return hashlib.sha256(netstrings((f"{_COUNT_TITLE}/{form}", *said))).digest()


class Reopened(NamedTuple):
    """How a day was opened again that was closed before; all empty of a first version."""

    first_page: int | None = None
    reopened_by: UUID | None = None
    reason: str = ""

    def hash(self) -> bytes:
        """SHA-256 of netstrings: why it was is for officers."""
        page = "" if self.first_page is None else str(self.first_page)
        by = self.reopened_by.hex if self.reopened_by else ""
        return hashlib.sha256(netstrings((_REOPENING_TITLE, page, by, self.reason))).digest()


NOBODY_COUNTED = Count()
NOT_REOPENED = Reopened()


class DayFacts(NamedTuple):
    """What is signed of a version of a closed day."""

    bank_id: UUID
    day: date
    page: int
    transfers: int
    head: bytes
    balances: bytes
    counted: Count = NOBODY_COUNTED
    version: int = 1
    reopened: Reopened = NOT_REOPENED
    form: int = DAY_FORM

    def message(self) -> bytes:
        """The bytes that are signed: netstrings of text."""
        day = (self.day.isoformat(), *([str(self.version)] if self.form > 1 else []))
        numbers = (str(self.page), str(self.transfers))
        hashes = [self.head, self.balances, self.counted.hash(self.form)]
        if self.form > 1:
            hashes.append(self.reopened.hash())
        title = f"{_DAY_TITLE}/{self.form}"
        return netstrings((title, self.bank_id.hex, *day, *numbers, *(one.hex() for one in hashes)))


class Total(NamedTuple):
    """What was posted to an account of the chart."""

    code: str
    unit: str
    debit: int
    credit: int


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
