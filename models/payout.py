"""Money on its way from a passbook to its resident, or from earnings to their collector."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole


class PayoutStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    SENDING = "sending"
    """A worker has it; what was refused for now is tried again from here."""
    SENT = "sent"
    """Its gateway has taken it, and owes an end."""
    UNKNOWN = "unknown"
    """It was sent without a certain answer: it may be paid, and is only asked about."""
    PAID = "paid"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REVERSED = "reversed"
    """Paid, and come back later."""


class PayoutMethod(StrEnum):
    CASH = "cash"
    BANK = "bank"
    EWALLET = "ewallet"


class PayoutSource(StrEnum):
    """Whose book it leaves: a resident's, or what a collector earned."""

    PASSBOOK = "passbook"
    EARNINGS = "earnings"


class FeeBy(StrEnum):
    """Who bears what a gateway takes."""

    BANK = "bank"
    RESIDENT = "resident"


class Cause(StrEnum):
    """What moved a payout."""

    PERSON = "person"
    TIME = "time"
    WORKER = "worker"
    ANSWER = "answer"
    """What the gateway said when it was asked to pay."""
    QUERY = "query"
    """What the gateway said when it was asked how far it is."""
    CALLBACK = "callback"
    REPORT = "report"
    """What the gateway's statement says."""
    RETRY = "retry"
    CORRECTION = "correction"
    MIGRATION = "migration"


_S = PayoutStatus
_ENDS = (_S.PAID, _S.FAILED, _S.CANCELLED)
MOVES: Mapping[PayoutStatus, tuple[PayoutStatus, ...]] = {
    _S.REQUESTED: (_S.APPROVED, _S.REJECTED, _S.CANCELLED),
    _S.APPROVED: (_S.PAID, _S.SENDING, _S.REJECTED, _S.CANCELLED),
    _S.SENDING: (_S.SENT, _S.UNKNOWN, *_ENDS),
    _S.UNKNOWN: (_S.SENT, *_ENDS),
    _S.SENT: _ENDS,
    _S.PAID: (_S.REVERSED,),
}
"""Where a payout may go from where it is: only forward. The database refuses all else."""
BEFORE_SENDING = (_S.REQUESTED, _S.APPROVED)
HIDDEN = "••••"
"""Stands before the last four digits of an account whose owner was deleted."""
UNDER_WAY = (_S.SENDING, _S.UNKNOWN, _S.SENT)
"""At a gateway, or about to be: nobody can take it back."""
ENDED = tuple(status for status in _S if status not in (*BEFORE_SENDING, *UNDER_WAY))


