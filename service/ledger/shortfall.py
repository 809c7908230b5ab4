"""How much there is where it was too little: looked at once an act was refused, never before."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Balance, Floor, TransferKind
from models.people import Membership
from service.errors import Problem
from service.ledger.chart import Place
from service.ledger.lacking import IN_PASSBOOK, Lack, said_of
from service.ledger.posting import BalanceTooLow, Draft
from service.ledger.reversing import CORRECTION

_OUT_BY_DEBIT = {Floor.CREDIT: 1, Floor.DEBIT: -1, Floor.NONE: 0}
"""Whether a debit takes out of a place or puts into it."""


async def say_how_much(session: AsyncSession, problem: Problem) -> None:
    """Add to a refusal for too little of something how much there is.

    After a rollback, for PostgreSQL answers nothing in a transaction that it refused. Whoever
    may take something out of a place may see what is in it; whoever corrects is an officer, and
    sees also whose passbook it is.
    """
    refusal = problem if isinstance(problem, BalanceTooLow) else problem.__cause__
    if isinstance(refusal, BalanceTooLow) and refusal.bank_id:
        needs = needs_of(refusal.drafts)
        left = await _left(session, refusal.bank_id, needs)
        lacks = [Lack(place, left.get(place, 0), needed) for place, needed in needs.items()]
        short = [lack for lack in lacks if lack.left < lack.needed]
        corrects = any(draft.kind == CORRECTION for draft in refusal.drafts)
        numbers = await _numbers(session, refusal.bank_id, short) if corrects else {}
        problem.add(*(said_of(short, language, numbers) for language in ("en", "id")))


async def _numbers(
    session: AsyncSession, bank_id: UUID, lacks: Sequence[Lack]
) -> Mapping[UUID, str]:
    """The numbers of the passbooks that are the only ones of their kind to lack something."""
    lacking = [place for place, _, _ in lacks if place.kind in IN_PASSBOOK]
    kinds = Counter(place.kind for place in lacking)
    whose = {place.owner_id for place in lacking if kinds[place.kind] == 1}
    query = select(col(Membership.person_id), col(Membership.passbook_number)).where(
        col(Membership.bank_id) == bank_id,
        col(Membership.person_id).in_(whose - {None}),
        col(Membership.passbook_number).is_not(None),
    )
    connection = await session.connection()
    return {row.person_id: row.passbook_number for row in await connection.execute(query)}


def needs_of(drafts: Sequence[Draft]) -> dict[Place, int]:
    """What these acts take, by place that can't fall below nothing.

    Settled or given back is only what was taken by an earlier act.
    """
    needs: Counter[Place] = Counter()
    for move in (move for draft in drafts for move in draft.movements):
        if move.kind in (TransferKind.POST, TransferKind.HOLD):
            needs[move.debit] += move.amount * _OUT_BY_DEBIT[move.debit.floor]
            needs[move.credit] -= move.amount * _OUT_BY_DEBIT[move.credit.floor]
    return {place: needed for place, needed in needs.items() if needed > 0}


async def _left(
    session: AsyncSession, bank_id: UUID, places: Collection[Place]
) -> dict[Place, int]:
    """What is in each of them, without what is held for something else."""
    wanted = {place.id_in(bank_id): place for place in places}
    query = select(
        col(Balance.account_id),
        col(Balance.credits_posted) - col(Balance.debits_posted) - col(Balance.debits_pending),
        col(Balance.debits_posted) - col(Balance.credits_posted) - col(Balance.credits_pending),
    ).where(col(Balance.bank_id) == bank_id, col(Balance.account_id).in_(wanted))
    connection = await session.connection()
    left = {}
    for account_id, of_credits, of_debits in await connection.execute(query):
        place = wanted[account_id]
        left[place] = of_credits if place.floor == Floor.CREDIT else of_debits
    return left
