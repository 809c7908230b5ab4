"""Checks the seals: every page and day is worked out again, and what differs is named."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from service.ledger import Finding
from service.sealing import book
from service.sealing.audited import audit_leaves_of
from service.sealing.heads import (
    NO_ENTRIES,
    NO_PAGE,
    DayFacts,
    PageFacts,
    Total,
    balances_hash,
    is_signed,
    page_message,
)
from service.sealing.merkle import root_of
from service.sealing.noted import noted_in
from service.sealing.order import named, odd_pages, sealed_by_now
from service.sealing.pages import leaves_of
from service.sealing.paths import LEAF_BYTES, leaves_in
from service.sealing.versions import closes_of

_POSTED = ("post", "settle")
_PLURALS = {"transfer": "transfers", "audit entry": "audit entries"}
_PUBLIC_KEYS = Mapping[str, Ed25519PublicKey]
_OPEN = "SELECT coalesce(max(number), 0) AS open FROM ledger_page WHERE bank_id = :bank_id"
_LAST_SEAL = "SELECT coalesce(max(page), 0) AS page FROM ledger_seal WHERE bank_id = :bank_id"
_SEAL = "SELECT * FROM ledger_seal WHERE bank_id = :bank_id AND page = :page"
_DAYS = """
SELECT d.day, d.version, d.last_page, d.counted_cash_idr, d.cash_difference_idr, d.closed_by, d.despite_unknown,
       s.form, s.page, s.transfers, s.head, s.balances, s.key_id, s.signature
  FROM ledger_day d
  LEFT JOIN ledger_day_seal s ON s.bank_id = d.bank_id AND s.day = d.day AND s.version = d.version
 WHERE d.bank_id = :bank_id ORDER BY d.last_page"""
_ACCOUNTS = """
SELECT coalesce({id}, '') AS id, a.code, a.unit FROM ledger_account a WHERE a.bank_id = :bank_id"""


@dataclass
class Checked:
    """How much was checked, and what was found."""

    pages: int = 0
    days: int = 0
    transfers: int = 0
    entries: int = 0
    """Of the audit."""
    findings: list[Finding] = field(default_factory=list)


def check(
    url: str, banks: Sequence[UUID], keys: _PUBLIC_KEYS, heads_file: Path | None = None
) -> Checked:
    """Check the seals of these banks as of one moment, also against the heads noted in a file.

    Memory grows with accounts and with the largest page, 48 bytes a transfer.
    """
    result = Checked()
    noted = noted_in(heads_file) if heads_file else {}
    with book.one_moment(url) as connection:
        for bank_id in banks:
            walk = _Check(connection, bank_id, keys, result)
            walk.run(noted.get(bank_id, {}))
            result.findings += [
                Finding(bank_id, *found) for found in odd_pages(connection, bank_id)
            ]
    return result


class _Check:
    """A walk through one bank's book, page by page, day by day."""

    def __init__(
        self, connection: Connection, bank_id: UUID, keys: _PUBLIC_KEYS, result: Checked
    ) -> None:
        self._connection = connection
        self._bank_id = bank_id
        self._keys = keys
        self._result = result
        self._closes = closes_of(connection, bank_id)
        self._head: bytes | None = NO_PAGE
        self._transfers = 0
        self._rows_differ = False
        self._balances: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def run(self, noted: Mapping[int, bytes]) -> None:
        last_seal = self._read(_LAST_SEAL)[0]["page"]
        due = sealed_by_now(self._connection, self._bank_id)
        self._walk(last_seal, due, noted)
        if due > last_seal:
            self._found(_pages(last_seal + 1, due), "final for long, and not sealed")
        missing = max(noted, default=0)
        if missing > last_seal:
            self._found(f"page {missing}", "its seal was noted here, and is missing")

    def _walk(self, last_seal: int, due: int, noted: Mapping[int, bytes]) -> None:
        days = {row["last_page"]: row for row in self._read(_DAYS)}
        last_day = max((page for page, row in days.items() if row["page"]), default=0)
        final = self._read(_OPEN)[0]["open"] - 1
        for page in range(1, last_seal + 1):
            seal = next(iter(self._read(_SEAL, page=page)), None)
            if page > final:
                self._found(f"page {page}", "is sealed, and still open")
            elif seal is not None:
                self._page(page, seal)
                self._compare(page, seal, noted)
            else:
                self._found(f"page {page}", "its seal is missing")
                self._unsealed(page)
            if page in days:
                self._day(days[page], is_due=page < last_day or page <= due)

    def _compare(self, page: int, seal: Mapping[str, Any], noted: Mapping[int, bytes]) -> None:
        if noted.get(page, bytes(seal["head"])) != bytes(seal["head"]):
            self._found(f"page {page}", "its seal is not the one that was noted here")

    def _page(self, page: int, seal: Mapping[str, Any]) -> None:
        self._result.pages += 1
        rows, root = self._read_page(page)
        sealed = bytes(seal["leaves"])
        own_root = root_of(leaf for _, leaf in leaves_in(sealed))
        if rows != sealed and own_root == seal["root"]:
            self._rows_differ = True
            self._differences(page, "transfer", sealed, rows)
        elif rows != sealed and root != seal["root"]:
            self._rows_differ = True
            self._found(f"page {page}", "its transfers are not those that were sealed")
        self._seal(page, seal, own_root, self._audit(page, seal))
        self._transfers += seal["transfers"]

    def _audit(self, page: int, seal: Mapping[str, Any]) -> bytes:
        """Compare a page's audit with what was sealed of it; the root of what was."""
        rows, tree = audit_leaves_of(self._connection, self._bank_id, page)
        self._result.entries += tree.size
        sealed = bytes(seal["audit_leaves"] or b"")
        own_root = root_of(leaf for _, leaf in leaves_in(sealed))
        is_whole = own_root == (seal["audit_root"] or NO_ENTRIES)
        if rows != sealed and is_whole:
            self._differences(page, "audit entry", sealed, rows)
        elif rows != sealed and tree.root() != seal["audit_root"]:
            self._found(f"page {page}", "its audit is not the one that was sealed")
        return own_root

    def _seal(self, page: int, seal: Mapping[str, Any], own_root: bytes, audit_root: bytes) -> None:
        facts = PageFacts(
            self._bank_id,
            page,
            seal["transfers"],
            own_root,
            seal["previous"],
            seal["audit_entries"] or 0,
            audit_root,
            seal["form"],
        )
        head = bytes(seal["head"])
        before, self._head = self._head, None
        is_edited = own_root != seal["root"] or audit_root != (seal["audit_root"] or NO_ENTRIES)
        if facts.head() != head or is_edited:
            self._found(f"page {page}", "its seal was edited")
        elif before is not None and bytes(seal["previous"]) != before:
            self._found(f"page {page}", f"its seal does not follow that of page {page - 1}")
        elif problem := self._signature(seal, page_message(head)):
            self._found(f"page {page}", problem)
        else:
            self._head = head

    def _day(self, row: Mapping[str, Any], *, is_due: bool) -> None:
        day = named(row)
        if row["page"] is None:
            if is_due:
                self._found(day, "its seal is missing")
            return
        self._result.days += 1
        for problem in self._problems_of_day(row):
            self._found(day, problem)
            return

    def _problems_of_day(self, row: Mapping[str, Any]) -> Iterator[str]:
        # What the pages are guilty of is not told a second time.
        if row["page"] != row["last_page"]:
            yield "its seal is for another page"
        if self._head is not None and bytes(row["head"]) != self._head:
            yield "its seal is not over the head of its last page"
        if self._head is not None and row["transfers"] != self._transfers:
            yield "its seal counts other transfers"
        if not self._rows_differ and bytes(row["balances"]) != balances_hash(self._totals()):
            yield "its seal is over another trial balance"
        facts = DayFacts(
            self._bank_id,
            book.day_of(row["day"]),
            row["page"],
            row["transfers"],
            bytes(row["head"]),
            bytes(row["balances"]),
            self._closes.count_in(row),
            row["version"],
            self._closes.reopened(row),
            row["form"],
        )
        if problem := self._signature(row, facts.message()):
            yield problem

    def _signature(self, row: Mapping[str, Any], message: bytes) -> str | None:
        key = self._keys.get(row["key_id"])
        if key is None:
            return f"signed with a key that is not known here: {row['key_id']}"
        return (
            None if is_signed(key, bytes(row["signature"]), message) else "its signature is wrong"
        )

    def _read_page(self, page: int) -> tuple[bytes, bytes]:
        """Ids and leaves of a page as its rows are now, and their root; counts amounts."""
        leaves, tree = leaves_of(self._connection, self._bank_id, page, self._count)
        self._result.transfers += tree.size
        return leaves, tree.root()

    def _count(self, transfer: book.Transfer) -> None:
        if transfer[2] not in _POSTED:
            return
        amount = int(transfer[8]) if transfer[8].isdecimal() else 0
        self._balances[transfer[4]][0] += amount
        self._balances[transfer[6]][1] += amount

    def _unsealed(self, page: int) -> None:
        self._head = None
        self._transfers += len(self._read_page(page)[0]) // LEAF_BYTES

    def _differences(self, page: int, noun: str, sealed: bytes, rows: bytes) -> None:
        """Which transfers or entries differ; only now are leaves looked up by id."""
        then, now = dict(leaves_in(sealed)), dict(leaves_in(rows))
        for one, leaf in then.items():
            if one not in now:
                self._found(f"{noun} {UUID(bytes=one)}", f"is missing from page {page}")
            elif now[one] != leaf:
                self._found(f"{noun} {UUID(bytes=one)}", f"was edited after page {page} was sealed")
        for one in now:
            if one not in then:
                self._found(
                    f"{noun} {UUID(bytes=one)}", f"was inserted after page {page} was sealed"
                )
        same = {one for one, leaf in then.items() if now.get(one) == leaf}
        if [one for one in then if one in same] != [one for one in now if one in same]:
            self._found(f"page {page}", f"its {_PLURALS[noun]} stand in another order than sealed")

    def _totals(self) -> list[Total]:
        id_text = (
            "a.id"
            if self._connection.dialect.name == "sqlite"
            else "encode(uuid_send(a.id), 'hex')"
        )
        return [
            Total(row["code"], row["unit"], *self._balances[row["id"]])
            for row in self._read(_ACCOUNTS.format(id=id_text))
            if row["id"] in self._balances
        ]

    def _read(self, statement: str, **bound: Any) -> Sequence[Mapping[str, Any]]:
        return book.rows(self._connection, statement, self._bank_id, **bound)

    def _found(self, subject: str, problem: str) -> None:
        self._result.findings.append(Finding(self._bank_id, subject, problem))


def _pages(first: int, last: int) -> str:
    return f"page {first}" if first == last else f"pages {first} to {last}"