class Payout(Table, table=True):
    """One payout; its amount is held on the passbook until it is paid or given back.

    Its guard in the database lets it move only as MOVES says, and writes every move down.
    """

    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "hold_id"], ["ledger_transfer.bank_id", "ledger_transfer.id"]
        ),
        ForeignKeyConstraint(
            ["bank_id", "destination_id"], ["destination.bank_id", "destination.id"]
        ),
        ForeignKeyConstraint(["bank_id", "retry_of"], ["payout.bank_id", "payout.id"]),
        CheckConstraint(one_of("status", PayoutStatus), "status"),
        CheckConstraint(one_of("method", PayoutMethod), "method"),
        CheckConstraint(one_of("source", PayoutSource), "source"),
        CheckConstraint("amount_idr > 0", "amount"),
        CheckConstraint("approved_by <> resident_id AND approved_by <> entered_by", "two_people"),
        CheckConstraint("paid_by <> resident_id AND paid_by <> entered_by", "paid_by_another"),
        CheckConstraint(one_of("fee_by", FeeBy), "fee_by"),
        CheckConstraint(
            "fee_idr >= 0 AND (fee_by = 'bank' OR fee_idr < amount_idr)", "fee_below_amount"
        ),
        CheckConstraint("(method = 'cash') = (gateway = '')", "cash_needs_no_gateway"),
        CheckConstraint("code_tries >= 0", "code_tries"),
        Index(
            "ix_payout_expires",
            "bank_id",
            "expires_at",
            sqlite_where=text("status = 'requested'"),
            postgresql_where=text("status = 'requested'"),
        ),
        Index("ix_payout_resident", "bank_id", "resident_id", "id"),
        Index("ix_payout_status", "bank_id", "status", "id"),
        Index(
            "ix_payout_due",
            "bank_id",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_payout_gateway_id",
            "bank_id",
            "gateway",
            "gateway_id",
            unique=True,
            sqlite_where=text("gateway_id <> ''"),
            postgresql_where=text("gateway_id <> ''"),
        ),
        Index(
            "ix_payout_retry_of",
            "bank_id",
            "retry_of",
            unique=True,
            sqlite_where=text("retry_of IS NOT NULL"),
            postgresql_where=text("retry_of IS NOT NULL"),
        ),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(
        foreign_key="person.id", description="Who gets it; a collector, if it is of earnings"
    )
    source: str = Field(default=PayoutSource.PASSBOOK, sa_type=text_of(PayoutSource))
    entered_by: UUID = Field(foreign_key="person.id")
    amount_idr: int = whole(
        description="What leaves the passbook, a fee of the resident's included"
    )
    method: str = Field(sa_type=text_of(PayoutMethod))
    channel_code: str = Field(default="", max_length=40)
    account_number: str = Field(default="", max_length=40)
    account_holder_name: str = Field(default="", max_length=120)
    destination_id: UUID | None = None
    gateway: str = Field(default="", max_length=40)
    fee_idr: int = whole(0, description="What the gateway takes, as it was shown; with VAT")
    fee_by: str = Field(default=FeeBy.BANK, sa_type=text_of(FeeBy))
    status: str = Field(default=PayoutStatus.REQUESTED, sa_type=text_of(PayoutStatus))
    moves: int = Field(default=1, description="How often it has moved; the guard counts along")
    cause: str = Field(default=Cause.PERSON, sa_type=text_of(Cause), description="Of its last move")
    cause_detail: str = Field(default="", max_length=300)
    moved_by: UUID | None = Field(default=None, foreign_key="person.id")
    moved_at: datetime = Field(default_factory=utc_now)
    hold_id: UUID
    approved_by: UUID | None = Field(default=None, foreign_key="person.id")
    approved_at: datetime | None = None
    paid_by: UUID | None = Field(default=None, foreign_key="person.id")
    paid_at: datetime | None = None
    proof: str = Field(default="", max_length=300)
    code_tries: int = 0
    code_given: bool = Field(default=False, description="The resident told the code at the counter")
    ended_by: UUID | None = Field(default=None, foreign_key="person.id")
    ended_at: datetime | None = None
    reason: str = Field(default="", max_length=300)
    expires_at: datetime | None = Field(
        default=None, description="Given back then, unless somebody has agreed to it"
    )
    key: str = Field(default="", max_length=64, description="What its gateway knows it by")
    gateway_id: str = Field(default="", max_length=100, description="What the gateway calls it")
    due_at: datetime | None = Field(
        default=None, description="When a worker is to send it, or ask about it; moved by a lease"
    )
    fence: int = Field(default=0, description="How often a worker has taken it")
    tries: int = Field(default=0, description="Refusals for now, or questions, since it last moved")
    asked_at: datetime | None = Field(
        default=None, description="When it was first sent; empty while it certainly was not"
    )
    sent_at: datetime | None = None
    unknown_at: datetime | None = None
    reversed_at: datetime | None = None
    failure: str = Field(default="", max_length=80, description="The gateway's code")
    retry_of: UUID | None = None
    created_at: datetime = Field(default_factory=utc_now)

    @property
    def send_idr(self) -> int:
        """What goes out to the resident."""
        return self.amount_idr - (self.fee_idr if self.fee_by == FeeBy.RESIDENT else 0)


