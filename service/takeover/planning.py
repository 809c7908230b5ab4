"""Who of a list is known, who is new, and whose balance was brought over already."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Membership, Person, Role
from service.errors import FieldProblem, in_words
from service.takeover.file import MemberFileNotReadable, MemberRow
from service.takeover.opened import Opened, opened_of


class Step(NamedTuple):
    """What a row of the list comes to."""

    row: MemberRow
    person_id: UUID | None
    """Whom it is about, if anybody here or elsewhere has the phone or the number."""
    joins: bool
    """Whether they are no resident of the bank yet."""
    opens_idr: int
    """What is brought over now, at least 0."""
    nth: int
    """How many balances were brought over and taken back before."""

    @property
    def is_change(self) -> bool:
        """Whether it changes anything."""
        return self.joins or self.opens_idr > 0


class _Known(NamedTuple):
    """A resident of the bank."""

    person_id: UUID
    name: str
    phone: str | None
    passbook_number: str | None


class _Here(NamedTuple):
    """All that a list is compared with."""

    by_phone: Mapping[str, _Known]
    by_number: Mapping[str, _Known]
    elsewhere: Mapping[str, UUID]
    opened: Mapping[UUID, Opened]


async def plan(session: AsyncSession, bank_id: UUID, rows: Sequence[MemberRow]) -> list[Step]:
    """What entering a list would do, in its order; entered already, it does nothing.

    Raises MemberFileNotReadable if a row contradicts what is known.
    """
    here = await _look(session, bank_id, rows)
    problems = [problem for row in rows for problem in _contradictions(row, here)]
    if problems:
        raise MemberFileNotReadable(*problems)
    return [_step(row, here) for row in rows]


async def _look(session: AsyncSession, bank_id: UUID, rows: Sequence[MemberRow]) -> _Here:
    residents = await _residents(session, bank_id)
    phones = {row.phone for row in rows if row.phone}
    people = select(Person.phone, Person.id).where(col(Person.phone).in_(phones))
    return _Here(
        by_phone={one.phone: one for one in residents if one.phone},
        by_number={one.passbook_number: one for one in residents if one.passbook_number},
        elsewhere={phone: person for phone, person in await session.exec(people) if phone},
        opened=await opened_of(session, bank_id),
    )


async def _residents(session: AsyncSession, bank_id: UUID) -> list[_Known]:
    query = (
        select(Person.id, Person.name, Person.phone, Membership.passbook_number)
        .join(Membership, col(Membership.person_id) == Person.id)
        .where(Membership.bank_id == bank_id, Membership.role == Role.RESIDENT)
    )
    return [_Known(*row) for row in await session.exec(query)]


def _contradictions(row: MemberRow, here: _Here) -> Iterator[FieldProblem]:
    known, holder = _known(row, here), here.by_number.get(row.passbook_number or "")
    if known and row.passbook_number not in (None, known.passbook_number):
        yield FieldProblem(
            f"/{row.line}/passbook_number",
            f"{known.name or known.phone} has the passbook {known.passbook_number} here already.",
            f"{known.name or known.phone} sudah memiliki buku tabungan {known.passbook_number}.",
        )
    elif holder and (holder != known or (row.phone is None and holder.name != row.name)):
        yield FieldProblem(
            f"/{row.line}/passbook_number",
            f"This is the passbook of {holder.name or holder.phone}.",
            f"Ini buku tabungan {holder.name or holder.phone}.",
        )
    opened = here.opened.get(known.person_id) if known else None
    if opened and opened.amount_idr and row.balance_idr not in (0, opened.amount_idr):
        yield FieldProblem(
            f"/{row.line}/balance_idr",
            f"Rp{in_words(opened.amount_idr)} was brought over for them already; correct that"
            " entry first.",
            f"Saldo Rp{in_words(opened.amount_idr, 'id')} sudah dipindahkan; koreksi dulu"
            " catatan itu.",
        )


def _known(row: MemberRow, here: _Here) -> _Known | None:
    """The resident whom a row is about."""
    if row.phone:
        return here.by_phone.get(row.phone)
    return here.by_number.get(row.passbook_number or "")


def _step(row: MemberRow, here: _Here) -> Step:
    known = _known(row, here)
    person_id = known.person_id if known else here.elsewhere.get(row.phone or "")
    opened = here.opened.get(person_id) if person_id else None
    has_it = opened is not None and opened.amount_idr > 0
    return Step(
        row,
        person_id,
        joins=known is None,
        opens_idr=0 if has_it else row.balance_idr,
        nth=opened.times if opened else 0,
    )
