"""What a database says, whatever its schema."""

from collections.abc import Mapping
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, select

from models.registry import METADATA
from service.database import schema

Said = Mapping[str, list[dict[str, Any]]]
"""The rows of each table, by the names of their columns."""


def differences(connection: Connection) -> list[Any]:
    """Where the tables of a database are not those of the models."""
    options = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


def said_by(url: str) -> Said:
    """Every row of every table that has any."""
    engine = schema.sync_engine(url)
    found, tables = {}, MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        for name, table in tables.tables.items():
            rows = [dict(row) for row in connection.execute(select(table)).mappings()]
            if rows and name != "alembic_version":
                found[name] = sorted(rows, key=repr)
    engine.dispose()
    return found


def as_far_as(before: Said, after: Said) -> Said:
    """What is said after about the columns that were there before."""
    return {
        name: sorted(
            ({column: row[column] for column in rows[0]} for row in after.get(name, ())), key=repr
        )
        for name, rows in before.items()
    }
