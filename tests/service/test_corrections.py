"""Corrections: an act is taken back once, whole, by as many people as the bank wants."""

from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.correction import Correction, CorrectionStatus
from models.event import Event
from models.ledger import Journal, TransferKind
from models.payout import Payout, PayoutStatus
from models.people import Role
from models.pickup import Pickup, PickupStatus
from models.sale import Lot
from service import banks, corrections, drawers, ledger, lots, payouts, sales, station, weighing
from service.corrections import (
    CorrectionAlreadyAsked,
    CorrectionNotOpen,
    NotCorrectable,
    OwnCorrection,
)
from service.database import Database
from service.drawers import Move
from service.errors import NoSuchThing
from service.keys import Keys
from service.ledger import (
    AlreadyReversed,
    BalanceTooLow,
    Draft,
    Movement,
    NotReversible,
    PassbookLine,
    chart,
)
from service.weighing import Weighed
from tests import factories
from tests.factories import KARDUS, PET, Town, earn, give, make_town, payout_in
from tests.races import Act, slower_of
from tests.selling import taking_back
from tests.service.test_races import a_payout, asking

LIMITED: dict[str, Any] = {"correction_limit_idr": 0}


async def lines_of(town: Town) -> list[PassbookLine]:
    """The passbook, newest line first."""
    async with town.database.reading() as session:
        return await ledger.passbook_lines(
            session, town.bank_id, town.resident.id, before=None, limit=50
        )


async def newest_journal(town: Town) -> UUID:
    return (await lines_of(town))[0].journal_id


async def balances(town: Town) -> dict[tuple[str, str], int]:
    """Everything in the book that isn't 0; it has to verify as well."""
    async with town.database.reading() as session:
        rows = await ledger.trial_balance(session, town.bank_id)
        assert (await ledger.verify(session, [town.bank_id])).is_clean
    return {(row.code, row.unit): row.balance for row in rows if row.balance}


async def ask(town: Town, journal_id: UUID, *, by: UUID | None = None) -> Correction:
    async with town.database.transaction() as session:
        act = await ledger.act_of(session, town.bank_id, journal_id)
        return await corrections.ask(
            session, town.bank_id, act, by=by or town.operator.id, reason="salah timbang"
        )


async def state_of(town: Town, correction: Correction) -> Correction:
    async with town.database.reading() as session:
        return await corrections.find(session, town.bank_id, correction.id)


def agreeing(town: Town, correction: Correction, by: UUID | None = None) -> Act:
    async def act(session: AsyncSession) -> None:
        fresh = await corrections.find(session, town.bank_id, correction.id)
        await corrections.agree(session, fresh, by=by or town.treasurer.id)

    return act


def refusing(town: Town, correction: Correction) -> Act:
    async def act(session: AsyncSession) -> None:
        fresh = await corrections.find(session, town.bank_id, correction.id)
        await corrections.refuse(session, fresh, by=town.treasurer.id, reason="sudah benar")

    return act


async def do(town: Town, act: Act) -> None:
    async with town.database.transaction() as session:
        await act(session)


async def drop(town: Town, grams: int = 4_000, material: str = KARDUS) -> UUID:
    """Waste brought to the bank; its id."""
    async with town.database.transaction() as session:
        brought, _ = await weighing.dropoff(
            session,
            town.bank_id,
            town.resident.id,
            [Weighed(material, "clean", grams, 0, "")],
            operator_id=town.operator.id,
        )
    return brought.id


async def journal_about(town: Town, about_id: UUID, kind: str) -> UUID:
    async with town.database.reading() as session:
        query = select(Journal.id).where(
            Journal.bank_id == town.bank_id, Journal.about_id == about_id, Journal.kind == kind
        )
        return (await session.exec(query)).one()


async def hand_over(town: Town, payout: Payout) -> None:
    """What a treasurer approved, in cash out of the safe."""
    async with town.database.transaction() as session:
        fresh = await payout_in(session, payout)
        await payouts.pay_cash(session, fresh, by=town.treasurer.id, proof="")


async def collect(town: Town, keys: Keys) -> Pickup:
    """A pickup that was weighed at the door."""
    pickup = await factories.claim_pickup(town, await factories.list_pickup(town))
    await factories.collect_pickup(town, keys, pickup)
    return pickup


