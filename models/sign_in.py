"""One-time codes, the devices that are signed in, and second factors."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from models.base import Table, new_id, utc_now


class SignInCode(Table, table=True):
    """A code sent to a phone; only keyed hashes of both are kept."""

    __tablename__ = "sign_in_code"
    __table_args__ = (
        CheckConstraint("tries >= 0", "tries"),
        Index("ix_sign_in_code_phone_created_at", "phone_hash", "created_at"),
        Index("ix_sign_in_code_address_created_at", "address", "created_at"),
        Index("ix_sign_in_code_used_at_created_at", "used_at", "created_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    phone_hash: str = Field(max_length=64, description="Keyed: anybody can type any number")
    address: str = Field(max_length=64, description="Keyed hash of where it was asked for")
    code_hash: str = Field(max_length=64)
    tries: int = Field(default=0, description="Wrong ones, and one that is under way")
    created_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime
    used_at: datetime | None = None


class Device(Table, table=True):
    """One sign-in of somebody on a phone or computer, until it is ended."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    name: str = Field(default="", max_length=80)
    created_at: datetime = Field(default_factory=utc_now)
    last_used_at: datetime = Field(
        default_factory=utc_now, description="When it last got new tokens"
    )
    proved_at: datetime | None = Field(
        default=None, description="When a second factor was given on it"
    )
    ended_at: datetime | None = None


class RefreshToken(Table, table=True):
    """A token of a device that can be exchanged once for the next."""

    __tablename__ = "refresh_token"

    token_hash: str = Field(primary_key=True, max_length=64)
    device_id: UUID = Field(foreign_key="device.id", index=True)
    created_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime
    used_at: datetime | None = None


class SecondFactor(Table, table=True):
    """What somebody's authenticator app makes its codes from; it counts once confirmed."""

    __tablename__ = "second_factor"
    __table_args__ = (CheckConstraint("tries >= 0", "tries"),)

    person_id: UUID = Field(primary_key=True, foreign_key="person.id")
    secret: bytes = Field(description="Encrypted with a key that follows from the pepper")
    created_at: datetime = Field(default_factory=utc_now)
    confirmed_at: datetime | None = None
    last_step: int = Field(default=0, description="The newest 30 seconds whose code was taken")
    tries: int = 0
    tries_since: datetime = Field(default_factory=utc_now)


class RecoveryCode(Table, table=True):
    """A code on paper that stands for the app once; only a keyed hash of it is kept."""

    __tablename__ = "recovery_code"

    code_hash: str = Field(primary_key=True, max_length=64)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    created_at: datetime = Field(default_factory=utc_now)
    used_at: datetime | None = None


class OutsideIdentity(Table, table=True):
    """Somebody of a city's own directory, by what that calls them."""

    __tablename__ = "outside_identity"

    issuer: str = Field(primary_key=True, max_length=255)
    subject: str = Field(primary_key=True, max_length=255)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    created_at: datetime = Field(default_factory=utc_now)
