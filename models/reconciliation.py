"""Reconciliation: what gateways and banks say of our money, and what we make of it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Text,
    text,
)
from sqlmodel import Field

from models.base import Table, new_id, one_of, table_of, text_of, utc_now, whole
from models.payout import Payout


class LineType(StrEnum):
    """What a line of a statement is about, in the words that all sources share."""

    OUT = "out"
    """Money that left."""
    IN = "in"
    FEE = "fee"
    VAT = "vat"
    OUT_BACK = "out_back"
    """A payout that came back."""
    FEE_BACK = "fee_back"
    VAT_BACK = "vat_back"


class Holding(StrEnum):
    """Which of our accounts a statement is about."""

    FLOAT = "float"
    """Money at a gateway."""
    BANK_ACCOUNT = "bank_account"


class CaseKind(StrEnum):
    """What is wrong about a line or a payout; `matched` is no case."""

    AMOUNT_DIFFERS = "amount_differs"
    FEE_DIFFERS = "fee_differs"
    MISSING_AT_GATEWAY = "missing_at_gateway"
    """We say it was sent, and the statement is silent."""
    MISSING_HERE = "missing_here"
    """The statement has what we never asked for."""
    DUPLICATE = "duplicate"
    """A second line for what was matched already."""
    LATE = "late"
    """Matched, but booked when it should not have been: too late, or before it was sent."""
    REVERSED = "reversed"
    """Paid, and sent back since."""
    UNKNOWN = "unknown"
    """What happened can't be told: the line contradicts itself or us, or nobody knows yet."""


class CaseStatus(StrEnum):
    OPEN = "open"
    WAITING = "waiting"
    """Somebody asked the gateway."""
    RESOLVED = "resolved"
    CLEARED = "cleared"
    """A later statement, or the payout's own course, has settled it by itself."""


class Action(StrEnum):
    """What a person does about a case."""

    MATCH = "match"
    """The line is this payout; no money moves."""
    ACCEPT = "accept"
    """It is right as it is; no money moves."""
    WAIT = "wait"
    """The gateway was asked; the case stays."""
    FEE = "fee"
    """What differs is a fee of the gateway."""
    SUSPENSE = "suspense"
    """What differs waits in the suspense account."""
    TOP_UP = "top_up"
    """Money of the bank's own, from or to its bank account."""
    WRITE_OFF = "write_off"
    REVERSE = "reverse"
    """The payout came back: the money is the resident's again."""


_WAITS = text("status IN ('open', 'waiting')")
_COUNTS = text("withdrawn_at IS NULL")
_HOLDS = text("undone_at IS NULL")
_OF_A_LINE = text("status IN ('open', 'waiting') AND line_id IS NOT NULL")
_OF_A_PAYOUT = text("status IN ('open', 'waiting') AND line_id IS NULL")


class ColumnMap(Table, table=True):
    """How one source writes its CSV; the newest of a name is in force."""

    __tablename__ = "column_map"
    __table_args__ = (
        CheckConstraint("name <> ''", "has_a_name"),
        Index("ix_column_map_name", "bank_id", "name", "id"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=40)
    spec: dict[str, Any] = Field(sa_type=JSON)
    entered_by: UUID = Field(foreign_key="person.id")
    created_at: datetime = Field(default_factory=utc_now)


class StatementImport(Table, table=True):
    """One file that was read; the same bytes count once. Withdrawn, never deleted."""

    __tablename__ = "statement_import"
    __table_args__ = (
        Index(
            "ix_statement_import_once",
            *("bank_id", "source", "sha256"),
            unique=True,
            sqlite_where=_COUNTS,
            postgresql_where=_COUNTS,
        ),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
            " AND (withdrawn_at IS NULL OR withdrawn_reason <> '')",
            "withdrawn_with_a_reason",
        ),
        CheckConstraint(one_of("holding", Holding), "holding"),
        CheckConstraint("line_count >= new_count AND new_count >= 0", "counts"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    source: str = Field(max_length=40, description="The gateway or bank account")
    holding: str = Field(sa_type=text_of(Holding))
    profile: str = Field(max_length=40, description="By which map or format it was read")
    sha256: str = Field(max_length=64)
    first_at: datetime
    last_at: datetime
    opening_idr: int | None = whole(None, nullable=True)
    closing_idr: int | None = whole(None, nullable=True)
    line_count: int
    new_count: int
    imported_by: UUID = Field(foreign_key="person.id")
    imported_at: datetime = Field(default_factory=utc_now)
    withdrawn_by: UUID | None = Field(default=None, foreign_key="person.id")
    withdrawn_at: datetime | None = None
    withdrawn_reason: str = Field(default="", max_length=300)


class StatementLine(Table, table=True):
    """One line of a statement, once however many files hold it."""

    __tablename__ = "statement_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "import_id"], ["statement_import.bank_id", "statement_import.id"]
        ),
        Index(
            "ix_statement_line_once",
            *("bank_id", "source", "external_id", "line_type", "occurrence"),
            unique=True,
            sqlite_where=_COUNTS,
            postgresql_where=_COUNTS,
        ),
        CheckConstraint(one_of("line_type", LineType), "line_type"),
        CheckConstraint("occurrence > 0", "occurrence"),
        Index("ix_statement_line_booked", "bank_id", "source", "booked_at"),
    )

    bank_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    import_id: UUID
    source: str = Field(max_length=40)
    number: int = Field(description="Its place in the file, oldest first")
    external_id: str = Field(max_length=120)
    line_type: str = Field(sa_type=text_of(LineType))
    occurrence: int
    gateway_id: str = Field(default="", max_length=120)
    reference: str = Field(default="", max_length=300)
    account_number: str = Field(default="", max_length=40)
    amount_idr: int = whole(description="What came in; negative what left")
    balance_idr: int | None = whole(None, nullable=True)
    booked_at: datetime
    booked_until: datetime = Field(description="Later, where only the day is known")
    raw: str = Field(sa_type=Text)
    withdrawn_at: datetime | None = Field(
        default=None, description="Since then it counts as if it had never come"
    )


