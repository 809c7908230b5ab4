"""The schema: the migrations make what the tables say, and nothing starts without it."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from models import migrations
from models.base import new_id
from models.ledger import triggers
from models.migrations.versions import m0007_cells
from models.registry import BANK_TABLES, METADATA
from routing.geo import Point, cell_of
from service.app import create_app, open_parts
from service.database import Database, schema
from service.database.schema import SchemaNotReady
from service.settings import Settings
from tests import migrated
from tests.factories import change_pickup, list_pickup, make_town, reload
from tests.service.migrating import differences


async def on(database: Database, ask: Callable[[Connection], object]) -> object:
    async with database.transaction() as session:
        connection = await session.connection()
        return await connection.run_sync(ask)


async def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    assert await on(database, differences) == []


async def test_a_migrated_database_is_ready(database: Database) -> None:
    assert await on(database, schema.problems) == []


def test_every_row_of_a_bank_leads_with_it() -> None:
    for name in BANK_TABLES:
        table = METADATA.tables[name]
        assert table.primary_key.columns.keys()[0] == "bank_id", name
        for constraint in table.foreign_key_constraints:
            if constraint.referred_table.name in BANK_TABLES:
                assert constraint.column_keys[0] == "bank_id", (name, constraint.column_keys)


def test_an_empty_database_has_no_schema(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with engine.connect() as connection:
        assert schema.problems(connection) == ["it has no schema yet"]
    engine.dispose()


def test_an_older_schema_is_named(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        assert schema.problems(connection) == [f"its schema is 0000, not {migrations.HEAD}"]
    engine.dispose()


def test_a_missing_or_altered_trigger_is_named(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER ledger_transfer_delete"))
        assert triggers.missing(connection) == ["ledger_transfer_delete"]
        connection.execute(
            text(
                "CREATE TRIGGER ledger_transfer_delete BEFORE DELETE ON ledger_transfer"
                " BEGIN SELECT 1; END"
            )
        )
        assert triggers.missing(connection) == ["ledger_transfer_delete"]
        triggers.install(connection)
        assert triggers.missing(connection) == []
    engine.dispose()


async def test_a_postgresql_trigger_that_is_switched_off_is_named(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite's triggers can't be switched off")

    def switch(connection: Connection, how: str) -> list[str]:
        connection.execute(text(f"ALTER TABLE ledger_transfer {how} TRIGGER ledger_transfer_apply"))
        return triggers.missing(connection)

    assert await on(database, lambda c: switch(c, "DISABLE")) == ["ledger_transfer_apply"]
    assert await on(database, lambda c: switch(c, "ENABLE")) == []


async def test_a_postgresql_function_that_was_emptied_is_named(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite's triggers have no functions")

    def emptied(connection: Connection) -> list[str]:
        connection.execute(
            text(
                "CREATE OR REPLACE FUNCTION ledger_apply() RETURNS trigger"
                " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
            )
        )
        lacking = triggers.missing(connection)
        triggers.install(connection)
        return lacking

    assert await on(database, lambda c: "ledger_transfer_apply" in emptied(c))
    assert await on(database, triggers.missing) == []


async def test_a_postgresql_trigger_that_looks_at_single_rows_is_named(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no triggers for a whole statement")

    def changed(connection: Connection) -> list[str]:
        connection.execute(text("DROP TRIGGER ledger_transfer_apply ON ledger_transfer"))
        connection.execute(
            text(
                "CREATE TRIGGER ledger_transfer_apply AFTER INSERT ON ledger_transfer"
                " FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply()"
            )
        )
        lacking = triggers.missing(connection)
        triggers.install(connection)
        return lacking

    assert await on(database, changed) == ["ledger_transfer_apply"]
    assert await on(database, triggers.missing) == []


def test_entries_have_no_row_ids(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    with engine.begin() as connection:
        made = "SELECT sql FROM sqlite_master WHERE name = 'ledger_entry'"
        assert "WITHOUT ROWID" in connection.execute(text(made)).scalar_one()
    engine.dispose()


def test_a_migration_can_be_taken_back(tmp_path: Path) -> None:
    url = migrated.file_at(tmp_path / "back.db")
    schema.downgrade(url)
    engine = create_engine(url)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    schema.upgrade(url)


def test_people_without_a_phone_are_kept_when_it_is_taken_back(tmp_path: Path) -> None:
    url = migrated.file_at(tmp_path / "back.db")
    engine = create_engine(url)
    enter = (
        "INSERT INTO person (id, phone, name, language, created_at)"
        " VALUES (:id, :phone, '', 'id', '2026-11-20 00:00:00')"
    )
    people = [(new_id().hex, None), (new_id().hex, None), (new_id().hex, "+6281200000000")]
    with engine.begin() as connection:
        connection.execute(text(enter), [{"id": key, "phone": phone} for key, phone in people])
    schema.downgrade(url, "0007")
    with engine.begin() as connection:
        found = connection.execute(text("SELECT id, phone FROM person ORDER BY id")).all()
    engine.dispose()
    assert found == [
        (key, phone or f"-{key[-15:]}") for key, phone in sorted(people, key=lambda one: one[0])
    ]


def test_who_is_signed_in_stays_so_over_the_migration(tmp_path: Path) -> None:
    url = migrated.file_at(tmp_path / "families.db")
    schema.downgrade(url, "0010")
    engine = create_engine(url)
    person, open_family, ended = (new_id().hex for _ in range(3))
    early, late = "2026-11-20 00:00:00", "2026-11-21 00:00:00"
    enter_person = (
        "INSERT INTO person (id, phone, name, language, created_at)"
        f" VALUES ('{person}', '+6281200000000', '', 'id', '{early}')"
    )
    enter = (
        "INSERT INTO refresh_token"
        " (token_hash, family_id, person_id, created_at, expires_at, used_at, ended_at)"
        f" VALUES (:hash, :family, '{person}', '{early}', '{late}', :used, :ended)"
    )
    tokens: list[dict[str, str | None]] = [
        {"hash": "a", "family": open_family, "used": late, "ended": None},
        {"hash": "b", "family": open_family, "used": None, "ended": None},
        {"hash": "c", "family": ended, "used": early, "ended": late},
    ]
    with engine.begin() as connection:
        connection.execute(text(enter_person))
        connection.execute(text(enter), tokens)
    columns = "token_hash, family_id, person_id, created_at, expires_at, used_at, ended_at"
    of_tokens = f"SELECT {columns} FROM refresh_token ORDER BY token_hash"
    before = _rows(engine, of_tokens)
    schema.upgrade(url)
    found = _rows(engine, "SELECT id, person_id, last_used_at, ended_at FROM device ORDER BY id")
    assert found == [(open_family, person, late, None), (ended, person, early, late)]
    schema.downgrade(url, "0010")
    assert _rows(engine, of_tokens) == before
    engine.dispose()


def _rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


_AT = "'2026-11-20 00:00:00'"
_SALE = (
    "INSERT INTO sale (bank_id, id, buyer_id, policy_id, material, grams, amount_idr, lot_grams,"
    " lots_idr, residents_idr, collectors_idr, kept_idr, note, sold_by, sold_at, missing_grams,"
    f" taken_back_at) VALUES ('', '', '', '', '', 9, 1, 0, 0, 0, 0, 1, '', '', {_AT}, "
)
_COUNT = (
    "INSERT INTO stock_count (bank_id, id, material, counted_grams, difference_grams, note,"
    f" counted_by, counted_at) VALUES ('', '', '', 1, 0, '', '', {_AT})"
)


@pytest.mark.parametrize(
    ("revision", "entered"),
    [("0018", _COUNT), ("0017", f"{_SALE} 0, {_AT})"), ("0017", f"{_SALE} 5, NULL)")],
    ids=["a count", "a sale taken back", "missing grams"],
)
def test_what_would_be_lost_keeps_a_migration(tmp_path: Path, revision: str, entered: str) -> None:
    url = migrated.file_at(tmp_path / "kept.db")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(entered))
    engine.dispose()
    with pytest.raises(IntegrityError, match="CHECK"):
        schema.downgrade(url, revision)


async def test_pickups_of_before_are_found_by_the_cells_of_now(database: Database) -> None:
    town = await make_town(database)
    pickup = await list_pickup(town, at=Point(3.5952, 98.6722))

    def renumber(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            m0007_cells.downgrade()
            m0007_cells.upgrade()

    await change_pickup(town, pickup.id, cell=0)
    await on(database, renumber)
    assert (await reload(town, pickup)).cell == cell_of(Point(pickup.lat, pickup.lon))


async def test_nothing_starts_on_a_database_that_is_not_ready(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path))
    with pytest.raises(SchemaNotReady, match="jumpa migrate"):
        async with app.router.lifespan_context(app):
            pytest.fail("It started.")


async def test_a_second_server_on_one_file_is_refused(tmp_path: Path) -> None:
    migrated.file_at(tmp_path / "jumpa.db")
    settings = Settings(data_dir=tmp_path)
    one, other = create_app(settings), create_app(settings)
    async with one.router.lifespan_context(one):
        with pytest.raises(SchemaNotReady, match="Another server"):
            async with other.router.lifespan_context(other):
                pytest.fail("It started.")
        transport = httpx.ASGITransport(one)
        async with httpx.AsyncClient(transport=transport, base_url="http://jumpa") as client:
            assert (await client.get("/readyz")).json()["status"] == "ready"


async def test_an_unreachable_database_is_answered_with_try_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none")
    app = create_app(settings)
    async with open_parts(settings) as parts:
        app.state.parts = parts
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://jumpa") as client:
            answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.json()["type"] == "/problems/try_again_soon"


def an_engine(tmp_path: Path) -> Engine:
    return create_engine(migrated.file_at(tmp_path / "new.db"))
