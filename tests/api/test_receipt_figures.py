"""No figure of a receipt can be altered, but for those that are said not to be proven."""

import copy
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from service import ledger
from service.keys import Keys
from service.sealing import NoReceipt, prove
from service.sealing.figures import NOT_PROVEN
from tests import factories
from tests.api.asking import Asking, done
from tests.factories import KARDUS, PET, Town, make_town
from tests.service.sealing import seal, turn

Path = tuple[str | int, ...]
_NOT_PROVEN = {"line", "condition", "price_idr", "rejected_grams", "reason"}


def _is_free(path: Path, *, goods: bool) -> bool:
    """Whether a leaf is one that no transfer speaks of."""
    if path[0] in ("bank_name", "public_keys", "assisted", "assisted_by"):
        return True
    if path[0] == "weighings":
        return path[-1] in _NOT_PROVEN or (goods and path[-1] == "amount_idr")
    # When a seal was written is not part of what it signs.
    return path[-1] == "sealed_at"


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number))
    else:
        yield path, value


def _others(value: Any) -> list[Any]:
    """Other values that somebody might put there."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, -value - 1, str(value)]
    if isinstance(value, str):
        return [value + "x", "0" + value, value[:-1] if value else "x"]
    return ["2026-11-23T01:00:00Z", 5]


def _altered(receipt: Any, path: Path, value: Any) -> Any:
    touched = copy.deepcopy(receipt)
    inner = touched
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return touched


def _accepted(receipt: Any, keys: Keys) -> bool:
    try:
        proof = prove(receipt, [keys.sealing.public_key()])
    except NoReceipt:
        return False
    return proof.is_sealed and not proof.problems


async def _sealed(town: Town, keys: Keys) -> None:
    await turn(town)
    await seal(town, keys)


async def _pickup(town: Town, keys: Keys) -> str:
    pickup = await factories.claim_pickup(town, await factories.list_pickup(town))
    await factories.collect_pickup(town, keys, pickup)
    await _sealed(town, keys)
    return str(pickup.id)


async def _check_every_leaf(receipt: Any, keys: Keys, *, goods: bool = False) -> None:
    assert _accepted(receipt, keys)
    believed = [
        path
        for path, value in _leaves(receipt)
        if not _is_free(path, goods=goods)
        for other in _others(value)
        if _accepted(_altered(receipt, path, other), keys)
    ]
    assert believed == []


async def _receipt(asking: Asking, town: Town, act: object) -> Any:
    return done(await asking.get(town.resident, f"/v1/receipts/{town.bank_id}/{act}"))


async def test_of_a_pickup(asking: Asking, town: Town, keys: Keys) -> None:
    receipt = await _receipt(asking, town, await _pickup(town, keys))
    await _check_every_leaf(receipt, keys)


async def test_of_shared_goods(asking: Asking, town: Town, keys: Keys) -> None:
    sharing = await make_town(town.database, settlement="bagi_hasil")
    receipt = await _receipt(asking, sharing, await _pickup(sharing, keys))
    assert (receipt["credited_idr"], receipt["weighings"][0]["amount_idr"]) == (0, 12_370)
    await _check_every_leaf(receipt, keys, goods=True)


async def test_of_what_was_brought_to_the_bank(asking: Asking, town: Town, keys: Keys) -> None:
    weighings = [{"material": PET, "grams": 2_000}, {"material": KARDUS, "grams": 3_000}]
    body = {"resident_id": str(town.resident.id), "weighings": weighings}
    path = f"/v1/banks/{town.bank_id}/dropoffs"
    dropoff = done(await asking.post(town.operator, path, body), 201)
    await _sealed(town, keys)
    receipt = await _receipt(asking, town, dropoff["id"])
    assert len(receipt["weighings"]) == 2
    await _check_every_leaf(receipt, keys)


async def test_of_a_correction(asking: Asking, town: Town, keys: Keys) -> None:
    pickup_id = await _pickup(town, keys)
    journal = (await _receipt(asking, town, pickup_id))["transfers"][0]["fields"]["journal_id"]
    async with town.database.transaction() as session:
        act = await ledger.act_of(session, town.bank_id, UUID(journal))
        await ledger.reverse(session, town.bank_id, act, by=town.operator.id, reason="Salah")
    await _sealed(town, keys)
    receipt = await _receipt(asking, town, pickup_id)
    assert receipt["state"] == "corrected"
    await _check_every_leaf(receipt, keys)


async def test_of_a_payout(asking: Asking, town: Town, keys: Keys) -> None:
    await factories.earn(town, keys)
    body = {"bank_id": str(town.bank_id), "amount_idr": 4_000}
    payout = done(await asking.post(town.resident, "/v1/payouts", body), 201)
    await _sealed(town, keys)
    await _check_every_leaf(await _receipt(asking, town, payout["id"]), keys)
    for call in ("approve", "pay-cash"):
        path = f"/v1/payouts/{payout['id']}/{call}"
        done(await asking.post(town.treasurer, path, {}))
    await _sealed(town, keys)
    receipt = await _receipt(asking, town, payout["id"])
    assert receipt["state"] == "paid"
    await _check_every_leaf(receipt, keys)


@pytest.mark.parametrize(
    "name", ["price", "condition", "rejected", "reason", "name of the bank", "helped"]
)
def test_what_is_not_proven_is_said(name: str) -> None:
    assert name in NOT_PROVEN


async def test_a_line_more_or_less_is_found(asking: Asking, town: Town, keys: Keys) -> None:
    receipt = await _receipt(asking, town, await _pickup(town, keys))
    (line,) = receipt["weighings"]
    for weighings in ([], [line, line], [line | {"material": KARDUS}]):
        assert not _accepted(receipt | {"weighings": weighings}, keys)
