"""The caller of what may be done for a resident whose card is shown."""

from typing import Annotated

from fastapi import Depends, Header
from sqlmodel.ext.asyncio.session import AsyncSession

from service import assisting
from service.api.dependencies import (
    Actor,
    Admitted,
    CurrentParts,
    Parts,
    Payer,
    Reader,
    ReadSession,
    Session,
)
from service.members import Caller

CardHeader = Annotated[
    str | None,
    Header(
        alias="On-Behalf-Of-Card",
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="What stands on a resident's card: a collector or officer of the bank acts"
        " for whom it is of.",
    ),
]


async def helping_reader(
    parts: CurrentParts, caller: Reader, session: ReadSession, card: CardHeader = None
) -> Caller:
    return await _with_card(parts, session, caller, card)


async def helping_admitted(
    parts: CurrentParts, caller: Admitted, card: CardHeader = None
) -> Caller:
    if card is None:
        return caller
    async with parts.database.reading() as session:
        return await _with_card(parts, session, caller, card)


async def helping_actor(
    parts: CurrentParts, caller: Actor, session: Session, card: CardHeader = None
) -> Caller:
    return await _with_card(parts, session, caller, card)


async def helping_payer(
    parts: CurrentParts, caller: Payer, session: Session, card: CardHeader = None
) -> Caller:
    return await _with_card(parts, session, caller, card)


HelpingAdmitted = Annotated[Caller, Depends(helping_admitted)]
HelpingReader = Annotated[Caller, Depends(helping_reader)]
HelpingActor = Annotated[Caller, Depends(helping_actor)]
HelpingPayer = Annotated[Caller, Depends(helping_payer)]


async def _with_card(
    parts: Parts, session: AsyncSession, caller: Caller, card: str | None
) -> Caller:
    if card is not None:
        await assisting.present(session, parts.keys, caller, card)
    return caller
