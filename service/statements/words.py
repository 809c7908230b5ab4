"""What a statement says, in Indonesian and English."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from service.ledger import PassbookLine
from service.ledger.reversing import CORRECTION

_DEEDS: dict[str, tuple[str, str]] = {
    "opening": ("Saldo dari buku lama", "Balance of the book before"),
    "pickup": ("Setoran jemput", "Pickup"),
    "dropoff": ("Setoran langsung", "Drop-off"),
    "payout": ("Pencairan", "Payout"),
    "payout_reversed": ("Dana kembali", "Money came back"),
    "sale": ("Terjual", "Sold"),
    "bought": ("Susut timbang dibeli bank", "Missing weight bought by the bank"),
    "share": ("Bagi hasil", "Share of the profit"),
    "receiving": ("Timbang ulang", "Weighed again"),
    "dispute": ("Timbang ulang diputuskan", "Second weighing decided"),
    CORRECTION: ("Koreksi", "Correction"),
}


_EARNED: dict[str, tuple[str, str]] = {
    **_DEEDS,
    "pickup": ("Upah jemput", "Fee for fetching"),
    "sale": ("Bagi hasil", "Share of the profit"),
    "dispute": ("Upah setelah timbang ulang", "Fee after the second weighing"),
}
"""The same acts, as a collector's lines call them."""

_PARTS = {"sale": ("share",), "receiving": ("bought",), "dispute": ("bought",)}
"""Lines of an act that say something of their own; their keys end so."""
_NAMING = ("sale",)
"""Acts whose memo is no reason, but what they are about."""


class Labels(NamedTuple):
    """The printed words of a statement."""

    title: str
    name: str
    number: str
    phone: str
    period: str
    until: str
    page: str
    of: str
    no: str
    date: str
    money_in: str
    money_out: str
    balance: str
    entered_by: str
    note: str
    opening: str
    closing: str
    so_far: str
    total: str
    nothing: str


_LABELS = {
    "id": Labels(
        title="Buku Tabungan",
        name="Nama",
        number="No. induk",
        phone="HP",
        period="Periode",
        until="s.d.",
        page="Halaman",
        of="dari",
        no="No",
        date="Tanggal",
        money_in="Masuk",
        money_out="Keluar",
        balance="Saldo",
        entered_by="Paraf",
        note="Keterangan",
        opening="Saldo awal",
        closing="Saldo akhir",
        so_far="Saldo sementara",
        total="Jumlah",
        nothing="Tidak ada transaksi pada periode ini.",
    ),
    "en": Labels(
        title="Passbook",
        name="Name",
        number="Passbook no.",
        phone="Phone",
        period="Period",
        until="to",
        page="Page",
        of="of",
        no="No",
        date="Date",
        money_in="In",
        money_out="Out",
        balance="Balance",
        entered_by="By",
        note="Note",
        opening="Opening balance",
        closing="Closing balance",
        so_far="Balance so far",
        total="Total",
        nothing="Nothing was entered in this period.",
    ),
}


def labels(language: str, *, provisional: bool = False) -> Labels:
    """The words in a language; what may still change is no closing balance."""
    words = _LABELS[language]
    return words._replace(closing=words.so_far) if provisional else words


def described(line: PassbookLine, language: str) -> str:
    """What a line is about: "Koreksi: bagi hasil, kardus (salah ketik)", "Terjual: kardus"."""
    deed, key = _deed(line.kind, line.key, language), line.corrects_key or ""
    corrected = _deed(line.corrects_kind, key, language) if line.corrects_kind else ""
    return _with_memo(line, deed, corrected)


def earned(line: PassbookLine, language: str) -> str:
    """What a line of a collector's earnings is about: "Koreksi: upah jemput (salah timbang)"."""
    corrected = _word(_EARNED, line.corrects_kind, language) if line.corrects_kind else ""
    return _with_memo(line, _word(_EARNED, line.kind, language), corrected)


def happened_on(day: date, language: str) -> str:
    """Said of a line that happened on another day than it was written."""
    return f"tanggal {in_digits(day)}" if language == "id" else f"of {in_digits(day)}"


def in_digits(day: date) -> str:
    """A date as both languages write it here: 22-11-2026."""
    return f"{day:%d-%m-%Y}"


def _with_memo(line: PassbookLine, deed: str, corrected: str) -> str:
    if corrected:
        deed = f"{deed}: {corrected[0].lower()}{corrected[1:]}"
    if line.corrects_kind in _NAMING and line.corrects_memo:
        deed = f"{deed}, {line.corrects_memo}"
    if line.kind in _NAMING and line.memo:
        return f"{deed}: {line.memo}"
    return f"{deed} ({line.memo})" if line.memo else deed


def _deed(kind: str, key: str, language: str) -> str:
    part = key.rpartition(":")[2]
    return _word(_DEEDS, part if part in _PARTS.get(kind, ()) else kind, language)


def _word(words: Mapping[str, tuple[str, str]], kind: str, language: str) -> str:
    return words[kind][language == "en"] if kind in words else kind