class StatementMatch(Table, table=True):
    """A line found to be a payout, by which rule. Undone, never deleted."""

    __tablename__ = "statement_match"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "line_id"], ["statement_line.bank_id", "statement_line.id"]
        ),
        ForeignKeyConstraint(["bank_id", "payout_id"], ["payout.bank_id", "payout.id"]),
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", "undone"),
        CheckConstraint("undone_at IS NULL OR undone_reason <> ''", "undone_with_a_reason"),
        # A line of a batch is several payouts', each by its own leg.
        Index(
            "ix_statement_match_line",
            "bank_id",
            "line_id",
            "part",
            unique=True,
            sqlite_where=_HOLDS,
            postgresql_where=_HOLDS,
        ),
        Index(
            "ix_statement_match_leg",
            "bank_id",
            "payout_id",
            "leg",
            unique=True,
            sqlite_where=_HOLDS,
            postgresql_where=_HOLDS,
        ),
    )

    bank_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    line_id: UUID
    part: int = Field(default=1, description="Of a line that is several payouts")
    payout_id: UUID
    leg: str = Field(max_length=20, description="Which side of the payout: out, fee, vat, …")
    rule: str = Field(max_length=20)
    matched_by: UUID | None = Field(default=None, foreign_key="person.id")
    matched_at: datetime = Field(default_factory=utc_now)
    undone_by: UUID | None = Field(default=None, foreign_key="person.id")
    undone_at: datetime | None = None
    undone_reason: str = Field(default="", max_length=300)


class ReconciliationCase(Table, table=True):
    """Something that doesn't fit, until a person says what it is."""

    __tablename__ = "reconciliation_case"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "line_id"], ["statement_line.bank_id", "statement_line.id"]
        ),
        ForeignKeyConstraint(["bank_id", "payout_id"], ["payout.bank_id", "payout.id"]),
        ForeignKeyConstraint(
            ["bank_id", "transfer_id"], ["ledger_transfer.bank_id", "ledger_transfer.id"]
        ),
        ForeignKeyConstraint(
            ["bank_id", "import_id"], ["statement_import.bank_id", "statement_import.id"]
        ),
        CheckConstraint(one_of("kind", CaseKind), "kind"),
        CheckConstraint(one_of("status", CaseStatus), "status"),
        CheckConstraint(one_of("holding", Holding), "holding"),
        CheckConstraint(one_of("proposed_action", Action), "proposed_action"),
        CheckConstraint(one_of("action", Action), "action"),
        CheckConstraint("line_id IS NOT NULL OR payout_id IS NOT NULL", "about_something"),
        CheckConstraint(
            "(status = 'resolved') = (resolved_by IS NOT NULL)"
            " AND (status <> 'resolved' OR (action IS NOT NULL AND reason <> ''))",
            "resolved_with_a_reason",
        ),
        CheckConstraint("transfer_id IS NULL OR status = 'resolved'", "moves_when_resolved"),
        Index(
            "ix_reconciliation_case_line",
            "bank_id",
            "line_id",
            unique=True,
            sqlite_where=_OF_A_LINE,
            postgresql_where=_OF_A_LINE,
        ),
        Index(
            "ix_reconciliation_case_payout",
            "bank_id",
            "payout_id",
            unique=True,
            sqlite_where=_OF_A_PAYOUT,
            postgresql_where=_OF_A_PAYOUT,
        ),
        Index("ix_reconciliation_case_since", "bank_id", "since", "id"),
        Index(
            "ix_reconciliation_case_waits",
            "bank_id",
            "source",
            "id",
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        ),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    source: str = Field(max_length=40)
    holding: str = Field(sa_type=text_of(Holding))
    kind: str = Field(sa_type=text_of(CaseKind))
    why: str = Field(max_length=40, description="What the matcher saw, in one word")
    status: str = Field(default=CaseStatus.OPEN, sa_type=text_of(CaseStatus))
    line_id: UUID | None = None
    payout_id: UUID | None = None
    import_id: UUID | None = Field(default=None, description="By which file it came up")
    expected_idr: int = whole(description="What should have left; negative: come in")
    found_idr: int = whole(description="What the statement says has left")
    proposed_action: str = Field(sa_type=text_of(Action))
    since: datetime = Field(description="When the money moved, or should have")
    opened_at: datetime = Field(default_factory=utc_now)
    due_on: date
    owner_id: UUID | None = Field(default=None, foreign_key="person.id")
    action: str | None = Field(default=None, sa_type=text_of(Action))
    reason: str = Field(default="", max_length=300)
    resolved_by: UUID | None = Field(default=None, foreign_key="person.id")
    ended_at: datetime | None = None
    transfer_id: UUID | None = None

    @property
    def unexplained_idr(self) -> int:
        """What left beyond what our book says; negative: what didn't leave or came back."""
        return self.found_idr - self.expected_idr


# What a statement may speak of is looked up by when it was sent.
Index(
    "ix_payout_gateway_sent",
    *(table_of(Payout).c[name] for name in ("bank_id", "gateway", "sent_at")),
)
