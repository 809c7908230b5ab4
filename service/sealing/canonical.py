"""The canonical form of a transfer: the bytes that a seal speaks for, form 1.

docs/sealing.md writes it down for other languages. Every value is text: ids as 32
hexadecimal digits, whole numbers in decimal, instants as microseconds since 1970 in UTC,
and nothing where there is none. Each stands as a netstring, so no two lists of values have
the same bytes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

TITLE = "jumpa-madu/transfer/1"
JOURNAL_FIELDS = (
    "bank_id",
    "page",
    "journal_id",
    "journal_kind",
    "about_id",
    "actor_id",
    "memo",
    "reverses_id",
    "journal_created_at",
)
TRANSFER_FIELDS = (
    "transfer_id",
    "key",
    "kind",
    "pending_id",
    "debit_account_id",
    "debit_shard",
    "credit_account_id",
    "credit_shard",
    "amount",
    "unit",
    "event_at",
    "created_at",
)
FIELDS = JOURNAL_FIELDS + TRANSFER_FIELDS
"""What is sealed of a transfer, in this order."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  Instants come as text, in UTC.
_MICROSECOND = timedelta(microseconds=1)
_LEAF = b"\x00"


class _Written(dict[str, str]):
    """Netstrings of what a book repeats: its accounts, kinds and units."""

    _most = 100_000

    def __missing__(self, value: str) -> str:
        if len(self) >= self._most:
            self.clear()
        written = self[value] = f"{len(value)}:{value},"
        return written


_WRITTEN = _Written()


def canonical(values: Sequence[str]) -> bytes:
    """The bytes of a transfer whose values stand in the order of FIELDS."""
    return journal_part(values[: len(JOURNAL_FIELDS)]) + netstrings(values[len(JOURNAL_FIELDS) :])


def leaf_of(values: Sequence[str]) -> bytes:
    """The hash of a transfer, as a leaf of its page's tree."""
    return hashlib.sha256(_LEAF + canonical(values)).digest()


class LeafMaker:
    """Leaves of one journal's transfers; what they share is hashed once."""

    def __init__(self, journal: Sequence[str]) -> None:
        self._begun = hashlib.sha256(_LEAF + journal_part(journal))

    def leaf(self, values: Sequence[str]) -> bytes:
        """The leaf of a transfer whose values stand in the order of TRANSFER_FIELDS."""
        leaf = self._begun.copy()
        leaf.update(transfer_part(values))
        return leaf.digest()


def id_bytes(hexadecimal: str) -> bytes:
    """The 16 bytes of an id; of what is none, and so was never written by us, some others."""
    try:
        found = bytes.fromhex(hexadecimal)
    except ValueError:
        found = b""
    return found if len(found) == 16 else hashlib.sha256(hexadecimal.encode()).digest()[:16]


def journal_part(values: Sequence[str]) -> bytes:
    """The title, and what a transfer shares with the others of its journal."""
    text = "".join([f"{len(value)}:{value}," for value in (TITLE, *values)])
    # Letters were counted, and only of ASCII each is one byte.
    return text.encode() if text.isascii() else netstrings((TITLE, *values))


def transfer_part(values: Sequence[str]) -> bytes:
    """What is a transfer's own. The same as netstrings(values), several times as fast."""
    one, key, kind, pending, debit, debit_shard, credit, credit_shard, amount, unit, at, made = (
        values
    )
    again = _WRITTEN
    text = (
        f"{len(one)}:{one},{len(key)}:{key},{again[kind]}{len(pending)}:{pending},"
        f"{again[debit]}{again[debit_shard]}{again[credit]}{again[credit_shard]}"
        f"{len(amount)}:{amount},{again[unit]}{len(at)}:{at},{len(made)}:{made},"
    )
    return text.encode() if text.isascii() else netstrings(values)


def netstrings(values: Iterable[str]) -> bytes:
    """Each value with its length in bytes before it: `5:hello,`."""
    encoded = (value.encode() for value in values)
    return b"".join(b"%d:%b," % (len(value), value) for value in encoded)


@lru_cache(maxsize=16)
def microseconds(instant: str) -> str:
    """An instant that a database wrote, as microseconds since 1970 in UTC.

    What is no instant, and so was never written by us, stays as it is behind a question mark.
    One act has mostly one instant, written three times.
    """
    try:
        return str((datetime.fromisoformat(instant) - _EPOCH) // _MICROSECOND)
    except (ValueError, TypeError):
        return f"?{instant}"