class PayoutMove(Table, table=True):
    """One move of a payout. Only the guard on payouts writes these."""

    __tablename__ = "payout_move"
    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "payout_id"], ["payout.bank_id", "payout.id"]),
    )

    bank_id: UUID = Field(primary_key=True)
    payout_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    from_status: str | None = Field(default=None, max_length=9)
    to_status: str = Field(max_length=9)
    cause: str = Field(sa_type=text_of(Cause))
    detail: str = Field(max_length=300)
    actor_id: UUID | None = Field(default=None, foreign_key="person.id")
    at: datetime


class NameCheck(StrEnum):
    """How the name that was given fits the one that the gateway tells."""

    NOT_YET = "not_yet"
    NOT_TOLD = "not_told"
    """The gateway has no such service."""
    SAME = "same"
    OTHER = "other"
    NO_ACCOUNT = "no_account"


class Destination(Table, table=True):
    """An account or wallet that a resident is paid to; a change is a new row."""

    __table_args__ = (
        CheckConstraint(one_of("name_check", NameCheck), "name_check"),
        Index(
            "ix_destination_current",
            "bank_id",
            "resident_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_destination_account", "bank_id", "channel_code", "account_number"),
        Index(
            "ix_destination_unchecked",
            "bank_id",
            "check_due_at",
            sqlite_where=text("name_check = 'not_yet'"),
            postgresql_where=text("name_check = 'not_yet'"),
        ),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="person.id")
    channel_code: str = Field(max_length=40)
    account_number: str = Field(max_length=40)
    account_holder_name: str = Field(max_length=120)
    usable_from: datetime = Field(description="A changed destination waits, should it be a thief's")
    shared_with: int = Field(
        default=0, description="Other residents paid to it when it was entered"
    )
    name_check: str = Field(default=NameCheck.NOT_YET, sa_type=text_of(NameCheck))
    name_found: str = Field(default="", max_length=120)
    check_due_at: datetime = Field(default_factory=utc_now)
    check_tries: int = 0
    entered_by: UUID = Field(foreign_key="person.id")
    created_at: datetime = Field(default_factory=utc_now)
    ended_at: datetime | None = None


class PayoutChannel(Table, table=True):
    """A way out as a gateway last told it; a request can't wait for the gateway to answer."""

    __tablename__ = "payout_channel"
    __table_args__ = (
        CheckConstraint("minimum_idr > 0 AND maximum_idr >= minimum_idr", "limits"),
        CheckConstraint("fee_idr >= 0", "fee"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    gateway: str = Field(primary_key=True, max_length=40)
    code: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=80)
    is_wallet: bool
    minimum_idr: int = whole()
    maximum_idr: int = whole()
    fee_idr: int = whole()
    seen_at: datetime = Field(default_factory=utc_now, description="When it was first told so")


class GatewayFloat(Table, table=True):
    """A bank's money at a gateway as the gateway tells it, and whether its queue stands still."""

    __tablename__ = "gateway_float"

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    gateway: str = Field(primary_key=True, max_length=40)
    balance_idr: int | None = whole(None, nullable=True)
    balance_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_why: str = Field(default="", max_length=120)
    resumed_at: datetime | None = None
    resumed_by: UUID | None = Field(default=None, foreign_key="person.id")


class GatewayCallback(Table, table=True):
    """What a gateway told us by itself, raw, once; whose it is shows only when it is read."""

    __tablename__ = "gateway_callback"
    __table_args__ = (
        UniqueConstraint("gateway", "digest"),
        Index(
            "ix_gateway_callback_waiting",
            "due_at",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    gateway: str = Field(max_length=40)
    digest: str = Field(max_length=64, description="SHA-256 of the body")
    body: str
    headers: str = Field(description="JSON; of those that prove and name it")
    received_at: datetime = Field(default_factory=utc_now)
    due_at: datetime = Field(default_factory=utc_now)
    tries: int = 0
    handled_at: datetime | None = None
    outcome: str = Field(default="", max_length=120)
