"""Who did what to which thing when, from where, on whose behalf."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from models.base import Table, new_id, utc_now


class AuditEntry(Table, table=True):
    """One act in a bank, or one look at what is somebody else's.

    It stands on a page of the bank's book and is sealed with it; its triggers see to the page,
    and let nothing be edited or removed. It refers to no other row: what it says stays said,
    and every writer would put a lock on the same few people.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_page", "bank_id", "page", "id"),
        Index("ix_audit_entry_about", "bank_id", "about", "id"),
        Index(
            "ix_audit_entry_person",
            "bank_id",
            "person_id",
            "id",
            sqlite_where=text("person_id IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    bank_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    page: int = Field(description="The page that was open when it was written")
    at: datetime = Field(default_factory=utc_now)
    act: str = Field(max_length=60)
    status: int = Field(description="Of the answer; what a rule said no to is an act as well")
    actor_id: UUID | None = Field(default=None, description="Nobody: the command line")
    on_behalf_of: UUID | None = None
    card_id: UUID | None = Field(default=None, description="The resident's card that was shown")
    about_kind: str = Field(default="", max_length=30)
    about: str = Field(default="", max_length=64, description="An id, a day or a name")
    person_id: UUID | None = Field(default=None, description="Whose data it is about")
    address: str = Field(default="", max_length=45, description="A network: /24, or /48 of IPv6")
    device_id: UUID | None = Field(default=None, description="The sign-in it came from")


class OwnEntry(Table, table=True):
    """What somebody did with their own account, in no bank: signed in, changed their name."""

    __tablename__ = "audit_own"
    __table_args__ = ({"sqlite_with_rowid": False},)

    person_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(default_factory=utc_now)
    act: str = Field(max_length=60)
    address: str = Field(default="", max_length=45)
    device_id: UUID | None = None
