"""Answers that were given, so that a repeated request gets the same one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from models.base import Table, utc_now


class Answer(Table, table=True):
    """The answer to one request, under the key its caller chose."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_age", "bank_id", "created_at"),)

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    person_id: UUID = Field(primary_key=True, foreign_key="person.id")
    key: str = Field(primary_key=True, max_length=255)
    request_hash: str = Field(max_length=64)
    status: int
    body: str
    created_at: datetime = Field(default_factory=utc_now)
