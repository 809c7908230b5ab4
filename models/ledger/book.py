"""The book's pages, the seals that close them, and the days they belong to.

Every journal stands on the page that is open when it is written. Turning a page waits for
whoever is still writing, so a page that is not the newest never changes again: it can be
sealed without looking for late comers. A day is a run of pages; one that was opened again
has another run further on in the book.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary
from sqlmodel import Field

from models.base import Table, utc_now, whole


class Page(Table, table=True):
    """A page of a bank's book; the one with the highest number is open."""

    __tablename__ = "ledger_page"
    __table_args__ = (
        CheckConstraint("number > 0", "number"),
        Index("ix_ledger_page_day", "bank_id", "day", "number"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    day: date = Field(description="The day of business it belongs to, at the bank")
    opened_at: datetime = Field(default_factory=utc_now)


class Seal(Table, table=True):
    """The fingerprint of a finished page, chained to that of the page before.

    `leaves` holds 48 bytes a transfer in the page's order: its id, and the hash of what it
    says. The root of these hashes and the head before it make the head. In form 2 so do the
    number and the root of the page's audit entries; seals of form 1 speak of none.
    """

    __tablename__ = "ledger_seal"
    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "page"], ["ledger_page.bank_id", "ledger_page.number"]),
        CheckConstraint("transfers >= 0 AND length(leaves) = transfers * 48", "leaves"),
        CheckConstraint("length(root) = 32 AND length(previous) = 32", "hashes"),
        CheckConstraint("length(head) = 32 AND length(signature) = 64", "signed"),
    )

    bank_id: UUID = Field(primary_key=True)
    page: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    form: int = Field(description="The version of the canonical form")
    transfers: int
    leaves: bytes = Field(sa_type=LargeBinary)
    root: bytes = Field(sa_type=LargeBinary)
    audit_entries: int | None = None
    audit_leaves: bytes | None = Field(default=None, sa_type=LargeBinary)
    audit_root: bytes | None = Field(default=None, sa_type=LargeBinary)
    previous: bytes = Field(sa_type=LargeBinary)
    head: bytes = Field(sa_type=LargeBinary)
    key_id: str = Field(max_length=64)
    signature: bytes = Field(sa_type=LargeBinary)
    sealed_at: datetime = Field(default_factory=utc_now)


class Day(Table, table=True):
    """A closed day of business: its last page, and the cash that was counted.

    A day that was opened again and closed anew has another version; the earlier ones stay.
    """

    __tablename__ = "ledger_day"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "last_page"], ["ledger_page.bank_id", "ledger_page.number"]
        ),
        CheckConstraint("counted_cash_idr >= 0", "counted_cash"),
        CheckConstraint(
            "(counted_cash_idr IS NULL) = (cash_difference_idr IS NULL)", "difference_of_a_count"
        ),
        CheckConstraint("version > 0", "version"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    day: date = Field(primary_key=True)
    version: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    last_page: int
    closed_by: UUID | None = Field(
        default=None, foreign_key="person.id", description="Nobody: closed when the day was over"
    )
    counted_cash_idr: int | None = whole(None, nullable=True)
    cash_difference_idr: int | None = whole(
        None, nullable=True, description="Counted less what the ledger says"
    )
    despite_unknown: str = Field(
        default="", max_length=300, description="Why it was closed with payouts nobody knew of"
    )
    closed_at: datetime = Field(default_factory=utc_now)


class Reopening(Table, table=True):
    """A closed day was opened again; what is posted on the pages from `first_page` on is its."""

    __tablename__ = "ledger_reopening"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "day", "version"],
            ["ledger_day.bank_id", "ledger_day.day", "ledger_day.version"],
        ),
        # The page is turned next: its trigger looks here whether the day may go back.
        ForeignKeyConstraint(
            ["bank_id", "first_page"],
            ["ledger_page.bank_id", "ledger_page.number"],
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint("reason <> ''", "has_a_reason"),
    )

    bank_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    version: int = Field(
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
        description="The version that was the newest until then",
    )
    first_page: int
    reason: str = Field(max_length=300)
    reopened_by: UUID = Field(foreign_key="person.id")
    reopened_at: datetime = Field(default_factory=utc_now)


class DaySeal(Table, table=True):
    """What is published of a closed day: the head of its last page and its figures, signed."""

    __tablename__ = "ledger_day_seal"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "day", "version"],
            ["ledger_day.bank_id", "ledger_day.day", "ledger_day.version"],
        ),
        CheckConstraint("length(head) = 32 AND length(signature) = 64", "signed"),
    )

    bank_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    version: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    form: int = Field(description="The version of what is signed")
    page: int
    transfers: int = whole(description="Of the whole book so far")
    head: bytes = Field(sa_type=LargeBinary)
    balances: bytes = Field(
        sa_type=LargeBinary, description="SHA-256 of the trial balance at its close"
    )
    key_id: str = Field(max_length=64)
    signature: bytes = Field(sa_type=LargeBinary)
    sealed_at: datetime = Field(default_factory=utc_now)
