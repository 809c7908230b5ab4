"""What was answered is in the database exactly once, and the ledger adds up.

While a day runs, everything answered before the look must be there; afterwards there must
be that and nothing more.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlmodel import SQLModel, col, func, select

from models.event import Event
from models.idempotency import Answer
from models.ledger import Journal, Transfer
from models.payout import Payout
from models.pickup import Pickup
from models.weighing import Dropoff, Weighing
from service import ledger
from tests.crash.day import Told
from tests.factories import Town

_ORDER = {"open": 0, "claimed": 1, "collected": 2, "requested": 0, "approved": 1, "paid": 2}
_ORDER["cancelled"] = 2
_TOLD_OF = {
    "list": "pickup_listed",
    "collect": "pickup_collected",
    "dropoff": "dropoff_weighed",
    "payout": "payout_requested",
    "approve": "payout_approved",
    "pay-cash": "payout_paid",
    "cancel": "payout_cancelled",
}
_JOURNAL_OF = {
    "collect": "pickup",
    "dropoff": "dropoff",
    "payout": "payout_hold",
    "pay-cash": "payout",
    "cancel": "payout",
    "correct": "correction",
}


async def nothing_is_lost(town: Town, told: Told) -> int:
    """Look while the day runs: whatever was answered by now is there; how many answers."""
    keys, pickups, payouts = set(told.calls), dict(told.pickups), dict(told.payouts)
    dropoffs = set(told.dropoffs)
    await verify_is_clean(town)
    assert keys <= set(await _column(town, Answer, Answer.key))
    assert dropoffs <= set(await _column(town, Dropoff, Dropoff.id))
    for known, found in (
        (pickups, await _states(town, Pickup)),
        (payouts, await _states(town, Payout)),
    ):
        behind = {one for one, state in known.items() if _ORDER[found[one]] < _ORDER[state]}
        assert not behind, f"went back behind what was answered: {behind}"
    return len(keys)


async def each_is_there_once(town: Town, told: Told) -> None:
    """Look after the day: all that was answered is there, once, and nothing else."""
    await verify_is_clean(town)
    assert sorted(await _column(town, Answer, Answer.key)) == sorted(told.calls)
    assert await _states(town, Pickup) == told.pickups
    assert await _states(town, Payout) == told.payouts
    assert set(await _column(town, Dropoff, Dropoff.id)) == told.dropoffs
    weighings = told.count("collect") + told.count("dropoff")
    assert len(await _column(town, Weighing, Weighing.id)) == weighings
    await _the_ledger_says_so(town, told)
    told_of = Counter(await _column(town, Event, Event.kind))
    for call, kind in _TOLD_OF.items():
        assert told_of[kind] == told.count(call), f"{kind}: {told_of[kind]} events"


async def _the_ledger_says_so(town: Town, told: Told) -> None:
    journals = Counter(await _column(town, Journal, Journal.kind))
    expected = Counter(_JOURNAL_OF[kind] for kind in told.calls.values() if kind in _JOURNAL_OF)
    assert journals == expected
    wanted = {f"dropoff:{one}" for one in told.dropoffs}
    wanted |= {f"pickup:{one}" for one, state in told.pickups.items() if state == "collected"}
    for one, state in told.payouts.items():
        ends = {"paid": ("settle", "out"), "cancelled": ("void",)}.get(state, ())
        wanted |= {f"payout:{one}:{end}" for end in ("hold", *ends)}
    found = Counter(await _column(town, Transfer, Transfer.key))
    assert not [key for key in wanted if found[key] != 1]
    for resident_id, available in told.available.items():
        async with town.database.reading() as session:
            standing = await ledger.standing(session, town.bank_id, resident_id)
        assert (standing.available_idr, standing.held_idr) == (available, told.held[resident_id])


async def verify_is_clean(town: Town) -> None:
    async with town.database.reading() as session:
        result = await ledger.verify(session, [town.bank_id])
    assert result.findings == []


async def everybody_heard(town: Town, messages: Path) -> None:
    """Every event was handled and stands in the file of messages, once or more often."""
    async with town.database.reading() as session:
        events = list(await session.exec(select(Event).where(Event.bank_id == town.bank_id)))
    assert [event.kind for event in events if event.done_at is None] == []
    sent = Counter(_about(json.loads(line)) for line in _whole_lines(messages))
    deaf = [
        event.kind
        for event in events
        if sent[_about({"kind": event.kind, "fields": json.loads(event.body)})] == 0
    ]
    assert deaf == []


async def waiting_events(town: Town) -> int:
    async with town.database.reading() as session:
        query = select(func.count()).where(
            col(Event.bank_id) == town.bank_id, col(Event.done_at).is_(None)
        )
        return (await session.exec(query)).one()


def _whole_lines(messages: Path) -> Sequence[str]:
    """A process killed while it wrote may leave a line without its end."""
    return [line for line in messages.read_text().splitlines() if line.endswith("}")]


def _about(message: dict[str, Any]) -> tuple[str, str]:
    fields = message["fields"]
    ids = [fields[name] for name in ("pickup_id", "payout_id", "about_id") if name in fields]
    return message["kind"], ids[0] if ids else ""


async def _column(town: Town, table: type[Any], column: Any) -> list[Any]:
    async with town.database.reading() as session:
        return list(await session.exec(select(column).where(table.bank_id == town.bank_id)))


async def _states(town: Town, table: type[SQLModel]) -> dict[UUID, str]:
    any_table: Any = table
    async with town.database.reading() as session:
        query = select(any_table.id, any_table.status).where(any_table.bank_id == town.bank_id)
        return {one: str(state) for one, state in await session.exec(query)}
