"""The second weighing: what collectors bring to the bank, against what was weighed at doors."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole
from models.material import Condition


class ReceivingStatus(StrEnum):
    SETTLED = "settled"
    """Within the tolerance; nobody had to decide."""
    DISPUTED = "disputed"
    DECIDED = "decided"


class Decision(StrEnum):
    DOOR = "door"
    """What was weighed at the door counts; the difference is the bank's."""
    STATION = "station"
    """What was weighed at the station counts."""


class Receiving(Table, table=True):
    """Pickups of one collector, unloaded and weighed together at the station."""

    __table_args__ = (
        CheckConstraint(one_of("status", ReceivingStatus), "status"),
        CheckConstraint(one_of("decision", Decision), "decision"),
        CheckConstraint("(status = 'decided') = (decision IS NOT NULL)", "decided"),
        CheckConstraint("(decision IS NULL) = (decided_by IS NULL)", "decided_by_somebody"),
        CheckConstraint("decision IS NULL OR reason <> ''", "decision_has_a_reason"),
        CheckConstraint(
            "entered_by <> collector_id AND decided_by <> collector_id", "not_by_the_collector"
        ),
        Index("ix_receiving_status", "bank_id", "status", "id"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    collector_id: UUID = Field(foreign_key="person.id")
    entered_by: UUID = Field(foreign_key="person.id")
    weighed: bool = Field(description="Else it was taken as weighed at the doors")
    status: str = Field(sa_type=text_of(ReceivingStatus))
    decision: str | None = Field(default=None, sa_type=text_of(Decision))
    reason: str = Field(default="", max_length=300)
    decided_by: UUID | None = Field(default=None, foreign_key="person.id")
    decided_at: datetime | None = None
    created_at: datetime = Field(default_factory=utc_now)


class ReceivingLine(Table, table=True):
    """One material and condition: grams at the doors against grams at the station."""

    __tablename__ = "receiving_line"
    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "receiving_id"], ["receiving.bank_id", "receiving.id"]),
        CheckConstraint(one_of("condition", Condition), "condition"),
        CheckConstraint("door_grams >= 0 AND station_grams >= 0", "not_negative"),
    )

    bank_id: UUID = Field(primary_key=True)
    receiving_id: UUID = Field(primary_key=True)
    material: str = Field(primary_key=True, foreign_key="material.code", max_length=20)
    condition: str = Field(primary_key=True, sa_type=text_of(Condition))
    door_grams: int = whole()
    station_grams: int = whole()
