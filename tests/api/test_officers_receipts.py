"""An officer's receipt of any act that can be corrected: it proves itself, and reads as it was."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import pytest

from models.base import new_id, utc_now
from models.people import Role
from service import ledger, payouts, sales
from service.corrections.undoing import CORRECTABLE
from service.database import Database
from service.keys import Keys
from service.ledger import Draft, Movement, Place, chart
from service.sales import Payment, Residue
from service.sealing import prove
from service.sealing.outcome import whose_is
from tests import factories
from tests.api.asking import Asking, done
from tests.factories import PET, Town, another
from tests.selling import a_buyer, bring, sell, sharing_town
from tests.service.sealing import journals, seal, turn
from tests.service.test_races import asking as asking_for
from tests.storing import has_own


async def _post(town: Town, kind: str, debit: Place, credit: Place, about: UUID | None) -> None:
    moved = Movement(f"test:{new_id()}", debit, credit, 5_000)
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, Draft(kind, [moved], utc_now(), about_id=about))


async def _newest(town: Town, kind: str) -> UUID:
    return [one.id for one in await journals(town) if one.kind == kind][-1]


async def _pickup(town: Town, keys: Keys) -> UUID:
    pickup = await factories.claim_pickup(town, await factories.list_pickup(town))
    await factories.collect_pickup(town, keys, pickup)
    return pickup.id


async def _dropoff(town: Town, _keys: Keys) -> UUID:
    await bring(town, 1_000)
    return await _newest(town, "dropoff")


async def _opening(town: Town, _keys: Keys) -> UUID:
    await _post(town, "opening", chart.OPENING, chart.available(town.resident.id), None)
    return await _newest(town, "opening")


async def _payout(town: Town, keys: Keys) -> UUID:
    await _opening(town, keys)
    async with town.database.transaction() as session:
        payout = await payouts.request(session, asking_for(town, 5_000))
        await payouts.approve(session, payout, by=town.treasurer.id)
        await payouts.pay_cash(session, payout, by=town.treasurer.id, proof="")
    return payout.id


async def _sale(town: Town, _keys: Keys) -> UUID:
    await bring(town, 3_000)
    await bring(town, 2_000, resident=await another(town, Role.RESIDENT))
    return (await sell(town, await a_buyer(town), 5_000, 25_000)).id


async def _buyer_payment(town: Town, _keys: Keys) -> UUID:
    buyer = await a_buyer(town)
    async with town.database.transaction() as session:
        paid, _ = await sales.pay(session, buyer, Payment(5_000, "main", "", town.operator.id))
    return paid


async def _residue(town: Town, _keys: Keys) -> UUID:
    await has_own(town, 500)
    thrown = Residue(town.bank_id, PET, 300, "basah", town.operator.id)
    async with town.database.transaction() as session:
        return await sales.throw_away(session, thrown)


async def _float_top_up(town: Town, _keys: Keys) -> UUID:
    about = new_id()
    await _post(town, "float_top_up", chart.float("xendit"), chart.CASH, about)
    return about


async def _reconciliation(town: Town, _keys: Keys) -> UUID:
    about = new_id()
    await _post(town, "reconciliation", chart.SUSPENSE, chart.float("xendit"), about)
    return about


def _carried(kind: str, debit: Place, credit: Place) -> Callable[[Town, Keys], Awaitable[UUID]]:
    async def make(town: Town, _keys: Keys) -> UUID:
        about = new_id()
        await _post(town, kind, debit, credit, about)
        return about

    return make


_CARRIED = {
    "cash_put_in": (chart.CASH, chart.CAPITAL),
    "cash_taken_out": (chart.CAPITAL, chart.CASH),
    "float_in": (chart.cash("truk"), chart.CASH),
    "float_out": (chart.CASH, chart.cash("truk")),
}
_MADE: Mapping[str, Callable[[Town, Keys], Awaitable[UUID]]] = {
    "buyer_payment": _buyer_payment,
    "dropoff": _dropoff,
    "float_top_up": _float_top_up,
    "opening": _opening,
    "payout": _payout,
    "pickup": _pickup,
    "reconciliation": _reconciliation,
    "residue": _residue,
    "sale": _sale,
    **{kind: _carried(kind, *places) for kind, places in _CARRIED.items()},
}

_SAID = {
    **dict.fromkeys(_CARRIED, "5,000"),
    **dict.fromkeys(("buyer_payment", "float_top_up", "reconciliation"), "5,000"),
    "opening": "5,000",
    "payout": "5,000",
    "sale": "25,000",
}
_TAKEN_BACK = {"opening": 5_000, "payout": 5_000, "pickup": 0, "dropoff": 0}
"""Rupiah that one resident's passbook changed by; of goods it doesn't, and else it is nobody's."""


@pytest.mark.parametrize("kind", sorted(CORRECTABLE))
async def test_it_proves_itself_before_and_after_a_correction(
    asking: Asking, database: Database, keys: Keys, kind: str
) -> None:
    town = await sharing_town(database)
    path = f"/v1/receipts/{town.bank_id}/{await _MADE[kind](town, keys)}"
    before, text = await _sealed(asking, town, keys, path)
    assert (before["taken_back_idr"], "Taken back" in text) == (0, False)
    if kind in _SAID:
        assert f"\nRp{_SAID[kind]}\n" in text
    await _reverse(town, await _newest(town, kind))
    after, text = await _sealed(asking, town, keys, path)
    taken = _TAKEN_BACK.get(kind)
    assert (after["state"], after["taken_back_idr"]) == ("corrected", taken)
    assert f"\nTaken back: {f'Rp{taken:,}, ' if taken else ''}" in text
    assert "Rp0\nTaken" in text or "Rp0" not in text
    if taken is None:
        assert prove(after | {"taken_back_idr": 0}, []).problems == [], "one of before"
    (problem,) = prove(after | {"taken_back_idr": 7}, []).problems
    assert "taken_back_idr is 7" in problem


async def _reverse(town: Town, journal_id: UUID) -> None:
    async with town.database.transaction() as session:
        act = await ledger.act_of(session, town.bank_id, journal_id)
        await ledger.reverse(session, town.bank_id, act, by=town.treasurer.id, reason="salah")


async def _sealed(asking: Asking, town: Town, keys: Keys, path: str) -> tuple[Any, str]:
    """The receipt, which proves itself, and its text, as an officer gets them."""
    await turn(town)
    await seal(town, keys)
    receipt = done(await asking.get(town.operator, path))
    proof = prove(receipt, [])
    assert (proof.is_sealed, proof.problems) == (True, [])
    return receipt, (await asking.get(town.operator, path, format="text")).text


def test_transfers_are_about_whoever_is_in_all_of_them() -> None:
    first, second = new_id(), new_id()
    own = chart.available(first).code
    paid, put = (chart.PURCHASES.code, own), (own, chart.IN_TRANSIT.code)
    assert whose_is([paid, put]) == str(first)
    assert whose_is([paid, (chart.PURCHASES.code, chart.earnings(first).code)]) == str(first)
    assert whose_is([paid, (chart.PURCHASES.code, chart.available(second).code)]) is None
    assert whose_is([paid, (chart.receivable(second).code, chart.SALES.code)]) is None
    assert whose_is([("nothing:x", chart.receivable(first).code)]) is None
