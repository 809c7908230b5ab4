"""How much there is where it was too little: looked at once an act was refused, never before."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Balance, Floor, TransferKind
from service.errors import Problem, in_words
from service.ledger.chart import IDR, Place
from service.ledger.posting import BalanceTooLow, Draft

_OUT_BY_DEBIT = {Floor.CREDIT: 1, Floor.DEBIT: -1, Floor.NONE: 0}
"""Whether a debit takes out of a place or puts into it."""


class Lack(NamedTuple):
    """Rupiah or grams of a place, and what an act would have taken."""

    place: Place
    left: int
    needed: int

    def said(self, language: str) -> str:
        """One sentence, in rupiah or in grams of a material."""
        left, needed = in_words(self.left, language), in_words(self.needed, language)
        if self.place.unit == IDR:
            if language == "en":
                return f"There is Rp{left}, and this takes Rp{needed}."
            return f"Yang ada Rp{left}, yang diperlukan Rp{needed}."
        material = self.place.unit.partition(":")[2]
        if language == "en":
            return f"Of {material} there are {left} g, and this takes {needed} g."
        return f"{material} yang ada {left} g, yang diperlukan {needed} g."


async def say_how_much(session: AsyncSession, problem: Problem) -> None:
    """Add to a refusal for too little of something how much there is.

    After a rollback, for PostgreSQL answers nothing in a transaction that it refused. Whoever
    may take something out of a place may see what is in it.
    """
    refusal = problem if isinstance(problem, BalanceTooLow) else problem.__cause__
    if isinstance(refusal, BalanceTooLow) and refusal.bank_id:
        needs = needs_of(refusal.drafts)
        left = await _left(session, refusal.bank_id, needs)
        lacks = [Lack(place, left.get(place, 0), needed) for place, needed in needs.items()]
        short = [lack for lack in lacks if lack.left < lack.needed]
        problem.add(*(" ".join(lack.said(language) for lack in short) for language in ("en", "id")))


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
