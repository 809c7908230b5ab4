"""A list of residents out of a CSV file: who they are, and what the old book owes them."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from service import members
from service.errors import FieldProblem, Malformed, in_words
from service.sheets import Bad, Sheet, again, in_order, read_cells, rupiah_of

HIGHEST_BALANCE_IDR = 1_000_000_000
_LONGEST_NAME = 120


class MemberFileNotReadable(Malformed):
    """Every problem points to its place: `/3/balance_idr` is that column of line 3."""

    english = "This list of members can't be entered."
    indonesian = "Daftar anggota ini tidak dapat dimasukkan."


_SHEET = Sheet(
    required=("name",),
    optional=("phone", "passbook_number", "balance_idr"),
    refusal=MemberFileNotReadable,
)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One resident; a phone or a passbook's number says who it is when the list comes again."""

    line: int
    name: str
    phone: str | None
    passbook_number: str | None
    balance_idr: int


def read_members(text: str) -> list[MemberRow]:
    """The rows of a list. Raises MemberFileNotReadable, which names every cell at fault."""
    problems: list[FieldProblem] = []
    rows = [
        row
        for line, cells in _SHEET.lines(text)
        if (row := _row(line, cells, problems)) is not None
    ]
    problems += _nameless(rows)
    problems += _twice(rows, "phone", lambda row: row.phone)
    problems += _twice(
        rows, "passbook_number", lambda row: members.normal_number(row.passbook_number)
    )
    if problems:
        raise MemberFileNotReadable(*in_order(problems))
    if not rows:
        raise _SHEET.whole(1, "There is nobody in it.", "Tidak ada anggota di dalamnya.")
    return rows


def _row(line: int, cells: dict[str, str], problems: list[FieldProblem]) -> MemberRow | None:
    readers: dict[str, Callable[[str], object]] = {
        "name": _name,
        "phone": _phone,
        "passbook_number": _number,
        "balance_idr": _balance,
    }
    found = read_cells(line, cells, readers, problems)
    return MemberRow(line, **found) if found else None


def _name(text: str) -> str:
    if not text:
        raise Bad("A name is needed.", "Nama wajib diisi.")
    return _plain(text, _LONGEST_NAME)


def _phone(text: str) -> str | None:
    try:
        return members.normal_phone(text) if text else None
    except members.PhoneNotValid as error:
        raise Bad(error.english, error.indonesian) from None


def _number(text: str) -> str | None:
    return _plain(text, members.LONGEST_NUMBER) if text else None


def _plain(text: str, longest: int) -> str:
    if len(text) > longest:
        raise Bad(
            f"It has at most {longest} characters.",
            f"Paling panjang {longest} karakter.",
        )
    if not text.isprintable():
        raise Bad(
            "It holds a sign that can't be seen, or a line break. Type it anew.",
            "Ada karakter yang tidak terlihat, atau ganti baris. Ketik ulang.",
        )
    return text


def _balance(text: str) -> int:
    if not text:
        return 0
    balance = rupiah_of(text)
    if balance is None:
        raise Bad(
            f"{text} is no balance; write 12500, 12.500 or Rp12.500, or leave it empty.",
            f"{text} bukan saldo; tulislah 12500, 12.500 atau Rp12.500, atau kosongkan.",
        )
    if balance > HIGHEST_BALANCE_IDR:
        most = in_words(HIGHEST_BALANCE_IDR, "id")
        raise Bad(f"A balance is at most Rp{most}.", f"Saldo paling banyak Rp{most}.")
    return balance


def _nameless(rows: Sequence[MemberRow]) -> Iterator[FieldProblem]:
    for row in rows:
        if row.phone is None and row.passbook_number is None:
            yield FieldProblem(
                f"/{row.line}/passbook_number",
                "Without a phone a passbook number is needed, or nobody knows who this is when"
                " the list comes again.",
                "Tanpa nomor HP, nomor buku tabungan wajib diisi agar orangnya dikenali bila"
                " daftar ini dimasukkan lagi.",
            )


def _twice(
    rows: Sequence[MemberRow], column: str, read: Callable[[MemberRow], Hashable]
) -> Iterator[FieldProblem]:
    for row, first in again(rows, read):
        yield FieldProblem(
            f"/{row.line}/{column}",
            f"Line {first} has the same.",
            f"Sama dengan baris {first}.",
        )
