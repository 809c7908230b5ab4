"""From an access token to a caller: whose it is, and their parts in each bank."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.people import Membership
from models.sign_in import Device
from service.auth.access import NoValidToken
from service.members import OFFICERS, Caller, group_roles


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom an access token speaks for, and the device it was made for."""

    person_id: UUID
    device_id: UUID
    officers_prove: bool = False
    """Whether officers are officers here only once they gave a second factor."""

    @property
    def asked(self) -> dict[str, UUID]:
        """What `STILL_SIGNED_IN` asks about."""
        return {"person_id": self.person_id, "device_id": self.device_id}


@dataclass(frozen=True, slots=True)
class Grant:
    """A part that a city's directory gives somebody, in these banks or (None) in every one."""

    role: str
    banks: frozenset[UUID] | None


@dataclass(frozen=True, slots=True)
class Outsider:
    """Whom a token of a city's directory speaks for; what they may do stands in the token."""

    person_id: UUID
    grants: tuple[Grant, ...]
    proved: bool
    """Whether they need no second factor, or gave it there."""


STILL_SIGNED_IN: ColumnElement[bool] = and_(
    col(Device.id) == bindparam("device_id"),
    col(Device.person_id) == bindparam("person_id"),
    col(Device.ended_at).is_(None),
)
# Asked together with the parts: that a sign-out counts at once costs no statement of its own.
_PARTS = (
    select_columns(col(Device.proved_at), col(Membership.bank_id), col(Membership.role))
    .select_from(Device)
    .join(Membership, col(Membership.person_id) == Device.person_id, isouter=True)
    .where(STILL_SIGNED_IN)
)


async def caller_of(session: AsyncSession, who: Identity | Outsider) -> Caller:
    """The caller with their parts. Raises NoValidToken once their device was signed out."""
    if isinstance(who, Outsider):
        return await _from_outside(session, who)
    connection = await session.connection()
    rows = (await connection.execute(_PARTS, who.asked)).all()
    return caller_from(who, rows)


def caller_from(who: Identity, rows: Sequence[Any]) -> Caller:
    """The caller of rows with `proved_at` of their device, and `bank_id` and `role`.

    The latter are null for who plays no part.

    Raises NoValidToken if there is no row: the device is unknown or was signed out.
    """
    if not rows:
        raise NoValidToken
    parts = [(row.bank_id, row.role) for row in rows if row.bank_id is not None]
    proved = not who.officers_prove or rows[0].proved_at is not None
    return _caller(who.person_id, parts, proved=proved)


async def _from_outside(session: AsyncSession, who: Outsider) -> Caller:
    """Their parts by the token alone: what the directory takes back counts with the next one."""
    everywhere = any(grant.banks is None for grant in who.grants)
    known = (await session.exec(select(Bank.id))).all() if everywhere else ()
    parts = [
        (bank_id, grant.role)
        for grant in who.grants
        for bank_id in (known if grant.banks is None else sorted(grant.banks))
    ]
    return _caller(who.person_id, parts, proved=who.proved)


def _caller(person_id: UUID, parts: Sequence[tuple[UUID, str]], *, proved: bool) -> Caller:
    if proved:
        return Caller(person_id, group_roles(parts))
    open_to_all = [(bank_id, role) for bank_id, role in parts if role not in OFFICERS]
    withheld = [(bank_id, role) for bank_id, role in parts if role in OFFICERS]
    return Caller(person_id, group_roles(open_to_all), group_roles(withheld))
