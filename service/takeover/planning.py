"""Who of a list is known, who is new, and whose balance was brought over already."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Membership, Person, Role
from service import members, privacy
from service.errors import FieldProblem, in_words
from service.keys import Keys
from service.sheets import again, in_order
from service.takeover.file import MemberFileNotReadable, MemberRow
from service.takeover.opened import Opened, opened_of


class Step(NamedTuple):
    """What a row of the list comes to."""

    row: MemberRow
    person_id: UUID | None
    """Whom it is about, if anybody here or elsewhere has the phone or the number."""
    known_as: str
    """The name of the resident whom it is about, if the list has another one."""
    is_named: bool
    """Whether they had no name, and get the list's."""
    joins: bool
    """Whether they are no resident of the bank yet."""
    opens_idr: int
    """What is brought over now, at least 0."""
    nth: int
    """How many balances were brought over and taken back before."""
    is_like_another: bool
    """Whether somebody else of this name was brought over with this very balance."""
    frees: UUID | None
    """A deleted person whose passbook's number they get."""

    @property
    def line(self) -> int:
        return self.row.line

    @property
    def is_change(self) -> bool:
        """Whether it changes anything."""
        return self.joins or self.is_named or self.opens_idr > 0

    @property
    def is_doubtful(self) -> bool:
        """Whether somebody should look whether it is who it seems to be."""
        return bool(self.known_as) or self.is_like_another


class _Known(NamedTuple):
    """A resident of the bank."""

    person_id: UUID
    name: str
    phone: str | None
    passbook_number: str | None
    is_deleted: bool

    @property
    def called(self) -> str:
        return self.name or self.phone or str(self.passbook_number)


class _Elsewhere(NamedTuple):
    """Somebody with a phone of the list, wherever they are a member."""

    person_id: UUID
    is_nobodys: bool
    """Whether they have no name, and no bank knows them."""


class _Here(NamedTuple):
    """All that a list is compared with."""

    by_phone: Mapping[str, _Known]
    by_number: Mapping[str, _Known]
    elsewhere: Mapping[str, _Elsewhere]
    deleted_phones: set[str]
    opened: Mapping[UUID, Opened]
    brought: Mapping[tuple[str, int], UUID]
    """For whom a balance was brought over, by name and amount."""

    def known(self, row: MemberRow) -> _Known | None:
        """The resident whom a row is about."""
        return self.by_phone.get(row.phone) if row.phone else self.holder(row)

    def holder(self, row: MemberRow) -> _Known | None:
        """The resident who has the row's passbook."""
        return self.by_number.get(members.normal_number(row.passbook_number) or "")

    def opened_for(self, person_id: UUID | None) -> Opened:
        return self.opened.get(person_id, Opened()) if person_id else Opened()


async def plan(
    session: AsyncSession, keys: Keys, bank_id: UUID, rows: Sequence[MemberRow]
) -> list[Step]:
    """What entering a list would do, in its order; entered already, it does nothing.

    Raises MemberFileNotReadable if a row contradicts what is known.
    """
    here = await _look(session, keys, bank_id, rows)
    problems = [problem for row in rows for problem in _contradictions(row, here)]
    steps = [_step(row, here) for row in rows]
    problems += _same_person(steps)
    if problems:
        raise MemberFileNotReadable(*in_order(problems))
    return steps


async def _look(
    session: AsyncSession, keys: Keys, bank_id: UUID, rows: Sequence[MemberRow]
) -> _Here:
    residents = await _residents(session, bank_id)
    phones = {row.phone for row in rows if row.phone}
    elsewhere = await with_phones(session, phones)
    everybody = {one.person_id for one in residents}
    everybody |= {one.person_id for one in elsewhere.values()}
    opened = await opened_of(session, bank_id, everybody)
    return _Here(
        by_phone={one.phone: one for one in residents if one.phone},
        by_number={
            number: one
            for one in residents
            if (number := members.normal_number(one.passbook_number))
        },
        elsewhere=elsewhere,
        deleted_phones=await privacy.deleted_phones(session, keys, phones),
        opened=opened,
        brought={
            (one.name.casefold(), opened[one.person_id].amount_idr): one.person_id
            for one in residents
        },
    )


