"""CAMT.053 (ISO 20022), entry by entry, whatever its version."""

import json
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError
from zoneinfo import ZoneInfo

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from models.reconciliation import Holding, LineType
from service.reconciliation.readers.shapes import (
    MOST_LINES,
    NO_LIMIT,
    Bad,
    Problems,
    Read,
    Row,
    checked,
    instant,
    kind_of,
    not_after,
    refuse,
    rupiah,
    whole,
)

_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_NO_REFERENCE = "NOTPROVIDED"
_STATEMENT = "BkToCstmrStmt"
_OTHERS = {"BkToCstmrAcctRpt": "CAMT.052", "BkToCstmrDbtCdtNtfctn": "CAMT.054"}
"""Of the same entries, and none of them the account's final word."""


class _Parts(NamedTuple):
    """What was read of the file so far."""

    rows: list[Row]
    balances: dict[str, int]


def is_xml(text: str) -> bool:
    return text.lstrip().startswith("<")


def read_camt053(
    content: bytes, profile: str, zone: ZoneInfo, *, until: datetime = NO_LIMIT
) -> Read:
    """Every entry of the file; of a batch, every transaction. Raises StatementNotReadable."""
    problems, parts = Problems(), _Parts([], {})
    try:
        for number, element in enumerate(_elements(content), start=1):
            _enter(number, element, (zone, until), parts, problems)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise refuse(1, "This is not CAMT.053.", "Ini bukan CAMT.053.") from None
    problems.check()
    if not parts.rows:
        raise refuse(1, "There are no entries in it.", "Tidak ada mutasi di dalamnya.")
    read = whole(profile, Holding.BANK_ACCOUNT, parts.rows)
    opening, closing = (_first(parts.balances, codes) for codes in (_OPENING, _CLOSING))
    return checked(read, opening, closing)


def _elements(content: bytes) -> Iterator[Element]:
    """Balances and entries in the order of the file, each let go after it was looked at."""
    depth = 0
    for event, element in iterparse(BytesIO(content), events=("start", "end"), forbid_dtd=True):
        depth += 1 if event == "start" else -1
        if event == "start" and depth == 2:
            _check_kind(_name(element))
        if event == "end" and _name(element) in ("Bal", "Ntry"):
            yield element
            element.clear()


def _check_kind(name: str) -> None:
    """Raises StatementNotReadable for a message that is no statement."""
    if name in _OTHERS:
        raise refuse(
            1,
            f"This is {_OTHERS[name]}, in which entries may still change. Ask the bank for CAMT.053,"
            " the statement of a day that is over.",
            f"Ini {_OTHERS[name]}, yang mutasinya masih dapat berubah. Mintalah CAMT.053, rekening"
            " koran hari yang sudah selesai.",
        )
    if name != _STATEMENT:
        raise refuse(1, f"This is not CAMT.053 but {name:.40}.", f"Ini bukan CAMT.053: {name:.40}.")


def _enter(
    number: int,
    element: Element,
    when: tuple[ZoneInfo, datetime],
    parts: _Parts,
    problems: Problems,
) -> None:
    """Add a balance, or the rows of an entry; or note what is wrong with it."""
    name = _name(element)
    try:
        if name == "Bal":
            code = _text(element, "Tp/CdOrPrtry/Cd")
            parts.balances.setdefault(code, _signed_idr(element))
        else:
            parts.rows.extend(_rows(element, *when))
            if len(parts.rows) > MOST_LINES:
                raise Bad(f"There are more than {MOST_LINES} entries.", "Mutasi terlalu banyak.")
    except Bad as bad:
        problems.note(number, name, bad)


def _rows(entry: Element, zone: ZoneInfo, until: datetime) -> Iterator[Row]:
    status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
    if status not in ("", "BOOK"):
        raise Bad(f"It isn't booked yet ({status:.4}).", f"Belum dibukukan ({status:.4}).")
    total = _signed_idr(entry)
    booked = not_after(_booked(entry, zone), until)
    details = _all(entry, "NtryDtls/TxDtls")
    amounts = [
        _signed_idr(one, entry) if _find(one, "Amt") is not None else None for one in details
    ]
    if len(details) < 2 or None in amounts:
        yield _row(entry, details[0] if details else None, total, 1, booked)
        return
    if sum(amount or 0 for amount in amounts) != total:
        raise Bad("Its transactions are not its sum.", "Rinciannya tidak sama dengan jumlahnya.")
    for part, (one, amount) in enumerate(zip(details, amounts, strict=True), start=1):
        yield _row(entry, one, amount or 0, part, booked)


def _booked(entry: Element, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return instant(_said_booked(entry), "", zone)


def _said_booked(entry: Element) -> str:
    return _text(entry, "BookgDt/DtTm") or _text(entry, "BookgDt/Dt")


def _row(
    entry: Element,
    details: Element | None,
    amount_idr: int,
    part: int,
    booked: tuple[datetime, datetime],
) -> Row:
    refs = _text(details, "Refs/EndToEndId"), _text(details, "RmtInf/Ustrd")
    said = [text for text in (*refs, _text(entry, "AddtlNtryInf")) if text != _NO_REFERENCE]
    account = "Othr/Id", "IBAN"
    came_back = _text(entry, "RvslInd") == "true"
    return Row(
        kind=kind_of(LineType.OUT_BACK if came_back and amount_idr > 0 else None, amount_idr),
        external_id=(_text(details, "Refs/AcctSvcrRef") or _text(entry, "AcctSvcrRef"))[:120],
        occurrence=part,
        gateway_id=_text(details, "Refs/AcctSvcrRef")[:120],
        reference=" ".join(" ".join(said).split())[:300],
        account_number=next(
            (
                found
                for kind in account
                if (found := _text(details, f"RltdPties/CdtrAcct/Id/{kind}"))
            ),
            "",
        )[:40],
        amount_idr=amount_idr,
        balance_idr=None,
        booked_at=booked[0],
        booked_until=booked[1],
        raw=json.dumps(
            {"entry": _text(entry, "NtryRef"), "booked": _said_booked(entry), "said": said}
        ),
    )


def _signed_idr(element: Element, entry: Element | None = None) -> int:
    """An amount with its sign; a transaction that says none has that of its entry."""
    amount = _find(element, "Amt")
    if amount is None or not amount.text:
        raise Bad("The amount is missing.", "Jumlah tidak ada.")
    if amount.get("Ccy") != "IDR":
        raise Bad("Only rupiah are kept here.", "Hanya rupiah.")
    side = _text(element, "CdtDbtInd") or (_text(entry, "CdtDbtInd") if entry is not None else "")
    if side not in ("CRDT", "DBIT"):
        raise Bad("It says neither CRDT nor DBIT.", "Tidak tertulis CRDT atau DBIT.")
    found = rupiah(amount.text, thousands="")
    return found if side == "CRDT" else -found


def _first(balances: dict[str, int], codes: tuple[str, ...]) -> int | None:
    return next((balances[code] for code in codes if code in balances), None)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _find(element: Element | None, path: str) -> Element | None:
    """The first element at a path, in whichever version's namespace."""
    found = _all(element, path)
    return found[0] if found else None


def _all(element: Element | None, path: str) -> list[Element]:
    level = [] if element is None else [element]
    for step in path.split("/"):
        level = [child for one in level for child in one if _name(child) == step]
    return level


def _text(element: Element | None, path: str) -> str:
    found = _find(element, path)
    return (found.text or "").strip() if found is not None else ""
