"""The ledger, the payouts and the gateway's own book say the same, to the rupiah."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_
from sqlmodel import col, select

from models.ledger import Journal, Transfer, TransferKind
from models.payout import Payout, PayoutStatus
from service import ledger, sealing
from service.keys import load_keys
from service.ledger import chart
from service.settings import Settings
from tests.chaos.branch import EARNED_IDR, Branch
from tests.crash.proof import verify_is_clean

_S = PayoutStatus
_FAILED = ("FAILED", "COMPLIANCE_REJECTED", "failed", "rejected")
_CAME_BACK = ("REVERSED", "failed")
_MAY_BE = {
    _S.PAID: ("SUCCEEDED", "completed"),
    _S.REVERSED: _CAME_BACK,
    # Of one that was never taken there is nothing.
    _S.FAILED: ("", *_FAILED, "queued"),
}
"""What a payout may be called at its gateway, by what it is here."""


async def everybody_agrees(branches: Sequence[Branch]) -> None:
    """Raises AssertionError where anything differs, is doubled, or is left open."""
    for branch in branches:
        ours, theirs = await branch.payouts(), await _book(branch)
        _each_has_ended(ours)
        _nothing_is_doubled(ours, theirs)
        await _each_cost_the_same(branch, ours, theirs)
        await _the_floats_are_the_same(branch)
        await _nothing_is_held(branch)
        await _residents_have_the_rest(branch, ours)
        await verify_is_clean(branch.town)


def seals_fit(url: str, folder: Path, branches: Sequence[Branch]) -> None:
    """The half of `jumpa verify` that looks at seals."""
    keys = load_keys(Settings(data_dir=folder))
    assert sealing.check(url, [one.bank_id for one in branches], keys.of_seals).findings == []


def _each_has_ended(ours: Sequence[Payout]) -> None:
    left = {one.id: str(one.status) for one in ours if one.status not in _MAY_BE}
    assert left == {}, f"payouts without an end: {left}"


def _nothing_is_doubled(ours: Sequence[Payout], theirs: dict[str, list[dict[str, Any]]]) -> None:
    keys = [one.key for one in ours]
    assert len(set(keys)) == len(keys)
    assert set(theirs) <= set(keys), "the gateway has payouts that nobody asked for"
    for one in ours:
        found = [each["status"] for each in theirs.get(one.key, [])] or [""]
        assert len(found) == 1, f"{one.key} is {found} at its gateway"
        assert found[0] in _MAY_BE[PayoutStatus(one.status)], f"{one.key} is {one.status}, {found}"


async def _each_cost_the_same(
    branch: Branch, ours: Sequence[Payout], theirs: dict[str, list[dict[str, Any]]]
) -> None:
    booked = await _float_by_payout(branch)
    wanted = {
        one.id: sum(
            line["amount_idr"] for each in theirs.get(one.key, []) for line in each["lines"]
        )
        for one in ours
    }
    assert {one.id: booked.get(one.id, 0) for one in ours} == wanted
    fees = sum(one.fee_idr for one in ours if one.status in (_S.PAID, _S.REVERSED))
    paid = sum(one.send_idr for one in ours if one.status == _S.PAID)
    assert -sum(wanted.values()) == paid + fees


async def _the_floats_are_the_same(branch: Branch) -> None:
    place = chart.float(branch.name)
    async with branch.town.database.reading() as session:
        balance = (await ledger.balances(session, branch.bank_id, [place])).get(place, 0)
        sums = await ledger.trial_balance(session, branch.bank_id)
    assert balance == await branch.house.report_idr()
    assert sum(row.balance for row in sums) == 0


async def _nothing_is_held(branch: Branch) -> None:
    resolved = select(Transfer.pending_id).where(
        Transfer.bank_id == branch.bank_id, col(Transfer.pending_id).is_not(None)
    )
    query = select(func.count()).where(
        Transfer.bank_id == branch.bank_id,
        Transfer.kind == TransferKind.HOLD,
        col(Transfer.id).not_in(resolved),
    )
    async with branch.town.database.reading() as session:
        assert (await session.exec(query)).one() == 0
        transit = await ledger.balances(session, branch.bank_id, [chart.IN_TRANSIT])
    assert transit.get(chart.IN_TRANSIT, 0) == 0


async def _residents_have_the_rest(branch: Branch, ours: Sequence[Payout]) -> None:
    """What was paid has left a passbook, and nothing else has."""
    gone: dict[UUID, int] = defaultdict(int)
    for one in ours:
        gone[one.resident_id] += one.amount_idr if one.status == _S.PAID else 0
    for resident, _ in branch.residents:
        async with branch.town.database.reading() as session:
            standing = await ledger.standing(session, branch.bank_id, resident.id)
        assert standing.available_idr == EARNED_IDR - gone[resident.id]
        assert standing.held_idr == 0


async def _float_by_payout(branch: Branch) -> dict[UUID, int]:
    """What came into the float for each payout by the ledger; less than nothing went out."""
    account = chart.float(branch.name).id_in(branch.bank_id)
    signed = case(
        (col(Transfer.debit_account_id) == account, col(Transfer.amount)),
        else_=-col(Transfer.amount),
    )
    query = (
        select(Journal.about_id, func.sum(signed))
        .join(Transfer, col(Transfer.journal_id) == col(Journal.id))
        .where(
            Journal.bank_id == branch.bank_id,
            Transfer.bank_id == branch.bank_id,
            or_(
                col(Transfer.debit_account_id) == account,
                col(Transfer.credit_account_id) == account,
            ),
        )
        .group_by(col(Journal.about_id))
    )
    async with branch.town.database.reading() as session:
        found = await session.exec(query)
        return {about: int(amount) for about, amount in found if about is not None}


async def _book(branch: Branch) -> dict[str, list[dict[str, Any]]]:
    book: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in await branch.house.book():
        book[one["key"]].append(one)
    return book
