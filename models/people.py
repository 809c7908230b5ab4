"""People, and the parts they play in banks."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now


class Role(StrEnum):
    RESIDENT = "resident"
    COLLECTOR = "collector"
    OPERATOR = "operator"
    TREASURER = "treasurer"
    CITY = "city"


class Language(StrEnum):
    INDONESIAN = "id"
    ENGLISH = "en"


class Person(Table, table=True):
    """Somebody, wherever they are a member.

    Whoever signs in by a city's own directory, or asked to be deleted, has no phone number.
    """

    __table_args__ = (
        UniqueConstraint("phone"),
        CheckConstraint(one_of("language", Language), "language"),
        CheckConstraint("(nik_hash IS NULL) = (nik_sealed IS NULL)", "nik"),
        Index("ix_person_nik_hash", "nik_hash", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    phone: str | None = Field(default=None, max_length=16, description="E.164")
    name: str = Field(default="", max_length=120)
    language: str = Field(default=Language.INDONESIAN, sa_type=text_of(Language))
    nik_hash: str | None = Field(default=None, max_length=64, description="Keyed; one has one NIK")
    nik_sealed: str | None = Field(
        default=None, max_length=120, description="Encrypted, behind the name of its key"
    )
    deleted_at: datetime | None = None
    created_at: datetime = Field(default_factory=utc_now)


class Membership(Table, table=True):
    """One part that one person plays in one bank.

    It is read before any bank is known (whose banks are these?), so it is one of the
    global sign-in tables and its key starts with the person.
    """

    __table_args__ = (
        CheckConstraint(one_of("role", Role), "role"),
        UniqueConstraint("bank_id", "passbook_number"),
        Index("ix_membership_bank_id_role", "bank_id", "role"),
    )

    person_id: UUID = Field(primary_key=True, foreign_key="person.id")
    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    role: str = Field(primary_key=True, sa_type=text_of(Role))
    passbook_number: str | None = Field(default=None, max_length=32)
    entered_by: UUID | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=utc_now)