@pytest.mark.parametrize(
    "rules", [{}, {"credit_when": "station"}, {"settlement": "bagi_hasil"}], ids=str
)
async def test_a_wrong_weighing_is_taken_back_in_all_its_units(
    database: Database, keys: Keys, rules: dict[str, Any]
) -> None:
    town = await make_town(database, **rules)
    pickup = await collect(town, keys)
    assert {unit for _, unit in await balances(town)} == {"IDR", f"g:{PET}"}
    made = await ask(town, await journal_about(town, pickup.id, "pickup"))
    assert (made.status, made.needs_two) == (CorrectionStatus.MADE, False)
    assert await balances(town) == {}


async def test_the_resident_sees_both_lines_and_what_connects_them(town: Town, keys: Keys) -> None:
    earned = await earn(town, keys)
    journal = await newest_journal(town)
    made = await ask(town, journal)
    correcting, wrong = await lines_of(town)
    assert (wrong.amount_idr, correcting.amount_idr) == (earned, -earned)
    assert (wrong.journal_id, wrong.corrected_by_id) == (journal, made.reversal_id)
    assert (correcting.journal_id, correcting.corrects_id) == (made.reversal_id, journal)
    assert (correcting.kind, correcting.corrects_kind) == ("correction", "pickup")
    assert correcting.memo == "salah timbang"
    assert wrong.corrects_id is None
    assert correcting.corrected_by_id is None


async def test_a_corrected_pickup_waits_for_no_station(town: Town, keys: Keys) -> None:
    pickup = await collect(town, keys)
    await ask(town, await newest_journal(town))
    ended = await factories.reload(town, pickup)
    assert (ended.status, ended.ended_reason) == (PickupStatus.CANCELLED, "salah timbang")


async def test_a_payout_that_was_never_handed_over_is_back(town: Town, keys: Keys) -> None:
    payout = await a_payout(town, keys, approved=True)
    before = await balances(town)
    await hand_over(town, payout)
    assert (await lines_of(town))[0].amount_idr == -5_000
    made = await ask(town, await newest_journal(town), by=town.treasurer.id)
    assert made.amount_idr == 5_000
    assert await balances(town) == before
    async with town.database.reading() as session:
        ended = await payout_in(session, payout)
        standing = await ledger.standing(session, town.bank_id, town.resident.id)
    assert (ended.status, ended.reason) == (PayoutStatus.REVERSED, "salah timbang")
    assert standing.held_idr == 0


async def test_of_a_hold_settled_in_part_what_was_settled_comes_back(
    town: Town, keys: Keys
) -> None:
    earned = await earn(town, keys)
    theirs = chart.available(town.resident.id)
    async with town.database.transaction() as session:
        hold = Movement("h", theirs, chart.IN_TRANSIT, 1_000, TransferKind.HOLD)
        (held,) = await ledger.post(session, town.bank_id, Draft("test", [hold], utc_now()))
        settle = Movement("s", theirs, chart.IN_TRANSIT, 600, TransferKind.SETTLE, pending_id=held)
        await ledger.post(session, town.bank_id, Draft("test", [settle], utc_now()))
    journal = await newest_journal(town)
    async with town.database.transaction() as session:
        act = await ledger.act_of(session, town.bank_id, journal)
        assert act.moved_idr == 600
        await ledger.reverse(session, town.bank_id, act, by=town.operator.id, reason="x")
    async with town.database.reading() as session:
        standing = await ledger.standing(session, town.bank_id, town.resident.id)
    assert (standing.available_idr, standing.held_idr) == (earned, 0)


async def test_holds_gifts_back_and_corrections_are_not_reversed(town: Town, keys: Keys) -> None:
    payout = await a_payout(town, keys, approved=False)
    async with town.database.transaction() as session:
        await payouts.cancel(
            session, await payout_in(session, payout), by=town.resident.id, reason=""
        )
    made = await ask(town, await newest_journal(town))
    assert made.reversal_id is not None
    before = await balances(town)
    for journal in (
        await journal_about(town, payout.id, "payout_hold"),
        await journal_about(town, payout.id, "payout"),
        made.reversal_id,
    ):
        with pytest.raises(NotReversible):
            await ask(town, journal)
        async with town.database.reading() as session:
            act = await ledger.act_of(session, town.bank_id, journal)
            with pytest.raises(NotReversible):
                await ledger.reverse(session, town.bank_id, act, by=new_id(), reason="x")
    assert await balances(town) == before


