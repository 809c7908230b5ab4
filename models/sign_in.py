"""One-time codes and the devices that are signed in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from models.base import Table, new_id, utc_now


class SignInCode(Table, table=True):
    """A code sent to a phone; only a keyed hash of it is kept."""

    __tablename__ = "sign_in_code"
    __table_args__ = (
        CheckConstraint("tries >= 0", "tries"),
        Index("ix_sign_in_code_phone_created_at", "phone", "created_at"),
        Index("ix_sign_in_code_address_created_at", "address", "created_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    phone: str = Field(max_length=16)
    address: str = Field(max_length=64, description="Keyed hash of where it was asked for")
    code_hash: str = Field(max_length=64)
    tries: int = Field(default=0, description="Wrong ones, and one that is under way")
    created_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime
    used_at: datetime | None = None


class RefreshToken(Table, table=True):
    """A token that can be exchanged once; all that follow from one sign-in are a family."""

    __tablename__ = "refresh_token"

    token_hash: str = Field(primary_key=True, max_length=64)
    family_id: UUID = Field(index=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    created_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime
    used_at: datetime | None = None
    ended_at: datetime | None = None
