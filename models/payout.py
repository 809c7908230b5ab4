"""Money on its way from a passbook to its resident."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole


class PayoutStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    PAID = "paid"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REVERSED = "reversed"


class PayoutMethod(StrEnum):
    CASH = "cash"
    BANK = "bank"
    EWALLET = "ewallet"


BEFORE_SENDING = (PayoutStatus.REQUESTED, PayoutStatus.APPROVED)


class Payout(Table, table=True):
    """One payout; its amount is held on the passbook until it is paid or given back."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "hold_id"], ["ledger_transfer.bank_id", "ledger_transfer.id"]
        ),
        CheckConstraint(one_of("status", PayoutStatus), "status"),
        CheckConstraint(one_of("method", PayoutMethod), "method"),
        CheckConstraint("amount_idr > 0", "amount"),
        CheckConstraint("approved_by <> resident_id AND approved_by <> entered_by", "two_people"),
        CheckConstraint("paid_by <> resident_id AND paid_by <> entered_by", "paid_by_another"),
        Index(
            "ix_payout_expires",
            "bank_id",
            "expires_at",
            sqlite_where=text("status = 'requested'"),
            postgresql_where=text("status = 'requested'"),
        ),
        Index("ix_payout_resident", "bank_id", "resident_id", "id"),
        Index("ix_payout_status", "bank_id", "status", "id"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="person.id")
    entered_by: UUID = Field(foreign_key="person.id")
    amount_idr: int = whole()
    method: str = Field(sa_type=text_of(PayoutMethod))
    channel_code: str = Field(default="", max_length=40)
    account_number: str = Field(default="", max_length=40)
    account_holder_name: str = Field(default="", max_length=120)
    gateway: str = Field(default="", max_length=40)
    key: str = Field(default="", max_length=60)
    gateway_id: str = Field(default="", max_length=120)
    fee_idr: int = whole(0)
    fee_by: str = Field(default="bank", max_length=8)
    sent_at: datetime | None = None
    unknown_at: datetime | None = None
    reversed_at: datetime | None = None
    status: str = Field(default=PayoutStatus.REQUESTED, sa_type=text_of(PayoutStatus))
    hold_id: UUID
    approved_by: UUID | None = Field(default=None, foreign_key="person.id")
    approved_at: datetime | None = None
    paid_by: UUID | None = Field(default=None, foreign_key="person.id")
    paid_at: datetime | None = None
    proof: str = Field(default="", max_length=300)
    ended_by: UUID | None = Field(default=None, foreign_key="person.id")
    ended_at: datetime | None = None
    reason: str = Field(default="", max_length=300)
    expires_at: datetime | None = Field(
        default=None, description="Given back then, unless somebody has agreed to it"
    )
    created_at: datetime = Field(default_factory=utc_now)

    @property
    def send_idr(self) -> int:
        """What goes out: the amount, less the fee if the resident pays it."""
        return self.amount_idr - (self.fee_idr if self.fee_by == "resident" else 0)
