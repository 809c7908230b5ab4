"""A bank with one of each thing, so that a refusal can be told from a thing that isn't there."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import select

from models.base import utc_now
from models.payout import Destination
from models.people import Role
from models.reconciliation import ReconciliationCase, StatementImport, StatementMatch
from models.sign_in import Device
from models.station import ReceivingStatus
from service import assisting, corrections, drawers, station
from service.banks import day_at
from service.database import Database
from service.keys import Keys
from service.privacy import breaches
from tests.api.asking import HERE, Asking, done, handover, listing, payout, weighing
from tests.factories import PET, Town, another, list_pickup, make_town
from tests.paid import bring_in, lines_of, pay_through
from tests.planning import asked as plan_asked
from tests.selling import a_buyer, sell
from tests.unloading import fetch

REASON = {"reason": "x"}


@dataclass(frozen=True, slots=True)
class House:
    """The bank, its things by the names that paths have for them, and what is sent where."""

    town: Town
    things: dict[str, str]
    queries: dict[str, dict[str, Any]]
    bodies: dict[str, Any]


async def full_house(database: Database, asking: Asking, keys: Keys) -> House:
    """One of each thing, each as far as it goes: claimed, disputed, asked for, matched."""
    town = await make_town(database, correction_limit_idr=0)
    collected = await fetch(town, keys)
    await receive(town, 5_000)
    sale = await sell(town, await a_buyer(town), 1_000, 5_000)
    await fetch(town, keys)
    dispute = await receive(town, 1_000)
    correction = await ask_for_correction(town, collected.id)
    await list_pickup(town)
    claim = {"position": HERE}
    route = done(await asking.post(town.collector, "/v1/jobs/claim", claim), 201)["route"]
    still_open = await list_pickup(town)
    wanted = done(await asking.post(town.resident, "/v1/payouts", payout(town)), 201)
    exception, match, brought = await reconciled(town)
    await keep(town)
    pickup_id = route["stops"][0]["pickup_id"]
    things = {
        "bank_id": town.bank_id,
        "pickup_id": pickup_id,
        "route_id": route["id"],
        "plan_id": (await plan_asked(town)).id,
        "collector_id": town.collector.id,
        "receiving_id": dispute.id,
        "payout_id": wanted["id"],
        "buyer_id": sale.buyer_id,
        "sale_id": sale.id,
        "correction_id": correction,
        "exception_id": exception,
        "match_id": match,
        "import_id": brought,
        "act_id": collected.id,
        "device_id": await device_id_of(town),
        "person_id": town.resident.id,
        "card_id": await card_id_of(town, keys),
        "breach_id": await a_breach(town),
        "name": "op",
        "gateway": "gate",
        "day": day_at(town.bank, utc_now()),
        "first": day_at(town.bank, utc_now()),
        "last": day_at(town.bank, utc_now()),
        "file_format": "csv",
        "page": 1,
        "role": Role.RESIDENT,
        "slug": "not_allowed",
    }
    return House(
        town,
        {name: str(thing) for name, thing in things.items()},
        queries_of(town, still_open.id),
        bodies_of(town, keys, still_open.id, UUID(pickup_id), wanted["id"]),
    )


def queries_of(town: Town, still_open: UUID) -> dict[str, dict[str, Any]]:
    """What is asked besides the path; whose things are meant, where somebody can be named."""
    resident, collector = {"resident_id": town.resident.id}, {"collector_id": town.collector.id}
    today = day_at(town.bank, utc_now())
    days = {"from": today, "to": today}
    passbook, bank = "GET /v1/passbooks/{bank_id}", "GET /v1/banks/{bank_id}"
    return {
        "GET /v1/banks": HERE,
        "GET /v1/jobs/nearest": HERE,
        "GET /v1/routes/{route_id}/insertion": {"pickup_id": still_open},
        passbook: resident,
        f"{passbook}/lines": resident,
        f"{passbook}/lots": resident,
        f"{passbook}/statement": resident,
        f"{passbook}/destination": resident,
        "GET /v1/earnings/{bank_id}": collector,
        "GET /v1/earnings/{bank_id}/lines": collector,
        f"{bank}/loads/bias": days,
        f"{bank}/mass-balance": days,
        f"{bank}/reconciliation": days,
        f"{bank}/statement-lines": days,
        f"{bank}/payout-channels": {"amount_idr": 10_000},
        "POST /v1/banks/{bank_id}/statements": {"gateway": "gate"},
    }


def bodies_of(
    town: Town, keys: Keys, still_open: UUID, held: UUID, payout_id: str
) -> dict[str, Any]:
    """What is sent where the bank isn't in the path; elsewhere nothing is, and it is malformed."""
    resident_id = str(town.resident.id)
    pickup, asked = "POST /v1/pickups/{pickup_id}", "POST /v1/payouts/{payout_id}"
    return {
        "POST /v1/pickups": listing(town, resident_id=resident_id),
        "POST /v1/jobs/claim": {"position": HERE},
        f"{pickup}/cancel": REASON,
        f"{pickup}/release": REASON,
        f"{pickup}/progress": {"position": HERE},
        f"{pickup}/arrive": {"position": HERE},
        f"{pickup}/collect": handover(keys, held, weighings=[weighing()]),
        f"{pickup}/decide": {"decision": "accept", **REASON},
        "POST /v1/routes/{route_id}/stops": {"pickup_id": str(still_open)},
        "POST /v1/banks/{bank_id}/drawers/{name}/float-out": {"amount_idr": 1},
        "POST /v1/banks/{bank_id}/drawers/{name}/count": {"counted_idr": 0},
        "POST /v1/disputes/{receiving_id}/decide": {"decision": "door", **REASON},
        "POST /v1/payouts": payout(town, resident_id=resident_id),
        f"{asked}/reject": REASON,
        f"{asked}/decide": {"was_paid": True, **REASON},
        "POST /v1/payouts/approvals": {"payout_ids": [payout_id]},
        "POST /v1/reconciliation/{exception_id}/resolve": {"action": "wait", **REASON},
        "POST /v1/reconciliation/{exception_id}/assign": {"owner_id": str(town.treasurer.id)},
    }


