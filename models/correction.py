"""Corrections: an act of the ledger taken back by another one, with a reason."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole


class CorrectionStatus(StrEnum):
    ASKED = "asked"
    """Above the bank's limit: a second person has to agree."""
    MADE = "made"
    REFUSED = "refused"


class Correction(Table, table=True):
    """Somebody found an act wrong; `reversal_id` is the act that takes it back."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["bank_id", "journal_id"], ["ledger_journal.bank_id", "ledger_journal.id"]
        ),
        ForeignKeyConstraint(
            ["bank_id", "reversal_id"], ["ledger_journal.bank_id", "ledger_journal.id"]
        ),
        CheckConstraint(one_of("status", CorrectionStatus), "status"),
        CheckConstraint("reason <> ''", "has_a_reason"),
        CheckConstraint("(status = 'made') = (reversal_id IS NOT NULL)", "made"),
        CheckConstraint("decided_by <> asked_by", "two_people"),
        CheckConstraint(
            "NOT needs_two OR status = 'asked' OR decided_by IS NOT NULL", "needs_a_second"
        ),
        Index(
            "ix_correction_once",
            "bank_id",
            "journal_id",
            unique=True,
            sqlite_where=text("status <> 'refused'"),
            postgresql_where=text("status <> 'refused'"),
        ),
        Index("ix_correction_status", "bank_id", "status", "id"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    journal_id: UUID
    reason: str = Field(max_length=300)
    amount_idr: int = whole(description="All rupiah that the act moved")
    needs_two: bool
    status: str = Field(sa_type=text_of(CorrectionStatus))
    asked_by: UUID = Field(foreign_key="person.id")
    asked_at: datetime = Field(default_factory=utc_now)
    decided_by: UUID | None = Field(default=None, foreign_key="person.id")
    decided_at: datetime | None = None
    decision_reason: str = Field(default="", max_length=300)
    reversal_id: UUID | None = None
