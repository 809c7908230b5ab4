"""The largest test: a day of the demo town over HTTP, smaller, on both engines."""

import httpx
from sqlalchemy import text

from service.api.dependencies import Parts
from service.demo import town
from service.demo.codes import CodeFile
from service.demo.day import Scale, live
from service.demo.seeding import seed
from service.ledger import verify


async def test_a_day_of_the_demo_town_adds_up(client: httpx.AsyncClient, parts: Parts) -> None:
    await seed(parts.database)
    messages = parts.settings.data_dir / "messages.jsonl"

    summary = await live(client, CodeFile(messages), Scale(pickups=40, clients=6))

    assert summary.failures == []
    assert summary.pickups + summary.dropoffs == 40
    assert {bank.name: bank.sums["IDR"] for bank in summary.books} == dict.fromkeys(
        [bank.name for bank in town.BANKS], 0
    )
    assert summary.is_clean
    assert summary.credited_idr == summary.paid_idr + summary.owed_idr
    async with parts.database.reading() as session:
        replayed = await verify(session, [bank.id for bank in town.BANKS])
    assert replayed.findings == []
    assert replayed.transfers > 100


async def test_seeding_twice_changes_nothing(parts: Parts) -> None:
    await seed(parts.database)
    before = await _counts(parts)
    await seed(parts.database)
    assert await _counts(parts) == before


async def _counts(parts: Parts) -> list[int]:
    banks = ", ".join(f"'{_native(parts, bank)}'" for bank in town.BANKS)
    async with parts.database.reading() as session:
        connection = await session.connection()
        return [
            (
                await connection.execute(
                    text(f"SELECT count(*) FROM {table} WHERE bank_id IN ({banks})")
                )
            ).scalar_one()
            for table in ("policy", "price", "membership", "ledger_account")
        ]


def _native(parts: Parts, bank: town.TownBank) -> str:
    return bank.id.hex if parts.database.is_sqlite else str(bank.id)
