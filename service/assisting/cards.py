"""A resident's card: shown, it lets a helper of the bank act for them, until it is revoked.

What is on it is random and kept as a keyed hash only; it names the bank, so that it can be
looked up without going through all of them.
"""

import base64
import binascii
import secrets
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.card import Card
from models.people import Role
from service import events, members
from service.database import one_at_a_time
from service.errors import Forbidden, NoSuchThing, NotAllowed
from service.keys import Keys
from service.members import OFFICERS, Caller

HELPERS = (Role.COLLECTOR, *OFFICERS)
_SECRET_BYTES = 18


class CardNotValid(Forbidden):
    english = "This card is not valid here, or no longer. The waste bank can give out a new one."
    indonesian = "Kartu ini tidak berlaku di sini atau sudah dicabut. Mintalah kartu baru."


class Issued(NamedTuple):
    card: Card
    token: str
    """What stands on the card; it is told this once."""


async def issue(
    session: AsyncSession, keys: Keys, bank_id: UUID, resident_id: UUID, *, by: UUID
) -> Issued:
    """Give a resident a card; the one before it ends. Raises NoSuchThing."""
    await members.resident_of(session, bank_id, resident_id)
    await one_at_a_time(session, f"card of {bank_id} {resident_id}")
    await _end(session, bank_id, col(Card.resident_id) == resident_id, by)
    token = base64.urlsafe_b64encode(bank_id.bytes + secrets.token_bytes(_SECRET_BYTES)).decode()
    token = token.rstrip("=")
    card = Card(
        bank_id=bank_id,
        id=new_id(),
        resident_id=resident_id,
        token_hash=keys.hash_of("card", token),
        issued_by=by,
    )
    session.add(card)
    await session.flush()
    await events.record(session, bank_id, "card_issued", person_id=resident_id, body={})
    return Issued(card, token)


async def revoke(
    session: AsyncSession, bank_id: UUID, resident_id: UUID, card_id: UUID, *, by: UUID
) -> Card:
    """End a card; one that has ended stays as it is. Raises NoSuchThing."""
    is_it = (col(Card.resident_id) == resident_id) & (col(Card.id) == card_id)
    await _end(session, bank_id, is_it, by)
    query = select(Card).where(Card.bank_id == bank_id, is_it)
    card = (await session.exec(query.execution_options(populate_existing=True))).first()
    if card is None:
        raise NoSuchThing(thing="card")
    return card


async def cards_of(session: AsyncSession, bank_id: UUID, resident_id: UUID) -> list[Card]:
    """The cards that a resident has or had, newest first; at most the last hundred."""
    query = (
        select(Card)
        .where(Card.bank_id == bank_id, Card.resident_id == resident_id)
        .order_by(col(Card.id).desc())
        .limit(100)
    )
    return list(await session.exec(query))


async def present(session: AsyncSession, keys: Keys, caller: Caller, token: str) -> None:
    """Note that the caller acts for whom this card is of. Raises CardNotValid or NotAllowed."""
    bank_id = _bank_of(token)
    if not caller.has(bank_id, *HELPERS):
        raise NotAllowed
    query = select(Card).where(
        Card.bank_id == bank_id,
        Card.token_hash == keys.hash_of("card", token),
        col(Card.revoked_at).is_(None),
    )
    card = (await session.exec(query)).first()
    if card is None:
        raise CardNotValid
    caller.shown = members.ShownCard(bank_id, card.id, card.resident_id, card.issued_by)


def _bank_of(token: str) -> UUID:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 16 + _SECRET_BYTES:
        raise CardNotValid
    return UUID(bytes=raw[:16])


async def _end(session: AsyncSession, bank_id: UUID, which: ColumnElement[bool], by: UUID) -> None:
    await session.exec(
        update(Card)
        .where(col(Card.bank_id) == bank_id, which, col(Card.revoked_at).is_(None))
        .values(revoked_at=utc_now(), revoked_by=by)
        .execution_options(synchronize_session=False)
    )
