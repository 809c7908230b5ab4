"""Closing days, and the seals that anybody can look up and check."""

import base64
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlalchemy.orm import defer
from sqlmodel import col, select

from models.ledger import Day, DaySeal, Seal
from models.people import Role
from service import banks, sealing
from service.api.dependencies import (
    CurrentPage,
    CurrentParts,
    Payer,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import LARGEST_AMOUNT_IDR
from service.api.fields import Day as DayInput
from service.api.idempotency import ActRoute
from service.api.passbooks import AccountView, account_view, sums_of
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.ledger import BookBusy
from service.members import OFFICERS

router = APIRouter(prefix="/v1", tags=["seals"], route_class=ActRoute)

PathDay = Annotated[DayInput, Path(description="A day of business at the bank, YYYY-MM-DD")]
PathPage = Annotated[int, Path(ge=1, le=2**31 - 1)]


class CountInput(BaseModel):
    """What lies in the drawer `cash:main` at the end of the day."""

    counted_cash_idr: Annotated[int, Field(strict=True, ge=0, le=LARGEST_AMOUNT_IDR)]


class DayView(BaseModel):
    """A closed day; nobody closed it if it was simply over, and then nothing was counted."""

    day: date
    last_page: int
    closed_by: UUID | None
    closed_at: datetime
    counted_cash_idr: int | None
    cash_difference_idr: int | None
    sealed: bool


class ClosedView(DayView):
    """`ledger_cash_idr` is what the ledger said before the difference was posted."""

    ledger_cash_idr: int
    trial_balance: list[AccountView]
    sums: dict[str, int]


class DayList(BaseModel):
    items: list[DayView]
    next_cursor: str | None


class SealView(BaseModel):
    """What is published of a closed day. Hashes are hexadecimal, the signature is base64."""

    day: date
    page: int
    transfers: int
    head: str
    balances: str
    count: str = Field(description="SHA-256 of the cash count, as docs/sealing.md says")
    key_id: str
    signature: str
    sealed_at: datetime


class SealList(BaseModel):
    items: list[SealView]
    next_cursor: str | None


class PageSealView(BaseModel):
    """The seal of one page. Hashes are hexadecimal, the signature is base64."""

    page: int
    form: int
    transfers: int
    root: str
    previous: str
    head: str
    key_id: str
    signature: str
    sealed_at: datetime


class KeyView(BaseModel):
    """A public key: its 32 bytes in base64, and the same as PEM."""

    key_id: str
    algorithm: str = "Ed25519"
    raw: str
    pem: str


class KeyList(BaseModel):
    items: list[KeyView]


@router.post(
    "/banks/{bank_id}/days/{day}/close",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        sealing.DayClosed,
        sealing.DayNotBegun,
        sealing.EarlierDayOpen,
        BookBusy,
    ),
)
async def close_day(
    bank_id: UUID, day: PathDay, body: CountInput, caller: Payer, session: Session
) -> ClosedView:
    """Close a day with the cash that was counted; what is posted from now on is of the next.

    A difference between count and ledger is posted to `cash_difference` on the day itself.
    The day's grams are at `/v1/banks/{bank_id}/mass-balance`.
    """
    caller.act_in(bank_id, Role.TREASURER)
    bank = await banks.get(session, bank_id)
    closed = await sealing.close(
        session, bank, day, by=caller.person_id, counted_cash_idr=body.counted_cash_idr
    )
    return ClosedView(
        **_day(closed.day, None),
        ledger_cash_idr=closed.ledger_cash_idr,
        trial_balance=[account_view(row) for row in closed.balances],
        sums=sums_of(closed.balances),
    )


@router.get("/banks/{bank_id}/days", responses=documented(NoValidToken, NotAllowed))
async def days(bank_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage) -> DayList:
    """Closed days, newest first."""
    caller.act_in(bank_id, *OFFICERS, Role.CITY)
    found = await sealing.closed_days(
        session, bank_id, before=_before(page.before_number), limit=page.limit + 1
    )
    shown, last = page.cut(found)
    return DayList(
        items=[DayView(**_day(day, seal)) for day, seal in shown],
        next_cursor=cursor_of(last[0].day.toordinal()) if last else None,
    )


@router.get("/banks/{bank_id}/seals", responses=documented(NoSuchThing))
async def seals(bank_id: UUID, session: ReadSession, page: CurrentPage) -> SealList:
    """The signed heads of closed days, newest first. Anybody may keep a copy."""
    await banks.get(session, bank_id)
    query = (
        select(DaySeal, Day)
        .join(Day, (col(Day.bank_id) == DaySeal.bank_id) & (col(Day.day) == DaySeal.day))
        .where(DaySeal.bank_id == bank_id)
        .order_by(col(DaySeal.day).desc())
        .limit(page.limit + 1)
    )
    before = _before(page.before_number)
    if before is not None:
        query = query.where(col(DaySeal.day) < before)
    found = list(await session.exec(query))
    shown, last = page.cut(found)
    return SealList(
        items=[_seal(seal, day) for seal, day in shown],
        next_cursor=cursor_of(last[0].day.toordinal()) if last else None,
    )


@router.get("/banks/{bank_id}/seals/pages/{page}", responses=documented(NoSuchThing))
async def page_seal(bank_id: UUID, page: PathPage, session: ReadSession) -> PageSealView:
    """The seal of one page of a bank's book."""
    # A page's leaves are megabytes, and anybody may ask.
    leaves: Any = Seal.leaves
    query = (
        select(Seal)
        .where(Seal.bank_id == bank_id, Seal.page == page)
        .options(defer(leaves, raiseload=True))
    )
    seal = (await session.exec(query)).first()
    if seal is None:
        raise NoSuchThing(thing="seal")
    return page_view(seal)


@router.get("/keys")
async def keys(parts: CurrentParts) -> KeyList:
    """The public keys that seals are signed with, the one in use first."""
    return KeyList(
        items=[
            KeyView(
                key_id=key_id,
                raw=base64.b64encode(key.public_bytes_raw()).decode(),
                pem=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            )
            for key_id, key in parts.keys.of_seals.items()
        ]
    )


def page_view(seal: Seal) -> PageSealView:
    """The seal of a page as it is shown."""
    return PageSealView(
        page=seal.page,
        form=seal.form,
        transfers=seal.transfers,
        root=seal.root.hex(),
        previous=seal.previous.hex(),
        head=seal.head.hex(),
        key_id=seal.key_id,
        signature=base64.b64encode(seal.signature).decode(),
        sealed_at=seal.sealed_at,
    )


def _before(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(min(max(ordinal, 1), date.max.toordinal()))


def _day(day: Day, seal: DaySeal | None) -> dict[str, Any]:
    return {**day.model_dump(exclude={"bank_id"}), "sealed": seal is not None}


def _seal(seal: DaySeal, day: Day) -> SealView:
    count = sealing.Count(day.counted_cash_idr, day.cash_difference_idr, day.closed_by)
    return SealView(
        day=seal.day,
        page=seal.page,
        transfers=seal.transfers,
        head=seal.head.hex(),
        balances=seal.balances.hex(),
        count=count.hash().hex(),
        key_id=seal.key_id,
        signature=base64.b64encode(seal.signature).decode(),
        sealed_at=seal.sealed_at,
    )
