"""What the scale showed, at the door or at the bank."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole
from models.material import Condition


class Dropoff(Table, table=True):
    """Waste that a resident brought to the bank."""

    __table_args__ = (Index("ix_dropoff_resident", "bank_id", "resident_id", "id"),)

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="person.id")
    entered_by: UUID = Field(foreign_key="person.id")
    credited_idr: int = whole()
    created_at: datetime = Field(default_factory=utc_now)


class Weighing(Table, table=True):
    """One line on the scale: what was taken and paid, and what was refused and why."""

    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "pickup_id"], ["pickup.bank_id", "pickup.id"]),
        ForeignKeyConstraint(["bank_id", "dropoff_id"], ["dropoff.bank_id", "dropoff.id"]),
        CheckConstraint("(pickup_id IS NULL) <> (dropoff_id IS NULL)", "one_origin"),
        CheckConstraint(one_of("condition", Condition), "condition"),
        CheckConstraint("grams >= 0 AND rejected_grams >= 0", "not_negative"),
        CheckConstraint("grams + rejected_grams > 0", "something_weighed"),
        CheckConstraint("rejected_grams = 0 OR reason <> ''", "rejection_has_a_reason"),
        CheckConstraint("price_idr >= 0 AND amount_idr >= 0", "amounts"),
        Index("ix_weighing_pickup", "bank_id", "pickup_id", "line", unique=True),
        Index("ix_weighing_dropoff", "bank_id", "dropoff_id", "line", unique=True),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    pickup_id: UUID | None = None
    dropoff_id: UUID | None = None
    line: int
    material: str = Field(foreign_key="material.code", max_length=20)
    condition: str = Field(sa_type=text_of(Condition))
    grams: int = whole()
    rejected_grams: int = whole(0)
    reason: str = Field(default="", max_length=300)
    price_idr: int = whole()
    amount_idr: int = whole()


class HandoverAttempt(Table, table=True):
    """A weighing that came with a wrong handover code: kept as evidence, not yet paid."""

    __tablename__ = "handover_attempt"
    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "pickup_id"], ["pickup.bank_id", "pickup.id"]),
        Index("ix_handover_attempt_pickup", "bank_id", "pickup_id", "id"),
    )

    bank_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    pickup_id: UUID
    collector_id: UUID = Field(foreign_key="person.id")
    claim_number: int
    weighings: str = Field(description="JSON, as the collector sent it")
    collected_at: datetime
    created_at: datetime = Field(default_factory=utc_now)