async def _residents(session: AsyncSession, bank_id: UUID) -> list[_Known]:
    query = (
        select(Person, Membership.passbook_number)
        .join(Membership, col(Membership.person_id) == Person.id)
        .where(Membership.bank_id == bank_id, Membership.role == Role.RESIDENT)
    )
    return [
        _Known(one.id, one.name, one.phone, number, one.deleted_at is not None)
        for one, number in await session.exec(query)
    ]


async def with_phones(session: AsyncSession, phones: set[str]) -> dict[str, _Elsewhere]:
    """Everybody who has one of these phones, by it."""
    is_member = exists().where(col(Membership.person_id) == Person.id)
    query = select(Person.phone, Person.id, Person.name, is_member.label("is_member"))
    rows = await session.exec(query.where(col(Person.phone).in_(phones)))
    return {
        phone: _Elsewhere(person_id, not name and not is_known)
        for phone, person_id, name, is_known in rows
        if phone
    }


def _contradictions(row: MemberRow, here: _Here) -> Iterator[FieldProblem]:
    known, holder = here.known(row), here.holder(row)
    if row.phone in here.deleted_phones and (known is None or row.balance_idr):
        yield _at(
            row,
            "phone",
            "Whoever had this phone was deleted. Take this line out.",
            "Pemilik nomor ini sudah dihapus. Keluarkan baris ini.",
        )
    elif holder and holder.is_deleted and not row.phone:
        yield _at(
            row,
            "passbook_number",
            "Whoever had this passbook was deleted. Take this line out.",
            "Pemilik buku tabungan ini sudah dihapus. Keluarkan baris ini.",
        )
    elif not (holder and holder.is_deleted):
        yield from _other_passbook(row, known, holder)
    opened = here.opened_for(known.person_id if known else None).amount_idr
    if opened and row.balance_idr not in (0, opened):
        yield _at(
            row,
            "balance_idr",
            f"Rp{in_words(opened, 'id')} was brought over for them already; correct that entry"
            " first.",
            f"Saldo Rp{in_words(opened, 'id')} sudah dipindahkan; koreksi dulu catatan itu.",
        )


def _other_passbook(
    row: MemberRow, known: _Known | None, holder: _Known | None
) -> Iterator[FieldProblem]:
    if known and row.passbook_number and known != holder:
        yield _at(
            row,
            "passbook_number",
            f"{known.called} has the passbook {known.passbook_number} here already. Leave this"
            " cell empty.",
            f"{known.called} sudah memiliki buku tabungan {known.passbook_number}. Kosongkan"
            " isian ini.",
        )
    elif holder and not known:
        yield _at(
            row,
            "phone",
            f"The passbook {holder.passbook_number} is {holder.called}'s, whom this phone doesn't"
            " belong to here. Leave the phone out, or give another number.",
            f"Buku tabungan {holder.passbook_number} milik {holder.called}, dan nomor HP ini bukan"
            " miliknya di sini. Kosongkan nomor HP, atau pakai nomor buku lain.",
        )
    elif holder and not row.phone and holder.name != row.name:
        yield _at(
            row,
            "name",
            f"The passbook {holder.passbook_number} is {holder.called}'s.",
            f"Buku tabungan {holder.passbook_number} milik {holder.called}.",
        )


def _step(row: MemberRow, here: _Here) -> Step:
    known, holder = here.known(row), here.holder(row)
    elsewhere = here.elsewhere.get(row.phone or "")
    person_id = known.person_id if known else elsewhere.person_id if elsewhere else None
    opened = here.opened_for(person_id)
    opens_idr = 0 if opened.amount_idr else row.balance_idr
    other = here.brought.get((row.name.casefold(), opens_idr)) if opens_idr else None
    return Step(
        row,
        person_id,
        known_as=known.name if known and known.name not in ("", row.name) else "",
        is_named=not known.name if known else bool(elsewhere and elsewhere.is_nobodys),
        joins=known is None,
        opens_idr=opens_idr,
        nth=opened.times,
        is_like_another=other not in (None, person_id),
        frees=holder.person_id if holder and holder.is_deleted and known is None else None,
    )


def _same_person(steps: Sequence[Step]) -> Iterator[FieldProblem]:
    for step, first in again(steps, lambda step: step.person_id):
        yield _at(
            step.row,
            "name",
            f"Line {first} is about the same person.",
            f"Baris {first} tentang orang yang sama.",
        )


def _at(row: MemberRow, column: str, english: str, indonesian: str) -> FieldProblem:
    return FieldProblem(f"/{row.line}/{column}", english, indonesian)
