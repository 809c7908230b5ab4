"""Cards of residents: given out and revoked at the counter."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from models.people import Role
from service import assisting, banks, members
from service.api.dependencies import Actor, CurrentParts, Keyless, Reader, ReadSession, Session
from service.api.errors import documented
from service.api.idempotency import ActRoute
from service.api.qr import drawn
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.members import OFFICERS, Caller

router = APIRouter(
    prefix="/v1/banks/{bank_id}/members/{person_id}/cards", tags=["people"], route_class=ActRoute
)


class CardView(BaseModel):
    """A card; what stands on it is told once, to whoever prints it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    resident_id: UUID
    issued_by: UUID
    issued_at: datetime
    revoked_by: UUID | None
    revoked_at: datetime | None


class CardList(BaseModel):
    items: list[CardView]


class IssuedView(CardView):
    token: str = Field(description="For the header On-Behalf-Of-Card")
    text: str = Field(description="To print beside the code")
    svg: str = Field(description="The token as a QR code")


@router.post("", status_code=201, responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def issue_card(
    bank_id: UUID, person_id: UUID, caller: Keyless, session: Session, parts: CurrentParts
) -> IssuedView:
    """Give a resident a card; the one before it ends. Whoever is shown it acts for them.

    The answer is the only place where `token` is told, so it takes no Idempotency-Key: should
    the answer get lost, ask for another card.
    """
    bank = await banks.get(session, bank_id)
    resident = await members.resident_of(session, bank_id, person_id)
    card, token = await assisting.issue(
        session, parts.keys, bank_id, resident.id, by=caller.person_id
    )
    return IssuedView(
        **card.model_dump(include=set(CardView.model_fields)),
        token=token,
        text="\n".join([bank.name, resident.name or str(resident.id), token]),
        svg=drawn(token).decode(),
    )


@router.get("", responses=documented(NoValidToken, NotAllowed))
async def list_cards(
    bank_id: UUID, person_id: UUID, caller: Reader, session: ReadSession
) -> CardList:
    """The cards that a resident has or had, newest first; for officers, and their own."""
    _check_may(caller, bank_id, person_id)
    found = await assisting.cards_of(session, bank_id, person_id)
    return CardList(items=[CardView.model_validate(card) for card in found])


@router.delete("/{card_id}", responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def revoke_card(
    bank_id: UUID, person_id: UUID, card_id: UUID, caller: Actor, session: Session
) -> CardView:
    """Revoke a card, as an officer or its resident. One that has ended stays as it is."""
    _check_may(caller, bank_id, person_id)
    card = await assisting.revoke(session, bank_id, person_id, card_id, by=caller.person_id)
    return CardView.model_validate(card)


def _check_may(caller: Caller, bank_id: UUID, person_id: UUID) -> None:
    if caller.person_id == person_id:
        caller.act_in(bank_id, Role.RESIDENT)
    else:
        caller.act_in(bank_id, *OFFICERS)
