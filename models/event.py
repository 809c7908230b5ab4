"""The outbox: what happened, and who still has to hear of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from models.base import Table, new_id, utc_now


class Event(Table, table=True):
    """Something that happened, written in the transaction that made it so.

    A worker takes it with a lease and a fence number; the number goes up with every
    taking, so a worker that was too slow can't mark it done.
    """

    __table_args__ = (
        Index(
            "ix_event_due",
            "bank_id",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str = Field(max_length=40)
    person_id: UUID | None = Field(default=None, foreign_key="person.id")
    body: str = Field(default="{}", description="JSON")
    created_at: datetime = Field(default_factory=utc_now)
    due_at: datetime = Field(default_factory=utc_now, description="Not before; moved by a lease")
    fence: int = 0
    done_at: datetime | None = None
    failure: str = Field(default="", max_length=300)
