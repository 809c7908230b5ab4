"""The rows of one person in a table: their own, and those that belong to theirs."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, tuple_

from models.belonging import OWNERS, THROUGH, Link
from models.registry import BANK_TABLES, METADATA


def is_theirs(name: str, person_id: UUID, bank_ids: Sequence[UUID]) -> list[ColumnElement[bool]]:
    """The conditions for a row of this table to be this person's, in these banks."""
    table = METADATA.tables[name]
    in_banks = [table.c.bank_id.in_(bank_ids)] if name in BANK_TABLES else []
    if name in OWNERS:
        return [*in_banks, table.c[OWNERS[name]] == person_id]
    belongs = [_belongs(name, link, person_id, bank_ids) for link in THROUGH[name]]
    return [*in_banks, or_(*belongs)]


def _belongs(
    name: str, link: Link, person_id: UUID, bank_ids: Sequence[UUID]
) -> ColumnElement[bool]:
    parent, pairs = link
    table, other = METADATA.tables[name], METADATA.tables[parent]
    theirs = select(*(other.c[column] for column in pairs.values())).where(
        *is_theirs(parent, person_id, bank_ids)
    )
    return tuple_(*(table.c[column] for column in pairs)).in_(theirs)
