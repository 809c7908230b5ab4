"""How much there is where it was too little, in words: bounded, however many it concerns."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from service.errors import in_words
from service.ledger.chart import IDR, Place

_MOST_MATERIALS = 5
"""So many are named; whoever needs more of more of them looks into the store."""


IN_PASSBOOK = ("available", "pending")
"""What stands in a resident's passbook, which has a number."""


class _Words(NamedTuple):
    """A sentence in English and in Indonesian."""

    en: str
    id: str


_OF_ONE = {
    "": _Words(
        "There is Rp{left}, and this takes Rp{needed}.",
        "Yang ada Rp{left}, yang diperlukan Rp{needed}.",
    ),
    "pending": _Words(
        "Waiting for a second weighing there is Rp{left}, and this takes Rp{needed}.",
        "Yang menunggu timbang ulang Rp{left}, yang diperlukan Rp{needed}.",
    ),
    "earnings": _Words(
        "Of what the collector earned there is Rp{left}, and this takes Rp{needed}.",
        "Upah petugas yang ada Rp{left}, yang diperlukan Rp{needed}.",
    ),
}
_OF_SEVERAL = {
    "": _Words(
        "{places} accounts have too little: Rp{missing} is missing in all.",
        "Saldo {places} akun kurang, seluruhnya Rp{missing}.",
    ),
    "available": _Words(
        "{places} passbooks have too little: Rp{missing} is missing in all.",
        "Saldo {places} buku tabungan kurang, seluruhnya Rp{missing}.",
    ),
    "pending": _Words(
        "In {places} passbooks too little waits for a second weighing: Rp{missing} is missing in"
        " all.",
        "Di {places} buku tabungan yang menunggu timbang ulang kurang, seluruhnya Rp{missing}.",
    ),
    "earnings": _Words(
        "{places} collectors have too little left of what they earned: Rp{missing} is missing in"
        " all.",
        "Upah {places} petugas kurang, seluruhnya Rp{missing}.",
    ),
}
_OF_PASSBOOK = _Words("This is passbook {number}.", "Ini buku tabungan {number}.")
_OF_MATERIAL = _Words(
    "Of {material} there are {left} g, and this takes {needed} g.",
    "{material} yang ada {left} g, yang diperlukan {needed} g.",
)
_OF_MORE = _Words(
    "Of more materials ({places}) there is too little.", "Bahan lain juga kurang ({places})."
)


class Lack(NamedTuple):
    """Rupiah or grams of a place, and what an act would have taken."""

    place: Place
    left: int
    needed: int


def said_of(lacks: Sequence[Lack], language: str, numbers: Mapping[UUID, str]) -> str:
    """How much there is of what is lacking, kind by kind, in however many places it is.

    Where it is one passbook, with its number, if that is among these.
    """
    in_rupiah: dict[str, list[Lack]] = defaultdict(list)
    in_grams: dict[str, list[Lack]] = defaultdict(list)
    for lack in lacks:
        if lack.place.unit == IDR:
            in_rupiah[lack.place.kind].append(lack)
        else:
            in_grams[lack.place.material].append(lack)
    said = [_rupiah(kind, of, language, numbers) for kind, of in in_rupiah.items()]
    materials = list(in_grams.items())
    said += [_grams(material, of, language) for material, of in materials[:_MOST_MATERIALS]]
    if more := materials[_MOST_MATERIALS:]:
        said.append(_in(language, _OF_MORE, places=len(more)))
    return " ".join(said)


def _rupiah(kind: str, lacks: Sequence[Lack], language: str, numbers: Mapping[UUID, str]) -> str:
    if len(lacks) > 1:
        words = _OF_SEVERAL.get(kind, _OF_SEVERAL[""])
        missing = sum(lack.needed - lack.left for lack in lacks)
        return _in(language, words, places=len(lacks), missing=missing)
    ((place, left, needed),) = lacks
    words = _OF_ONE.get(kind, _OF_ONE[""])
    said = _in(language, words, left=left, needed=needed)
    number = numbers.get(place.owner_id) if place.owner_id and kind in IN_PASSBOOK else None
    return f"{said} {_in(language, _OF_PASSBOOK, number=number)}" if number else said


def _grams(material: str, lacks: Sequence[Lack], language: str) -> str:
    left, needed = sum(lack.left for lack in lacks), sum(lack.needed for lack in lacks)
    return _in(language, _OF_MATERIAL, material=material, left=left, needed=needed)


def _in(language: str, words: _Words, **facts: object) -> str:
    template = words.en if language == "en" else words.id
    return template.format(**{name: in_words(fact, language) for name, fact in facts.items()})
