"""How payouts and their passbook stand, and what the bank has set."""

from sqlmodel import select

from models.base import utc_now
from models.event import Event
from service import banks
from service.gateways import Refused
from tests.paying import Till
from tests.service.payouts.conftest import EARNED

HELD = (EARNED - 50_000, 50_000)
FREE = (EARNED, 0)
GONE = (EARNED - 50_000, 0)
REFUSED = Refused("RATE_LIMIT_EXCEEDED", try_again=True)


async def set_rules(till: Till, **rules: object) -> None:
    async with till.town.database.transaction() as session:
        await banks.change_rules(
            session, till.town.bank_id, rules, valid_from=utc_now(), entered_by=None
        )


async def told(till: Till) -> list[str]:
    async with till.town.database.reading() as session:
        query = select(Event.kind).where(Event.bank_id == till.town.bank_id)
        return list(await session.exec(query))
