"""The national identity number (NIK): never needed, and kept so that nobody reads it in passing."""

import hashlib
import os
import re
from base64 import b64decode, b64encode
from datetime import date
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.people import Person
from service.errors import Conflict, FieldProblem, Malformed
from service.keys import Keys

_SHAPE = re.compile(r"(\d{2})(\d{4})(\d{2})(\d{2})(\d{2})(\d{4})")
_BETWEEN = re.compile(r"[ .\-]")
_WOMEN = 40
_NONCE = 12
_PROVINCES = range(11, 100)


class NikNotValid(Malformed):
    english = "A NIK has 16 digits, with the date of birth in the middle."
    indonesian = "NIK terdiri dari 16 angka, dengan tanggal lahir di tengahnya."


class NikTaken(Conflict):
    english = "This NIK belongs to another account. Ask the waste bank to look into it."
    indonesian = "NIK ini sudah dipakai akun lain. Minta bank sampah memeriksanya."
    keeps_changes = True


class NikNotReadable(Exception):
    """It was encrypted with a pepper that isn't there any more."""


def read(text: str) -> str:
    """A NIK in digits only. Raises NikNotValid."""
    digits = _BETWEEN.sub("", text)
    parts = _SHAPE.fullmatch(digits) if digits.isascii() else None
    if parts is None or not _is_plausible(*parts.groups()):
        raise NikNotValid(FieldProblem("/nik", NikNotValid.english, NikNotValid.indonesian))
    return digits


def _is_plausible(province: str, _: str, day: str, month: str, year: str, serial: str) -> bool:
    born = int(day) - (_WOMEN if int(day) > _WOMEN else 0)
    place_and_number = int(province) in _PROVINCES and int(serial) > 0
    return place_and_number and any(
        _was_born(century + int(year), int(month), born) for century in (1900, 2000)
    )


def _was_born(year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day) <= utc_now().date()
    except ValueError:
        return False


def masked(nik: str) -> str:
    """A NIK as others may see it: its last four digits."""
    return "•" * (len(nik) - 4) + nik[-4:]


async def give(session: AsyncSession, keys: Keys, person: Person, nik: str) -> None:
    """Keep a NIK with a person; nothing takes it away. Raises NikTaken."""
    hashes = keys.hashes_of("nik", nik)
    query = select(Person.id).where(col(Person.nik_hash).in_(hashes), Person.id != person.id)
    if (await session.exec(query)).first():
        raise NikTaken
    person.nik_hash, person.nik_sealed = hashes[0], seal(keys, person.id, nik)
    session.add(person)
    try:
        await session.flush()
    except IntegrityError as error:
        raise NikTaken from error


async def remove(session: AsyncSession, person: Person) -> None:
    """Forget a NIK."""
    person.nik_hash = person.nik_sealed = None
    session.add(person)
    await session.flush()


def of(keys: Keys, person: Person) -> str | None:
    """A person's NIK, for themselves; None if they gave none. Raises NikNotReadable."""
    return unseal(keys, person.id, person.nik_sealed) if person.nik_sealed else None


def seal(keys: Keys, person_id: UUID, nik: str) -> str:
    """Encrypted with the newest key, whose name comes first; of use for this person only."""
    key, nonce = keys.key_for("nik"), os.urandom(_NONCE)
    hidden = AESGCM(key).encrypt(nonce, nik.encode(), person_id.bytes)
    return f"{_name_of(key)}:{b64encode(nonce + hidden).decode()}"


def unseal(keys: Keys, person_id: UUID, sealed: str) -> str:
    """The NIK in it, whichever pepper it was encrypted with. Raises NikNotReadable."""
    name, _, hidden = sealed.partition(":")
    known = {_name_of(key): key for key in keys.keys_for("nik")}
    if name not in known:
        raise NikNotReadable(f"The NIK was encrypted with key {name}; set JUMPA_PEPPERS_BEFORE.")
    raw = b64decode(hidden)
    return AESGCM(known[name]).decrypt(raw[:_NONCE], raw[_NONCE:], person_id.bytes).decode()


def _name_of(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]
