"""What a bank pays, since when."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole
from models.material import Condition


class Channel(StrEnum):
    PICKUP = "pickup"
    DROPOFF = "dropoff"


class Price(Table, table=True):
    """A price from an instant on, until the next one of the same material begins.

    There is no end date, so two prices can't overlap. NULL ends the buying.
    """

    __table_args__ = (
        UniqueConstraint("bank_id", "channel", "material", "condition", "valid_from"),
        CheckConstraint(one_of("condition", Condition), "condition"),
        CheckConstraint(one_of("channel", Channel), "channel"),
        CheckConstraint("price_idr >= 0", "price"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    material: str = Field(foreign_key="material.code", max_length=20)
    condition: str = Field(sa_type=text_of(Condition))
    channel: str = Field(sa_type=text_of(Channel))
    price_idr: int | None = whole(None, nullable=True)
    valid_from: datetime = Field(default_factory=utc_now)
    entered_by: UUID | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=utc_now)
