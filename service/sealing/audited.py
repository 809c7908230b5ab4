"""The canonical form of an audit entry, form 1, and the tree of a page's entries."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from service.sealing import book
from service.sealing.canonical import id_bytes, netstrings
from service.sealing.merkle import Tree

TITLE = "jumpa-madu/audit/1"
AUDIT_FIELDS = (
    "bank_id",
    "page",
    "id",
    "at",
    "act",
    "status",
    "actor_id",
    "on_behalf_of",
    "card_id",
    "about_kind",
    "about",
    "person_id",
    "address",
    "device_id",
)
"""What is sealed of an entry, in this order."""
_LEAF = b"\x00"


def audit_leaf(values: Sequence[str]) -> bytes:
    """The hash of an entry whose values stand in the order of AUDIT_FIELDS."""
    return hashlib.sha256(_LEAF + netstrings((TITLE, *values))).digest()


def audit_leaves_of(connection: Connection, bank_id: UUID, page: int) -> tuple[bytes, Tree]:
    """Id and leaf of each audit entry of a page, in the order of ids, and their tree."""
    tree, leaves = Tree(), bytearray()
    shared = (bank_id.hex, str(page))
    for entry in book.entries_on(connection, bank_id, page):
        leaf = audit_leaf((*shared, *entry))
        tree.add(leaf)
        leaves += id_bytes(entry[0])
        leaves += leaf
    return bytes(leaves), tree
