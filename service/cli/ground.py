"""What a command stands on: the data folder, and a database at this version's schema."""

from service.database import schema
from service.settings import Settings


def make_data_folder(settings: Settings) -> None:
    """Keys, codes and names are going to lie in it, so it is for its owner only."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)


def require_schema(settings: Settings) -> None:
    """Refuse a database that is not ready. Raises SchemaNotReady."""
    lacking = lacking_in(settings)
    if lacking:
        raise schema.SchemaNotReady(
            f"The database is not ready: {'; '.join(lacking)}. Run `jumpa migrate` first."
        )


def lacking_in(settings: Settings) -> list[str]:
    """What keeps the database from being used."""
    engine = schema.sync_engine(settings.database)
    try:
        with engine.connect() as connection:
            return schema.problems(connection)
    finally:
        engine.dispose()
