"""What people agreed to, who was deleted, and what was let out that should not have been."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Text
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now


class Purpose(StrEnum):
    """What somebody's data is used for, each agreed to by itself."""

    SERVICE = "service"
    NOTICES = "notices"
    LOCATION = "location"


class Consent(Table, table=True):
    """Somebody agreed to a purpose, or took that back. The newest counts; none is ever changed."""

    __table_args__ = (
        CheckConstraint(one_of("purpose", Purpose), "purpose"),
        {"sqlite_with_rowid": False},
    )

    person_id: UUID = Field(primary_key=True, foreign_key="person.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    purpose: str = Field(sa_type=text_of(Purpose))
    given: bool
    version: int = Field(description="Of the text that was agreed to")
    entered_by: UUID = Field(foreign_key="person.id", description="An officer, for who can't")
    at: datetime = Field(default_factory=utc_now)


class Deletion(Table, table=True):
    """Somebody was deleted. Nothing here says who they were."""

    person_id: UUID = Field(primary_key=True, foreign_key="person.id")
    entered_by: UUID | None = Field(
        default=None, foreign_key="person.id", description="Nobody: the command line"
    )
    at: datetime = Field(default_factory=utc_now)


class TraceKind(StrEnum):
    PHONE = "phone"
    NUMBER = "number"
    """Of an account, or the NIK."""
    NAME = "name"


class Trace(Table, table=True):
    """A keyed hash of what a deleted person was known by, to find it where it was left behind."""

    __tablename__ = "deletion_trace"
    __table_args__ = (
        CheckConstraint(one_of("kind", TraceKind), "kind"),
        CheckConstraint("words > 0", "words"),
    )

    person_id: UUID = Field(primary_key=True, foreign_key="deletion.person_id")
    hash: str = Field(primary_key=True, max_length=64)
    kind: str = Field(sa_type=text_of(TraceKind))
    words: int = Field(default=1, description="Of a name, so that no other lengths are tried")


class Breach(Table, table=True):
    """Personal data of a bank got out. The persons and the authority hear of it in time."""

    NOTICE_WITHIN: ClassVar[timedelta] = timedelta(hours=72)
    """Three times 24 hours, by UU 27/2022, article 46."""

    __table_args__ = (CheckConstraint("what <> ''", "says_what"),)

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    what: str = Field(sa_type=Text, description="Which data, how it got out, what is done")
    known_at: datetime = Field(description="When somebody knew of it: the clock runs from then")
    due_at: datetime
    whole_bank: bool = Field(description="Everybody of the bank, and not those who are named")
    entered_by: UUID | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=utc_now)


class BreachPerson(Table, table=True):
    """Somebody whose data it was."""

    __tablename__ = "breach_person"
    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "breach_id"], ["breach.bank_id", "breach.id"]),
    )

    bank_id: UUID = Field(primary_key=True)
    breach_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True, foreign_key="person.id")


class Told(StrEnum):
    """Who was told of a breach."""

    PEOPLE = "people"
    AUTHORITY = "authority"


class BreachNotice(Table, table=True):
    """The words with which somebody was told of a breach, once each."""

    __tablename__ = "breach_notice"
    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "breach_id"], ["breach.bank_id", "breach.id"]),
        CheckConstraint(one_of("told", Told), "told"),
        CheckConstraint("text <> ''", "has_words"),
    )

    bank_id: UUID = Field(primary_key=True)
    breach_id: UUID = Field(primary_key=True)
    told: str = Field(primary_key=True, sa_type=text_of(Told))
    text: str = Field(sa_type=Text)
    entered_by: UUID | None = Field(default=None, foreign_key="person.id")
    at: datetime = Field(default_factory=utc_now)
