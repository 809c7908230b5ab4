"""Statements as they come: CSV by a map of its columns, MT940, CAMT.053."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.errors import FieldProblem, Malformed
from service.reconciliation.readers.camt053 import is_xml, read_camt053
from service.reconciliation.readers.columns import Columns, fits, read_csv
from service.reconciliation.readers.mt940 import is_mt940, read_mt940
from service.reconciliation.readers.profiles import PROFILES
from service.reconciliation.readers.shapes import (
    MOST_LINES,
    NO_LIMIT,
    Read,
    Row,
    StatementNotReadable,
    adds_up,
    refuse,
)
from service.reconciliation.readers.tables import first_line

_PACKED, _PDF = b"PK\x03\x04", b"%PDF"

_AHEAD = timedelta(days=1)
"""Clocks and zones differ by less."""

__all__ = [
    "MOST_LINES",
    "PROFILES",
    "Columns",
    "Read",
    "Row",
    "StatementNotReadable",
    "UnknownProfile",
    "adds_up",
    "read_statement",
]


class UnknownProfile(Malformed):
    english = "There is no column map of this name."
    indonesian = "Peta kolom dengan nama ini tidak ada."


def read_statement(
    content: bytes,
    source: str,
    maps: Mapping[str, Columns],
    *,
    zone: str,
    profile: str | None = None,
    now: datetime | None = None,
) -> Read:
    """A file's lines, by the profile named, else by the source's own, else by the first that fits.

    `maps` are a bank's own, which come before the built-in ones; what is booked later than `now`
    and a day is refused. Raises UnknownProfile or StatementNotReadable.
    """
    until = now + _AHEAD if now else NO_LIMIT
    text = _text_of(content)
    if is_xml(text):
        return read_camt053(content, "camt053", ZoneInfo(zone), until=until)
    if is_mt940(text):
        return read_mt940(text, "mt940", ZoneInfo(zone), until=until)
    known = {**PROFILES, **maps}
    if profile is not None and profile not in known:
        raise UnknownProfile(
            FieldProblem("/profile", UnknownProfile.english, UnknownProfile.indonesian)
        )
    name = profile or (source if source in known else _fitting(text, known))
    return read_csv(text, name, known[name], until=until)


def _fitting(text: str, known: Mapping[str, Columns]) -> str:
    """The first map that fits. Raises StatementNotReadable."""
    for name, columns in known.items():
        if fits(text, columns):
            return name
    said, names = first_line(text), ", ".join(known)
    raise refuse(
        1,
        f"No column map fits this file, which begins with {said}. There are maps for {names}; declare one for this source, or name one as profile.",
        f"Tidak ada peta kolom yang sesuai; berkas ini diawali dengan {said}. Peta yang ada: {names}. Daftarkan peta untuk sumber ini, atau sebutkan salah satu sebagai profile.",
    )


def _text_of(content: bytes) -> str:
    """UTF-8, or what Windows wrote before that."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if not text.strip():
        raise refuse(1, "This file is empty.", "Berkas ini kosong.")
    if content.startswith(_PACKED):
        raise refuse(
            1,
            "This is a spreadsheet or an archive. Save it as CSV, and bring that in.",
            "Ini lembar kerja atau arsip. Simpan sebagai CSV, lalu impor berkas itu.",
        )
    if content.startswith(_PDF) or "\0" in text:
        raise refuse(
            1,
            "This is not text: CSV, MT940 or CAMT.053 is expected.",
            "Ini bukan teks: yang diharapkan CSV, MT940 atau CAMT.053.",
        )
    return text