async def test_an_act_is_corrected_once(town: Town, keys: Keys) -> None:
    await earn(town, keys)
    journal = await newest_journal(town)
    await ask(town, journal)
    before = await balances(town)
    with pytest.raises(AlreadyReversed):
        await ask(town, journal, by=town.treasurer.id)
    async with town.database.reading() as session:
        act = await ledger.act_of(session, town.bank_id, journal)
    with pytest.raises(AlreadyReversed):
        async with town.database.transaction() as session:
            await ledger.reverse(session, town.bank_id, act, by=town.operator.id, reason="x")
    assert await balances(town) == before


async def test_what_more_would_have_to_follow_is_not_corrected(town: Town) -> None:
    async with town.database.transaction() as session:
        move = Movement("moved", chart.CASH, chart.CAPITAL, 1_000)
        await ledger.post(
            session, town.bank_id, Draft("put_in", [move], utc_now(), about_id=town.bank_id)
        )
    with pytest.raises(NotCorrectable):
        await ask(town, await journal_about(town, town.bank_id, "put_in"))


async def test_a_count_is_found_and_not_corrected(town: Town) -> None:
    found = sales.StockFound(town.bank_id, PET, 1_000, "", counted_by=town.treasurer.id)
    async with town.database.transaction() as session:
        counted = await sales.count_stock(session, found)
    with pytest.raises(NotCorrectable):
        await do(town, taking_back(town, counted.id))


async def test_what_the_station_has_received_is_not_corrected(town: Town, keys: Keys) -> None:
    pickup = await collect(town, keys)
    unloaded = station.Unloaded(town.collector.id, None, None)
    async with town.database.transaction() as session:
        await station.receive(session, town.bank_id, unloaded, by=town.operator.id)
    # More on the vehicle, so that it isn't the grams that are missing.
    await collect(town, keys)
    before = await balances(town)
    with pytest.raises(NotCorrectable):
        await ask(town, await journal_about(town, pickup.id, "pickup"))
    assert await balances(town) == before
    assert (await factories.reload(town, pickup)).status == PickupStatus.COLLECTED


async def test_what_was_spent_can_not_be_taken_back(town: Town, keys: Keys) -> None:
    earned = await earn(town, keys)
    journal = await newest_journal(town)
    async with town.database.transaction() as session:
        await payouts.request(session, asking(town, earned))
    before = await balances(town)
    with pytest.raises(BalanceTooLow):
        await ask(town, journal)
    assert await balances(town) == before
    async with town.database.reading() as session:
        query = select(Correction.id).where(Correction.bank_id == town.bank_id)
        assert (await session.exec(query)).all() == []
        collected = select(Pickup.status).where(Pickup.bank_id == town.bank_id)
        assert (await session.exec(collected)).all() == [PickupStatus.COLLECTED]


async def test_unsold_goods_go_back_with_their_lots(database: Database) -> None:
    town = await make_town(database, settlement="bagi_hasil")
    brought = await drop(town)
    await ask(town, await journal_about(town, brought, "dropoff"))
    assert await balances(town) == {}
    async with town.database.reading() as session:
        (lot,) = await session.exec(select(Lot).where(Lot.bank_id == town.bank_id))
        assert (lot.grams, lot.sold_grams) == (0, 0)
        whose = town.resident.id
        assert await lots.of_resident(session, town.bank_id, whose, before=None, limit=9) == []


async def test_goods_that_were_sold_in_part_stay(database: Database) -> None:
    town = await make_town(database, settlement="bagi_hasil")
    brought = await drop(town)
    async with town.database.transaction() as session:
        await session.exec(update(Lot).where(col(Lot.bank_id) == town.bank_id).values(sold_grams=1))
    with pytest.raises(NotCorrectable):
        await ask(town, await journal_about(town, brought, "dropoff"))
    async with town.database.reading() as session:
        assert len((await session.exec(select(Lot).where(Lot.bank_id == town.bank_id))).all()) == 1


async def test_grams_that_are_others_goods_are_not_taken_back(database: Database) -> None:
    town = await make_town(database, settlement="beli_putus")
    bought = await drop(town, grams=3_000)
    async with town.database.transaction() as session:
        await banks.change_rules(
            session,
            town.bank_id,
            {"settlement": "bagi_hasil"},
            valid_from=utc_now(),
            entered_by=town.treasurer.id,
        )
    await drop(town, grams=4_000)
    async with town.database.transaction() as session:
        thrown = sales.Residue(town.bank_id, KARDUS, 3_000, "basah", town.operator.id)
        await sales.throw_away(session, thrown)
    with pytest.raises(NotCorrectable):
        await ask(town, await journal_about(town, bought, "dropoff"))
    assert (await balances(town))["stock", f"g:{KARDUS}"] == 4_000


