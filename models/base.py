"""What every table shares: ids, instants, and columns that say their unit."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy
import uuid_utils.compat
from sqlalchemy import BigInteger, ColumnElement, String, literal_column
from sqlalchemy.orm import Mapped
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel
from sqlmodel._compat import SQLModelConfig

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """The base of every table."""

    # Tables validate nothing, so their validators needn't be built at every start.
    model_config = SQLModelConfig(defer_build=True)


def new_id() -> UUID:
    """A UUIDv7: unique without asking anybody, and later ones sort later."""
    return uuid_utils.compat.uuid7()


def new_ids(count: int) -> range:
    """So many ids as numbers, one after the other: each made by itself takes some ten times as long.

    UUIDv7 as well: of the last 62 bits, which are chance, the first is left for counting on.
    """
    first = new_id().int & ~(1 << 61)
    return range(first, first + count)


_LONGEST_SINCE_1970 = datetime(9999, 12, 31, tzinfo=UTC) - datetime.fromtimestamp(0, UTC)


def id_at(instant: datetime) -> UUID:
    """An id that sorts before all that are made from this instant on."""
    # Ids count from 1970, so that all of them are made after whatever was before.
    return UUID(int=max(0, int(instant.timestamp() * 1000)) << 80)


def instant_of(made: UUID) -> datetime:
    """When an id was made, to the millisecond; of one that isn't ours, any instant."""
    since_1970 = timedelta(milliseconds=made.int >> 80)
    return datetime.fromtimestamp(0, UTC) + min(since_1970, _LONGEST_SINCE_1970)


def utc_now() -> datetime:
    """The instant it is, aware, in UTC."""
    return datetime.now(UTC)


def written(instant: datetime) -> str:
    """An instant in UTC as every answer writes it: RFC 3339, with a Z."""
    return instant.isoformat().replace("+00:00", "Z")


def table_of(model: type[Table]) -> sqlalchemy.Table:
    """The table behind a model, for statements that go round the object mapper."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def text_of(states: type[StrEnum]) -> TypeEngine[str]:
    """A text column wide enough for the values of an enum, not its member names."""
    return String(max(len(state) for state in states))


def one_of(column: str, states: Iterable[StrEnum]) -> str:
    """The condition that a text column holds one of the values."""
    values = ", ".join(f"'{state}'" for state in states)
    return f"{column} IN ({values})"


def among(
    column: ColumnElement[Any] | Mapped[Any], states: Iterable[StrEnum]
) -> ColumnElement[bool]:
    """Whether a column holds one of these values, which stand in the statement itself.

    An index that is kept for a few states only is used by SQLite where it can read that
    no others are asked for; of values that are handed over apart it can't.
    """
    return column.in_([literal_column(f"'{state}'") for state in states])


def whole(default: Any = ..., **options: Any) -> Any:
    """A column of whole rupiah or grams, 64 bits wide."""
    if default is ...:
        return Field(sa_type=BigInteger, **options)
    return Field(default=default, sa_type=BigInteger, **options)
