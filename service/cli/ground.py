"""What a command stands on: a data folder, a gateway to play with, a database at this version's schema."""

from pathlib import Path

from sqlalchemy.engine import make_url

from service.cli.naming import told
from service.cli.ports import free_port
from service.cli.refusals import Refused
from service.database import schema
from service.gateways import beside
from service.settings import Settings


def make_data_folder(settings: Settings) -> None:
    """Keys, codes and names are going to lie in it, so it is for its owner only."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)


def with_standin_port(settings: Settings) -> Settings:
    """Settings that say where the stand-in is going to listen, if there is one. Raises Refused."""
    if not settings.plays_gateway:
        return settings
    try:
        port = free_port(beside.HOST, settings.standin_port)
    except OSError as error:
        raise Refused(
            f"The stand-in gateway can't listen on port {settings.standin_port}: {error.strerror}."
            " Set JUMPA_STANDIN_PORT to a free one."
        ) from None
    return settings.model_copy(update={"standin_port": port})


def require_schema(settings: Settings) -> None:
    """Refuse a database that is not there or not ready. Raises Refused or SchemaNotReady."""
    _require_file(settings)
    lacking = lacking_in(settings)
    if lacking:
        raise schema.SchemaNotReady(
            f"The database is not ready: {'; '.join(lacking)}. Run `{told('migrate')}` first."
        )


def _require_file(settings: Settings) -> None:
    """SQLite would make an empty database of any name that it is told to open."""
    path = make_url(settings.database).database or ""
    if settings.is_sqlite and not Path(path).exists():
        raise Refused(
            f"There is no database {Path(path).resolve()}. Set JUMPA_DATA_DIR or"
            f" JUMPA_DATABASE_URL to the one you mean; `{told('migrate')}` makes a new one."
        )


def lacking_in(settings: Settings) -> list[str]:
    """What keeps the database from being used."""
    engine = schema.sync_engine(settings.database)
    try:
        with engine.connect() as connection:
            return schema.problems(connection)
    finally:
        engine.dispose()