async def test_unsold_goods_count_with_their_worth(database: Database) -> None:
    town = await make_town(database, settlement="bagi_hasil", correction_limit_idr=4_999)
    brought = await drop(town, grams=4_000)
    asked = await ask(town, await journal_about(town, brought, "dropoff"))
    assert (asked.amount_idr, asked.status) == (5_000, CorrectionStatus.ASKED)


@pytest.mark.parametrize(("limit", "needs_two"), [(5_000, False), (4_999, True)])
async def test_above_the_limit_it_takes_two(
    database: Database, limit: int, *, needs_two: bool
) -> None:
    town = await make_town(database, correction_limit_idr=limit)
    await drop(town, grams=4_000)
    asked = await ask(town, await newest_journal(town))
    assert (asked.amount_idr, asked.needs_two) == (5_000, needs_two)
    assert ((await balances(town)) == {}) is not needs_two


async def test_a_second_officer_agrees(database: Database) -> None:
    town = await make_town(database, **LIMITED)
    await drop(town)
    asked = await ask(town, await newest_journal(town))
    await do(town, agreeing(town, asked))
    made = await state_of(town, asked)
    assert (made.status, made.decided_by) == (CorrectionStatus.MADE, town.treasurer.id)
    assert made.decided_at is not None
    assert (await lines_of(town))[0].journal_id == made.reversal_id
    assert await balances(town) == {}


async def test_a_second_officer_refuses_and_it_can_be_asked_for_again(database: Database) -> None:
    town = await make_town(database, **LIMITED)
    await drop(town)
    asked = await ask(town, await newest_journal(town))
    before = await balances(town)
    with pytest.raises(CorrectionAlreadyAsked):
        await ask(town, asked.journal_id, by=town.treasurer.id)
    await do(town, refusing(town, asked))
    refused = await state_of(town, asked)
    assert (refused.status, refused.decision_reason) == (CorrectionStatus.REFUSED, "sudah benar")
    assert await balances(town) == before
    for act in (agreeing(town, asked), refusing(town, asked)):
        with pytest.raises(CorrectionNotOpen):
            await do(town, act)
    assert (await ask(town, asked.journal_id)).status == CorrectionStatus.ASKED


async def test_agreed_to_too_late_it_stays_asked(database: Database, keys: Keys) -> None:
    town = await make_town(database, **LIMITED)
    earned = await earn(town, keys)
    asked = await ask(town, await newest_journal(town))
    async with town.database.transaction() as session:
        payout = await payouts.request(session, asking(town, earned))
    before = await balances(town)
    with pytest.raises(BalanceTooLow):
        await do(town, agreeing(town, asked))
    waiting = await state_of(town, asked)
    assert (waiting.status, waiting.decided_by) == (CorrectionStatus.ASKED, None)
    assert await balances(town) == before
    async with town.database.transaction() as session:
        fresh = await payout_in(session, payout)
        await payouts.cancel(session, fresh, by=town.resident.id, reason="")
    await do(town, agreeing(town, asked))
    assert await balances(town) == {}


async def test_nobody_decides_alone_or_in_their_own_cause(database: Database, keys: Keys) -> None:
    town = await make_town(database, **LIMITED)
    await give(town, town.resident, Role.TREASURER)
    await give(town, town.collector, Role.OPERATOR)
    await earn(town, keys)
    journal = await newest_journal(town)
    for own in (town.resident.id, town.collector.id):
        with pytest.raises(OwnCorrection):
            await ask(town, journal, by=own)
    asked = await ask(town, journal)
    for own in (town.resident.id, town.collector.id, town.operator.id):
        with pytest.raises(OwnCorrection):
            await do(town, agreeing(town, asked, by=own))
    assert (await state_of(town, asked)).status == CorrectionStatus.ASKED


async def test_the_resident_is_told_what_changed(town: Town, keys: Keys) -> None:
    payout = await a_payout(town, keys, approved=True)
    await hand_over(town, payout)
    paid, earned = [line.journal_id for line in await lines_of(town)]
    await ask(town, paid)
    await ask(town, earned)
    async with town.database.reading() as session:
        query = (
            select(Event.kind, Event.person_id)
            .where(Event.bank_id == town.bank_id)
            .order_by(col(Event.id).desc())
            .limit(2)
        )
        told = (await session.exec(query)).all()
    resident = town.resident.id
    assert told == [("passbook_reduced", resident), ("passbook_raised", resident)]


