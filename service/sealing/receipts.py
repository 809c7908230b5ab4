"""Receipts: what happened, and the proof that it stands in the sealed book."""

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
from service import banks
from service.errors import NoSuchThing
from service.members import OFFICERS, Caller
from service.sealing.canonical import FIELDS
from service.sealing.merkle import path_to

_LEAF_BYTES = 48
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Act = tuple[Journal, Transfer, Account, Account]
_debit, _credit = aliased(Account), aliased(Account)


@dataclass(frozen=True, slots=True)
class Proof:
    """The way from a transfer's leaf to the signed head of its page."""

    index: int
    path: list[bytes]
    seal: Seal


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
    """One act of business as it concerns one resident."""

    bank: Bank
    about_id: UUID
    kind: str
    at: datetime
    memo: str
    weighings: list[Weighing]
    credited_idr: int | None
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
    about = await _about(session, bank_id, journal.about_id)
    whose = about.resident_id if is_officer and about is not None else caller.person_id
    shown = [row for row in rows if whose in (row[2].owner_id, row[3].owner_id)]
    if not shown and is_officer and about is None:
        shown = rows
    if not shown:
        raise NoSuchThing(thing="receipt")
    return Receipt(
        bank=await banks.get(session, bank_id),
        about_id=act_id,
        kind=journal.kind,
        at=shown[0][1].event_at,
        memo=journal.memo,
        weighings=await _weighings(session, bank_id, journal.about_id),
        credited_idr=None if isinstance(about, Payout | None) else about.credited_idr,
        transfers=await _proven(session, bank_id, shown),
    )


async def _transfers(session: AsyncSession, bank_id: UUID, act_id: UUID) -> list[_Act]:
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
        .where(Journal.bank_id == bank_id, or_(Journal.id == act_id, Journal.about_id == act_id))
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
    query = (
        select(Weighing)
        .where(
            Weighing.bank_id == bank_id,
            or_(Weighing.pickup_id == about_id, Weighing.dropoff_id == about_id),
        )
        .order_by(col(Weighing.line))
    )
    return list(await session.exec(query))


async def _proven(session: AsyncSession, bank_id: UUID, rows: list[_Act]) -> list[Proven]:
    pages = {row[0].page for row in rows}
    query = select(Seal).where(Seal.bank_id == bank_id, col(Seal.page).in_(pages))
    seals = {seal.page: seal for seal in await session.exec(query)}
    proven = []
    for journal, transfer, debit, credit in rows:
        seal = seals.get(journal.page)
        proof = _proof(seal, transfer.id) if seal else None
        fields = fields_of(journal, transfer)
        proven.append(
            Proven(fields, debit.code, credit.code, transfer.amount, transfer.unit, proof)
        )
    return proven


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


def _proof(seal: Seal, transfer_id: UUID) -> Proof | None:
    """None for a transfer that isn't among those that were sealed: `jumpa verify` says why."""
    leaves = seal.leaves
    ids = range(0, len(leaves), _LEAF_BYTES)
    index = next((at // _LEAF_BYTES for at in ids if leaves[at : at + 16] == transfer_id.bytes), -1)
    if index < 0:
        return None
    hashes = [leaves[at + 16 : at + _LEAF_BYTES] for at in ids]
    return Proof(index, path_to(index, hashes), seal)
