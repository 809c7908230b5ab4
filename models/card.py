"""Cards of residents who have no phone at hand: shown, they let somebody act for them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Table, new_id, utc_now


class Card(Table, table=True):
    """A card of one resident at one bank; only a keyed hash of what is on it is kept."""

    __table_args__ = (
        UniqueConstraint("bank_id", "token_hash"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", "revoked_by_somebody"),
        Index(
            "ix_card_in_use",
            "bank_id",
            "resident_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="person.id")
    token_hash: str = Field(max_length=64)
    issued_by: UUID = Field(foreign_key="person.id")
    issued_at: datetime = Field(default_factory=utc_now)
    revoked_by: UUID | None = Field(default=None, foreign_key="person.id")
    revoked_at: datetime | None = None