async def test_an_act_of_another_bank_is_not_found(town: Town, keys: Keys) -> None:
    await earn(town, keys)
    journal = await newest_journal(town)
    far = await make_town(town.database)
    with pytest.raises(NoSuchThing):
        await ask(far, journal)
    async with town.database.reading() as session:
        with pytest.raises(NoSuchThing):
            await corrections.find_act(session, far.bank_id, journal_id=None, about_id=new_id())


async def test_an_act_is_found_by_what_it_is_about(town: Town, keys: Keys) -> None:
    payout = await a_payout(town, keys, approved=True)
    brought = await drop(town)
    await hand_over(town, payout)
    async with town.database.reading() as session:
        for about, kind in ((payout.id, "payout"), (brought, "dropoff")):
            found = await corrections.find_act(
                session, town.bank_id, journal_id=None, about_id=about
            )
            assert (found.kind, found.about_id, found.is_reversible) == (kind, about, True)


async def test_a_payouts_state_is_left_when_its_correction_is_refused(
    database: Database, keys: Keys
) -> None:
    town = await make_town(database, **LIMITED)
    payout = await a_payout(town, keys, approved=True)
    await hand_over(town, payout)
    asked = await ask(town, await newest_journal(town))
    await do(town, refusing(town, asked))
    async with town.database.reading() as session:
        query = select(Payout.status).where(Payout.bank_id == town.bank_id)
        assert (await session.exec(query)).one() == PayoutStatus.PAID


@pytest.mark.parametrize("first", ["correct", "shut"])
async def test_no_cash_goes_back_into_a_drawer_that_is_being_closed(
    town: Town, keys: Keys, first: str
) -> None:
    payout = await a_payout(town, keys, approved=True)
    operator, treasurer = town.operator.id, town.treasurer.id
    async with town.database.transaction() as session:
        await drawers.open_drawer(session, town.bank_id, "ani", officer_id=operator, by=treasurer)
        await drawers.float_in(session, Move(town.bank_id, 5_000, "", treasurer), "ani")
        fresh = await payout_in(session, payout)
        await payouts.pay_cash(session, fresh, by=operator, proof="")
    paid = await newest_journal(town)

    async def correct(session: AsyncSession) -> None:
        act = await ledger.act_of(session, town.bank_id, paid)
        await corrections.ask(session, town.bank_id, act, by=treasurer, reason="salah orang")

    async def shut(session: AsyncSession) -> None:
        drawer = await drawers.keeper_of(session, town.bank_id, "ani")
        assert drawer is not None
        await drawers.close(session, drawer, by=treasurer)

    if first == "correct":
        assert isinstance(await slower_of(town, correct, shut), drawers.DrawerNotEmpty)
        assert (await balances(town))["cash:ani", "IDR"] == 5_000
        return
    assert isinstance(await slower_of(town, shut, correct), drawers.DrawerClosed)
    async with town.database.reading() as session:
        assert (await payout_in(session, payout)).status == PayoutStatus.PAID


async def test_cash_that_was_carried_by_mistake_goes_back(town: Town) -> None:
    operator, treasurer = town.operator.id, town.treasurer.id
    async with town.database.transaction() as session:
        await drawers.open_drawer(session, town.bank_id, "ani", officer_id=operator, by=treasurer)
        carried = [Move(town.bank_id, amount, "", treasurer) for amount in (50_000, 30_000, 20_000)]
        moves = [
            await drawers.put_in(session, carried[0], drawers.Outside.CAPITAL, ""),
            await drawers.float_in(session, carried[1], "ani"),
            await drawers.float_out(session, carried[2], "ani"),
        ]
    put_in, float_in, float_out = moves

    async def back(move_id: UUID) -> Correction:
        async with town.database.transaction() as session:
            act = await corrections.find_act(
                session, town.bank_id, journal_id=None, about_id=move_id
            )
            return await corrections.ask(session, town.bank_id, act, by=treasurer, reason="salah")

    with pytest.raises(drawers.DrawerTooLow):
        await back(float_in)
    for within in (float_out, float_in):
        assert not (await back(within)).needs_two
    assert (await back(put_in)).needs_two, "a treasurer's, whatever its amount"
    assert await balances(town) == {("cash:main", "IDR"): 50_000, ("capital", "IDR"): -50_000}