async def a_breach(town: Town) -> UUID:
    """A breach that nobody was told of yet."""
    report = breaches.Report("A list was lost", None, [], whole_bank=True)
    async with town.database.transaction() as session:
        entered = await breaches.report(session, town.bank_id, report, by=town.treasurer.id)
        return entered.breach.id


async def receive(town: Town, grams: int) -> Any:
    """All of the load, weighed again: settled, or disputed where too much is missing."""
    scale = [station.OnScale(station.What(PET, "clean"), grams)]
    unloaded = station.Unloaded(town.collector.id, None, scale)
    async with town.database.transaction() as session:
        done = await station.receive(session, town.bank_id, unloaded, by=town.operator.id)
    assert (done.receiving.status == ReceivingStatus.DISPUTED) == (grams < 5_000)
    return done.receiving


async def ask_for_correction(town: Town, about_id: UUID) -> UUID:
    """One that waits for a second officer."""
    third = await another(town, Role.OPERATOR)
    async with town.database.transaction() as session:
        act = await corrections.find_act(session, town.bank_id, journal_id=None, about_id=about_id)
        asked = await corrections.ask(session, town.bank_id, act, by=third.id, reason="x")
    return asked.id


async def keep(town: Town) -> None:
    """A drawer in the operator's keeping, and where the resident's money goes."""
    async with town.database.transaction() as session:
        await drawers.open_drawer(
            session, town.bank_id, "op", officer_id=town.operator.id, by=town.treasurer.id
        )
        session.add(
            Destination(
                bank_id=town.bank_id,
                resident_id=town.resident.id,
                channel_code="ID_DANA",
                account_number="081234567890",
                account_holder_name="Somebody",
                usable_from=utc_now() - timedelta(days=1),
                entered_by=town.resident.id,
            )
        )


async def card_id_of(town: Town, keys: Keys) -> UUID:
    """The card that the resident has."""
    async with town.database.transaction() as session:
        issued = await assisting.issue(
            session, keys, town.bank_id, town.resident.id, by=town.operator.id
        )
    return issued.card.id


async def device_id_of(town: Town) -> UUID:
    """Where the resident is signed in."""
    async with town.database.reading() as session:
        query = select(Device.id).where(Device.person_id == town.resident.id)
        return (await session.exec(query)).one()


async def reconciled(town: Town) -> tuple[UUID, UUID, UUID]:
    """An exception and a match, of a payout of which more left than was asked for, and their
    statement."""
    first, *rest = lines_of(await pay_through(town, 10_000))
    await bring_in(town, [first._replace(amount_idr=-10_700), *rest])
    bank_id = town.bank_id
    async with town.database.reading() as session:
        case = select(ReconciliationCase.id).where(ReconciliationCase.bank_id == bank_id)
        match = select(StatementMatch.id).where(StatementMatch.bank_id == bank_id)
        brought = select(StatementImport.id).where(StatementImport.bank_id == bank_id)
        return (
            (await session.exec(case)).one(),
            (await session.exec(match)).first() or UUID(int=0),
            (await session.exec(brought)).one(),
        )
