"""Whether a database is at the schema this version needs, and bringing it there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url

from models import migrations
from models.ledger import triggers

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(migrations.__file__).parent


class SchemaNotReady(RuntimeError):
    """The database is not at the schema this version needs."""


def upgrade(url: str) -> None:
    """Bring a database to the newest schema and put the ledger's triggers in place."""
    with _migrating(url) as config:
        from alembic import command  # noqa: PLC0415 - see _migrating

        command.upgrade(config, "head")
        triggers.install(config.attributes["connection"])


def downgrade(url: str, revision: str = "base") -> None:
    """Take the schema back to a revision, with what was in the tables that go."""
    with _migrating(url) as config:
        from alembic import command  # noqa: PLC0415 - see _migrating

        command.downgrade(config, revision)


@contextmanager
def _migrating(url: str) -> Iterator["Config"]:
    """Alembic's configuration, on one transaction of a connection of its own."""
    # Alembic takes longer to import than a server to start; most starts don't need it.
    from alembic.config import Config  # noqa: PLC0415

    engine = sync_engine(url)
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
            config.attributes["connection"] = connection
            yield config
    finally:
        engine.dispose()


def problems(connection: Connection) -> list[str]:
    """What keeps this database from being used; nothing, if it is ready."""
    if not inspect(connection).has_table("alembic_version"):
        return ["it has no schema yet"]
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision != migrations.HEAD:
        return [f"its schema is {revision}, not {migrations.HEAD}"]
    return [
        f"the ledger's trigger {name} is missing or altered"
        for name in triggers.missing(connection)
    ]


def sync_engine(url: str) -> Engine:
    """An engine for what runs before or beside the event loop: migrations, checks."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return create_engine(parsed.set(drivername="sqlite"))
    return create_engine(parsed.set(drivername="postgresql+psycopg"))
