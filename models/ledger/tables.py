"""Double entry in rupiah and in grams, one row a transfer.

The application only ever inserts journals, accounts and transfers. A trigger moves the
counters and writes the entries (see models.ledger.triggers); nothing is edited or deleted.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole


class Floor(StrEnum):
    """Which balance an account may not fall below."""

    NONE = "none"
    CREDIT = "credit"
    """What the bank owes somebody: debits, holds counted, never exceed credits."""
    DEBIT = "debit"
    """What the bank has: credits, holds counted, never exceed debits."""


class TransferKind(StrEnum):
    POST = "post"
    HOLD = "hold"
    SETTLE = "settle"
    VOID = "void"


class Account(Table, table=True):
    """A place where rupiah or grams are counted; facts that never change.

    The id follows from bank, code and unit, so that a posting needs no look-up.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("bank_id", "code", "unit"),
        UniqueConstraint("bank_id", "id", "unit"),
        CheckConstraint(one_of("floor", Floor), "floor"),
        CheckConstraint("shards = 1 OR (shards > 1 AND floor = 'none')", "shards"),
        CheckConstraint("unit = 'IDR' OR unit LIKE 'g:%'", "unit"),
        Index("ix_ledger_account_owner", "bank_id", "owner_id"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(primary_key=True)
    code: str = Field(max_length=80)
    unit: str = Field(max_length=24, description="IDR, or g:<material>")
    floor: str = Field(default=Floor.NONE, sa_type=text_of(Floor))
    shards: int = 1
    owner_id: UUID | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=utc_now)


class Balance(Table, table=True):
    """The four counters of an account; a busy account spreads them over several rows."""

    __tablename__ = "ledger_balance"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "account_id"], ["ledger_account.bank_id", "ledger_account.id"]
        ),
        CheckConstraint(
            "debits_posted >= 0 AND credits_posted >= 0"
            " AND debits_pending >= 0 AND credits_pending >= 0 AND version >= 0",
            "counters",
        ),
        CheckConstraint(
            "floor <> 'credit' OR debits_posted + debits_pending <= credits_posted",
            "never_overdrawn",
        ),
        CheckConstraint(
            "floor <> 'debit' OR credits_posted + credits_pending <= debits_posted",
            "never_below_nothing",
        ),
        {"postgresql_with": {"fillfactor": "60"}},
    )

    bank_id: UUID = Field(primary_key=True)
    account_id: UUID = Field(primary_key=True)
    shard: int = Field(primary_key=True)
    floor: str = Field(sa_type=text_of(Floor))
    debits_posted: int = whole(0)
    credits_posted: int = whole(0)
    debits_pending: int = whole(0)
    credits_pending: int = whole(0)
    version: int = whole(0)


class Journal(Table, table=True):
    """One act of business, and the transfers that belong to it.

    Its triggers see to it that the page is the bank's open one. Nothing refers to bank and
    page besides: every writer of a bank would put a lock on the same two rows.
    """

    __tablename__ = "ledger_journal"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "reverses_id"], ["ledger_journal.bank_id", "ledger_journal.id"]
        ),
        Index("ix_ledger_journal_about", "bank_id", "about_id"),
        Index("ix_ledger_journal_page", "bank_id", "page", "id"),
        Index(
            "ix_ledger_journal_reversed_once",
            "bank_id",
            "reverses_id",
            unique=True,
            sqlite_where=text("reverses_id IS NOT NULL"),
            postgresql_where=text("reverses_id IS NOT NULL"),
        ),
    )

    bank_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str = Field(max_length=30)
    about_id: UUID | None = Field(default=None, description="The pickup, drop-off or payout")
    actor_id: UUID | None = Field(default=None, foreign_key="person.id")
    memo: str = Field(default="", max_length=300)
    reverses_id: UUID | None = None
    page: int = Field(description="The page that was open when it was written")
    created_at: datetime = Field(default_factory=utc_now)


class Transfer(Table, table=True):
    """An amount from the credited account to the debited one: it balances by construction."""

    __tablename__ = "ledger_transfer"
    __table_args__ = (
        UniqueConstraint("bank_id", "key"),
        ForeignKeyConstraint(
            ["bank_id", "journal_id"], ["ledger_journal.bank_id", "ledger_journal.id"]
        ),
        ForeignKeyConstraint(
            ["bank_id", "debit_account_id", "unit"],
            ["ledger_account.bank_id", "ledger_account.id", "ledger_account.unit"],
        ),
        ForeignKeyConstraint(
            ["bank_id", "credit_account_id", "unit"],
            ["ledger_account.bank_id", "ledger_account.id", "ledger_account.unit"],
        ),
        ForeignKeyConstraint(
            ["bank_id", "pending_id"], ["ledger_transfer.bank_id", "ledger_transfer.id"]
        ),
        CheckConstraint(one_of("kind", TransferKind), "kind"),
        CheckConstraint("amount > 0 AND amount <= 1000000000000000", "amount"),
        CheckConstraint("debit_account_id <> credit_account_id", "two_accounts"),
        CheckConstraint("(kind IN ('settle', 'void')) = (pending_id IS NOT NULL)", "resolves"),
        Index(
            "ix_ledger_transfer_resolves_once",
            "bank_id",
            "pending_id",
            unique=True,
            sqlite_where=text("pending_id IS NOT NULL"),
            postgresql_where=text("pending_id IS NOT NULL"),
        ),
        Index("ix_ledger_transfer_journal", "bank_id", "journal_id"),
    )

    bank_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str = Field(max_length=120, description="What makes it happen once")
    kind: str = Field(default=TransferKind.POST, sa_type=text_of(TransferKind))
    pending_id: UUID | None = None
    journal_id: UUID
    debit_account_id: UUID
    debit_shard: int = 0
    credit_account_id: UUID
    credit_shard: int = 0
    amount: int = whole()
    unit: str = Field(max_length=24)
    event_at: datetime = Field(description="When it happened")
    created_at: datetime = Field(default_factory=utc_now, description="When it was written")


class Entry(Table, table=True):
    """What one transfer did to one account; versions have no gaps.

    Amounts and balances are signed, credit positive. Only a transfer's trigger writes them,
    so that they need no reference to it.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bank_id: UUID = Field(primary_key=True)
    account_id: UUID = Field(primary_key=True)
    shard: int = Field(primary_key=True)
    version: int = Field(primary_key=True)
    transfer_id: UUID
    amount: int = whole(description="How the posted balance changed")
    balance_after: int = whole(description="Posted credits less posted debits")
    pending_after: int = whole(description="Pending credits less pending debits")
