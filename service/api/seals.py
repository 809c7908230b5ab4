"""The seals that anybody can look up and check."""

import base64
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlalchemy.orm import defer
from sqlmodel import select

from models.ledger import DaySeal, Seal
from service import banks, sealing
from service.api.days import before_version, cursor_of_version
from service.api.dependencies import (
    CurrentPage,
    CurrentParts,
    ReadSession,
)
from service.api.errors import documented
from service.api.idempotency import ActRoute
from service.errors import NoSuchThing
from service.sealing import ClosedDay

router = APIRouter(prefix="/v1", tags=["seals"], route_class=ActRoute)

PathPage = Annotated[int, Path(ge=1, le=2**31 - 1)]


class SealView(BaseModel):
    """What is published of a closed day. Hashes are hexadecimal, the signature is base64.

    A day that was closed anew has a seal for each version, and all stay good.
    """

    day: date
    version: int
    form: int = Field(description="Which form of docs/sealing.md is signed")
    page: int
    transfers: int
    head: str
    balances: str
    count: str = Field(description="SHA-256 of the cash count, as docs/sealing.md says")
    reopening: str | None = Field(
        description="SHA-256 of why the version before was opened again; null in form 1"
    )
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
    audit_entries: int | None = Field(description="How many; null in form 1, before the audit")
    audit_root: str | None
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


@router.get("/banks/{bank_id}/seals", responses=documented(NoSuchThing))
async def seals(bank_id: UUID, session: ReadSession, page: CurrentPage) -> SealList:
    """The signed heads of closed days, newest first. Anybody may keep a copy."""
    await banks.get(session, bank_id)
    found = await sealing.closed_days(
        session,
        bank_id,
        before=before_version(page.before_number),
        limit=page.limit + 1,
        only_sealed=True,
    )
    shown, last = page.cut(found)
    return SealList(
        items=[_seal(closed, seal) for closed in shown if (seal := closed.seal)],
        next_cursor=cursor_of_version(last.day) if last else None,
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
        audit_entries=seal.audit_entries,
        audit_root=seal.audit_root.hex() if seal.audit_root is not None else None,
        previous=seal.previous.hex(),
        head=seal.head.hex(),
        key_id=seal.key_id,
        signature=base64.b64encode(seal.signature).decode(),
        sealed_at=seal.sealed_at,
    )


def _seal(closed: ClosedDay, seal: DaySeal) -> SealView:
    return SealView(
        day=seal.day,
        version=seal.version,
        form=seal.form,
        page=seal.page,
        transfers=seal.transfers,
        head=seal.head.hex(),
        balances=seal.balances.hex(),
        count=closed.counted.hash(seal.form).hex(),
        reopening=closed.reopened.hash().hex() if seal.form > 1 else None,
        key_id=seal.key_id,
        signature=base64.b64encode(seal.signature).decode(),
        sealed_at=seal.sealed_at,
    )
