"""What was counted in a bank's store."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from models.base import Table, new_id, utc_now, whole


class StockCount(Table, table=True):
    """Somebody counted a material in the store; what it differed by was posted at once.

    A count never changes.
    """

    __tablename__ = "stock_count"
    __table_args__ = (
        CheckConstraint("counted_grams >= 0", "counted"),
        Index("ix_stock_count_material", "bank_id", "material", "id"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    material: str = Field(foreign_key="material.code", max_length=20)
    counted_grams: int = whole()
    difference_grams: int = whole(description="Counted less what the ledger said")
    note: str = Field(default="", max_length=300)
    counted_by: UUID = Field(foreign_key="person.id")
    counted_at: datetime = Field(default_factory=utc_now)
