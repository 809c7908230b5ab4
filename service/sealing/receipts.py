"""Receipts: what happened, and the proof that it stands in the sealed book."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.ledger import Account, Journal, Seal, Transfer
from models.payout import Payout
from models.people import Role
from models.pickup import Pickup
from models.weighing import Dropoff, Weighing
from service import assisting, banks
from service.assisting import Helped
from service.errors import NoSuchThing
from service.members import OFFICERS, Caller
from service.sealing.canonical import FIELDS
from service.sealing.outcome import Act, Outcome, outcome_of, whose_is
from service.sealing.paths import Proof, proofs_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_debit, _credit = aliased(Account), aliased(Account)


@dataclass(frozen=True, slots=True)
class Proven:
    """A transfer with all that is sealed of it, and its proof once its page is sealed."""

    fields: dict[str, str]
    debit: str
    credit: str
    amount: int
    unit: str
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One act of business: as it concerns one person, or all of it, as officers see it."""

    bank: Bank
    about_id: UUID
    resident_id: UUID
    """Whom it concerns; the reader themself, where it is several people's or nobody's."""
    kind: str
    memo: str
    outcome: Outcome
    helped: Helped | None
    """Somebody else entered it for the resident."""
    weighings: list[Weighing]
    is_credit: bool
    """Whether it is about what a resident got for waste."""
    transfers: list[Proven]

    @property
    def is_sealed(self) -> bool:
        return all(transfer.proof is not None for transfer in self.transfers)


async def receipt(session: AsyncSession, caller: Caller, bank_id: UUID, act_id: UUID) -> Receipt:
    """The receipt of a journal, pickup, drop-off or payout: one's own, or an officer's view.

    Raises NoSuchThing for what isn't there or doesn't concern the caller.
    """
    if not caller.has(bank_id, Role.RESIDENT, *OFFICERS):
        raise NoSuchThing(thing="receipt")
    is_officer = caller.has(bank_id, *OFFICERS)
    rows = await _transfers(session, bank_id, act_id)
    if not rows:
        raise NoSuchThing(thing="receipt")
    journal = rows[0][0]
    about_id = journal.about_id
    about = await _about(session, bank_id, about_id)
    whose = about.resident_id if is_officer and about is not None else caller.person_id
    shown = [row for row in rows if whose in (row[2].owner_id, row[3].owner_id)]
    if not shown and is_officer and about is None:
        shown, whose = rows, _person_of(rows) or whose
    if not shown:
        raise NoSuchThing(thing="receipt")
    return Receipt(
        bank=await banks.get(session, bank_id),
        about_id=act_id,
        resident_id=whose,
        kind=journal.kind,
        memo=journal.memo,
        outcome=outcome_of(shown, _person_of(shown)),
        helped=(await assisting.helped(session, bank_id, [about_id])).get(about_id),
        weighings=await _weighings(session, bank_id, about_id),
        is_credit=isinstance(about, Pickup | Dropoff),
        transfers=await _proven(session, bank_id, shown),
    )


def _person_of(acts: Iterable[Act]) -> UUID | None:
    person = whose_is((debit.code, credit.code) for _, _, debit, credit in acts)
    return UUID(person) if person else None


async def _transfers(session: AsyncSession, bank_id: UUID, act_id: UUID) -> list[Act]:
    """What was written about an act, and what took it back."""
    query = (
        select(Journal, Transfer, _debit, _credit)
        .join(
            Transfer,
            (col(Transfer.bank_id) == Journal.bank_id) & (col(Transfer.journal_id) == Journal.id),
        )
        .join(
            _debit,
            (col(_debit.bank_id) == Transfer.bank_id)
            & (col(_debit.id) == Transfer.debit_account_id),
        )
        .join(
            _credit,
            (col(_credit.bank_id) == Transfer.bank_id)
            & (col(_credit.id) == Transfer.credit_account_id),
        )
        .where(
            Journal.bank_id == bank_id,
            or_(Journal.id == act_id, Journal.about_id == act_id, Journal.reverses_id == act_id),
        )
        .order_by(col(Journal.id), col(Transfer.id))
    )
    return [(row[0], row[1], row[2], row[3]) for row in await session.exec(query)]


async def _about(
    session: AsyncSession, bank_id: UUID, about_id: UUID | None
) -> Pickup | Dropoff | Payout | None:
    tables: tuple[type[Pickup] | type[Dropoff] | type[Payout], ...] = (Pickup, Dropoff, Payout)
    for table in tables:
        query = select(table).where(table.bank_id == bank_id, table.id == about_id)
        found = (await session.exec(query)).first()
        if isinstance(found, Pickup | Dropoff | Payout):
            return found
    return None


async def _weighings(session: AsyncSession, bank_id: UUID, about_id: UUID | None) -> list[Weighing]:
    if about_id is None:
        return []
    query = (
        select(Weighing)
        .where(
            Weighing.bank_id == bank_id,
            or_(Weighing.pickup_id == about_id, Weighing.dropoff_id == about_id),
        )
        .order_by(col(Weighing.line))
    )
    return list(await session.exec(query))


async def _proven(session: AsyncSession, bank_id: UUID, rows: list[Act]) -> list[Proven]:
    of_page: dict[int, set[UUID]] = {}
    for journal, transfer, *_ in rows:
        of_page.setdefault(journal.page, set()).add(transfer.id)
    query = select(Seal).where(Seal.bank_id == bank_id, col(Seal.page).in_(of_page))
    seals = list(await session.exec(query))
    # A page may have a hundred thousand leaves, and the loop's thread serves everybody.
    proofs = await asyncio.to_thread(proofs_of, seals, of_page)
    return [
        Proven(
            fields=fields_of(journal, transfer),
            debit=debit.code,
            credit=credit.code,
            amount=transfer.amount,
            unit=transfer.unit,
            proof=proofs.get(transfer.id),
        )
        for journal, transfer, debit, credit in rows
    ]


def fields_of(journal: Journal, transfer: Transfer) -> dict[str, str]:
    """The values of a transfer's canonical form, by name."""
    values = (
        journal.bank_id,
        journal.page,
        journal.id,
        journal.kind,
        journal.about_id,
        journal.actor_id,
        journal.memo,
        journal.reverses_id,
        journal.created_at,
        transfer.id,
        transfer.key,
        transfer.kind,
        transfer.pending_id,
        transfer.debit_account_id,
        transfer.debit_shard,
        transfer.credit_account_id,
        transfer.credit_shard,
        transfer.amount,
        transfer.unit,
        transfer.event_at,
        transfer.created_at,
    )
    return dict(zip(FIELDS, map(as_text, values), strict=True))


def as_text(value: object) -> str:
    """A value as it stands in the canonical form."""
    if value is None:
        return ""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return str((value - _EPOCH) // _MICROSECOND)
    return str(value)
