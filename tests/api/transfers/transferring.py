"""Transfers as tests ask for them, and what is kept of them."""

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from models.event import Event
from models.payout import GatewayCallback, Payout
from tests.api.asking import Asking, done, payout
from tests.factories import Town
from tests.paying import TOKEN, Till, taken

PAYOUTS = "/v1/payouts"
BCA = {
    "channel_code": "BCA",
    "account_number": "123-456-7890",
    "account_holder_name": "Siti  Aminah",
}
DANA = {"channel_code": "DANA", "account_number": "0812 3456 7890", "account_holder_name": "Siti"}
EARNED = 123_700


def transfer(town: Town, amount_idr: int = 50_000, **changes: Any) -> dict[str, Any]:
    return payout(town, amount_idr, method="bank", destination=BCA) | changes


async def ask(paying: Asking, town: Town, **changes: Any) -> dict[str, Any]:
    answer = await paying.post(town.resident, PAYOUTS, transfer(town, **changes))
    asked: dict[str, Any] = done(answer, 201)
    return asked


async def approve(paying: Asking, town: Town, payout_id: str) -> dict[str, Any]:
    answer = await paying.post(town.treasurer, f"{PAYOUTS}/{payout_id}/approve")
    approved: dict[str, Any] = done(answer)
    return approved


async def call_back(paying: Asking, body: Any, token: str = TOKEN) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await paying.client.post(
        "/v1/gateways/gate/callbacks", content=content, headers={"X-Token": token}
    )


async def sent(paying: Asking, till: Till) -> Payout:
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    await till.work()
    return await payout_of(till, asked["id"])


def notice(till: Till, stage: str = "paid", **changes: Any) -> dict[str, Any]:
    order = till.gateway.sent[-1]
    told = {"key": order.key, "gateway_id": taken(order).gateway_id, "amount_idr": order.amount_idr}
    return told | {"stage": stage, "nonce": str(uuid4())} | changes


async def entered_by_the_operator(paying: Asking, till: Till) -> str:
    """Where an approved payout is paid that the operator asked for."""
    body = payout(till.town, 10_000, resident_id=str(till.town.resident.id))
    asked = done(await paying.post(till.town.operator, PAYOUTS, body), 201)
    await approve(paying, till.town, asked["id"])
    return f"{PAYOUTS}/{asked['id']}/pay-cash"


async def payout_of(till: Till, payout_id: str) -> Payout:
    async with till.town.database.reading() as session:
        query = select(Payout).where(
            Payout.bank_id == till.town.bank_id, Payout.id == UUID(payout_id)
        )
        return (await session.exec(query)).one()


async def event_bodies(till: Till, kind: str) -> list[dict[str, Any]]:
    query = (
        select(Event.body)
        .where(Event.bank_id == till.town.bank_id, Event.kind == kind)
        .order_by(col(Event.id))
    )
    async with till.town.database.reading() as session:
        return [json.loads(body) for body in await session.exec(query)]


def callback_like(body: dict[str, Any]) -> SelectOfScalar[GatewayCallback]:
    return select(GatewayCallback).where(GatewayCallback.body == json.dumps(body))


async def kept_of(till: Till, body: dict[str, Any]) -> list[tuple[str, bool]]:
    async with till.town.database.reading() as session:
        kept = list(await session.exec(callback_like(body)))
    return [(one.outcome, one.handled_at is not None) for one in kept]
