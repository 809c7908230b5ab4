"""Problems, named after the rule that was broken, in words for the person.

They know no HTTP: service.api.errors gives each family its status.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Self

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: a JSON pointer and a sentence in each language."""

    pointer: str
    english: str
    indonesian: str

    def detail(self, language: str) -> str:
        return self.english if language == "en" else self.indonesian


class Problem(Exception):
    """Something that the caller can understand and, mostly, mend."""

    english: ClassVar[str] = "Something is wrong with this request."
    indonesian: ClassVar[str] = "Ada yang salah dengan permintaan ini."
    keeps_changes: ClassVar[bool] = False
    """Whether what was written before the refusal is kept (a counted wrong try)."""

    def __init__(self, *fields: FieldProblem, **facts: object) -> None:
        self.fields = fields
        self.facts = facts
        self.added = FieldProblem("", "", "")
        super().__init__(self.detail("en"))

    def at(self, pointer: str) -> Self:
        """The same, naming the one field that is at fault."""
        self.fields = (FieldProblem(pointer, self.detail("en"), self.detail("id")),)
        return self

    def add(self, english: str, indonesian: str) -> None:
        """Say more, and say it also of a field that is said to be at fault."""
        before = self.detail("en")
        self.added = FieldProblem("", english, indonesian)
        now = self.detail("en"), self.detail("id")
        self.fields = tuple(
            FieldProblem(field.pointer, *now) if field.english == before else field
            for field in self.fields
        )

    @classmethod
    def slug(cls) -> str:
        """The stable end of the problem's `type`: PickupAlreadyClaimed, pickup_already_claimed."""
        return _CAPITAL.sub("_", cls.__name__).lower()

    @classmethod
    def title(cls) -> str:
        return _CAPITAL.sub(" ", cls.__name__).capitalize()

    @classmethod
    def family(cls) -> Iterator[type["Problem"]]:
        """Every problem below this one."""
        for child in cls.__subclasses__():
            yield child
            yield from child.family()

    def detail(self, language: str) -> str:
        template = self.english if language == "en" else self.indonesian
        facts = {name: in_words(value, language) for name, value in self.facts.items()}
        sentence = template.format(**facts)
        added = self.added.detail(language)
        return f"{sentence[:1].upper()}{sentence[1:]} {added}".rstrip()


@contextmanager
def said_of(pointer: str, *kinds: type[Problem]) -> Iterator[None]:
    """Say of problems of these kinds which field is at fault, where only the caller knows."""
    try:
        yield
    except kinds as problem:
        raise problem.at(pointer) from problem.__cause__


def in_words(value: object, language: str = "en") -> str:
    """A fact as a person reads it: 12.500 and 'disetujui' in Indonesian, 12,500 in English."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if language == "en" else f"{value:,}".replace(",", ".")
    return str(value) if language == "en" else _INDONESIAN.get(str(value), str(value))


_INDONESIAN = {
    "bank": "bank sampah",
    "destination": "tujuan pencairan",
    "device": "perangkat",
    "dispute": "sengketa",
    "day": "hari",
    "door": "rumah",
    "drawer": "laci kas",
    "load": "muatan",
    "officer": "petugas bank",
    "operator": "operator",
    "station": "bank sampah",
    "breach": "kebocoran data",
    "buyer": "pembeli",
    "collector": "petugas",
    "correction": "koreksi",
    "city": "pemerintah kota",
    "entry": "catatan",
    "exception": "selisih",
    "match": "pencocokan",
    "payout": "pencairan",
    "person": "orang",
    "pickup": "penjemputan",
    "plan": "rencana",
    "route": "rute",
    "receipt": "kuitansi",
    "resident": "warga",
    "sale": "penjualan",
    "seal": "segel",
    "statement": "mutasi",
    "treasurer": "bendahara",
    "approved": "disetujui",
    "arrived": "petugas sudah tiba",
    "cancelled": "dibatalkan",
    "done": "selesai",
    "queued": "menunggu giliran",
    "running": "sedang dikerjakan",
    "claimed": "diambil petugas",
    "collected": "sudah ditimbang",
    "expired": "kedaluwarsa",
    "failed": "gagal",
    "open": "terbuka",
    "paid": "sudah dibayar",
    "rejected": "ditolak",
    "requested": "menunggu persetujuan",
    "reversed": "dikembalikan bank",
    "sending": "sedang dikirim",
    "sent": "terkirim",
    "unknown": "belum pasti",
}
"""States and things, as they stand in an Indonesian sentence."""


class Malformed(Problem):
    """The request can't be understood as it is."""


class NotSignedIn(Problem):
    """Nobody knows who is asking."""


class Forbidden(Problem):
    """The caller's role doesn't allow it."""


class NotFound(Problem):
    """There is no such thing, or it is somebody else's."""


class Conflict(Problem):
    """A rule says no, as things stand."""


class TooMany(Problem):
    """Too often; `retry_after_s` says when to come back."""


class NotAllowed(Forbidden):
    english = "You are not a member of this waste bank, or your role does not allow this."
    indonesian = "Anda bukan anggota bank sampah ini, atau peran Anda tidak mengizinkannya."


class WaitsForOperator(Conflict):
    english = "The handover code was wrong too often; an operator has to decide first."
    indonesian = "Kode serah terima terlalu sering salah; operator harus memutuskan dahulu."


class NoSuchThing(NotFound):
    english = "There is no such {thing}."
    indonesian = "{thing} ini tidak ditemukan."
