"""Cash drawers of officers, and what was counted in them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from models.base import Table, new_id, utc_now, whole

MAIN = "main"
"""The drawer that every bank has: its safe."""


class Drawer(Table, table=True):
    """A drawer in an officer's keeping; its money is the ledger's account `cash:<name>`.

    One that was closed may be opened again under the same name, as another row.
    """

    __table_args__ = (
        CheckConstraint("name <> 'main'", "not_the_safe"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", "closed_by_somebody"),
        Index(
            "ix_drawer_open_name",
            "bank_id",
            "name",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_drawer_open_officer",
            "bank_id",
            "officer_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=40)
    officer_id: UUID = Field(foreign_key="person.id", description="In whose keeping it is")
    opened_by: UUID = Field(foreign_key="person.id")
    opened_at: datetime = Field(default_factory=utc_now)
    closed_by: UUID | None = Field(default=None, foreign_key="person.id")
    closed_at: datetime | None = None


class DrawerCount(Table, table=True):
    """Somebody counted a drawer; what it differed by was posted at once. A count never changes."""

    __tablename__ = "drawer_count"
    __table_args__ = (
        CheckConstraint("counted_idr >= 0", "counted"),
        CheckConstraint("(day IS NULL) = (day_version IS NULL)", "of_a_close"),
        Index("ix_drawer_count_drawer", "bank_id", "drawer", "id"),
        Index("ix_drawer_count_day", "bank_id", "day", "day_version"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    drawer: str = Field(max_length=40)
    counted_idr: int = whole()
    difference_idr: int = whole(description="Counted less what the ledger said")
    moves: int = whole(description="How often the account had been moved by then")
    memo: str = Field(default="", max_length=300)
    counted_by: UUID = Field(foreign_key="person.id")
    counted_at: datetime = Field(default_factory=utc_now)
    day: date | None = Field(default=None, description="The day that was closed with it")
    day_version: int | None = None
