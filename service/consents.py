"""What people agreed to, purpose by purpose: asked for in words, given, and taken back."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, and_, false, func, insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, table_of, utc_now
from models.privacy import Consent, Purpose
from service.errors import Conflict


class ConsentNeededForService(Conflict):
    english = "Without this nothing can be fetched or paid. You may delete your account instead."
    indonesian = "Tanpa ini tidak ada yang dapat dijemput atau dibayar. Anda dapat menghapus akun."


class Text(NamedTuple):
    """What somebody agrees to. Other words are another version, and are asked for anew."""

    version: int
    english: str
    indonesian: str

    def words(self, language: str) -> str:
        return self.english if language == "en" else self.indonesian


CATALOGUE: dict[Purpose, Text] = {
    Purpose.SERVICE: Text(
        1,
        "The waste bank keeps my phone number, my name, where my waste is fetched, what was"
        " weighed and what I was paid, and sends me codes and receipts, so that it can serve me.",
        "Bank sampah menyimpan nomor telepon, nama, tempat penjemputan, hasil timbang, dan"
        " pembayaran saya, serta mengirim kode dan bukti, agar dapat melayani saya.",
    ),
    Purpose.NOTICES: Text(
        1,
        "The waste bank also writes to me by WhatsApp about what is neither a code nor a receipt,"
        " such as a pickup that nobody came for.",
        "Bank sampah juga mengirim kabar lewat WhatsApp selain kode dan bukti,"
        " misalnya bila tidak ada yang menjemput.",
    ),
    Purpose.LOCATION: Text(
        1,
        "Where I begin a trip as a collector is kept exactly for 30 days. Without my consent it"
        " is used at once, and only kept to about a kilometre.",
        "Titik awal perjalanan saya sebagai petugas disimpan tepat selama 30 hari. Tanpa"
        " persetujuan, posisi hanya dipakai saat itu dan disimpan dibulatkan sekitar satu kilometer.",
    ),
}


class Standing(NamedTuple):
    """What somebody last said to a purpose; None if they were never asked."""

    purpose: Purpose
    last: Consent | None

    @property
    def is_given(self) -> bool:
        """Whether they agreed, to the words as they are now."""
        version = CATALOGUE[self.purpose].version
        return self.last is not None and self.last.given and self.last.version == version


async def give(
    session: AsyncSession, person_id: UUID, purpose: Purpose, *, given: bool, entered_by: UUID
) -> None:
    """Note that somebody agreed, or takes that back. Raises ConsentNeededForService."""
    if purpose is Purpose.SERVICE and not given:
        raise ConsentNeededForService
    row = {
        "person_id": person_id,
        "id": new_id(),
        "purpose": purpose,
        "given": given,
        "version": CATALOGUE[purpose].version,
        "entered_by": entered_by,
        "at": utc_now(),
    }
    await (await session.connection()).execute(insert(table_of(Consent)), [row])


async def of(session: AsyncSession, person_id: UUID) -> list[Standing]:
    """How somebody stands to every purpose."""
    last = {one.purpose: one for one in await history(session, person_id)}
    return [Standing(purpose, last.get(purpose)) for purpose in CATALOGUE]


async def history(session: AsyncSession, person_id: UUID) -> Sequence[Consent]:
    """All they ever said, in the order in which they did."""
    query = select(Consent).where(Consent.person_id == person_id).order_by(col(Consent.id))
    return list(await session.exec(query))


def agrees(person_id: BindParameter[UUID], purpose: Purpose) -> ColumnElement[bool]:
    """Whether somebody agrees, as a part of a statement of others."""
    last = (
        select(and_(col(Consent.given), col(Consent.version) == CATALOGUE[purpose].version))
        .where(Consent.person_id == person_id, Consent.purpose == purpose)
        .order_by(col(Consent.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(last, false())


async def those_who_agree(
    session: AsyncSession, people: Collection[UUID], purpose: Purpose
) -> set[UUID]:
    """Who of these agrees to a purpose, in its words as they are now."""
    query = (
        select(Consent)
        .where(col(Consent.person_id).in_(people), Consent.purpose == purpose)
        .order_by(col(Consent.id))
    )
    last = {one.person_id: one for one in await session.exec(query)}
    return {who for who, one in last.items() if Standing(purpose, one).is_given}
