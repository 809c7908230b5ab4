"""A database that was filled before a migration says the same after it."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from service.database import open_database, schema
from service.keys import Keys
from service.sealing.heads import DayFacts
from tests import factories
from tests.postgresql import on_server
from tests.service.sealing import act, close, closed_days, day_seals, findings, seal

BEFORE_VERSIONS: str = import_module("models.migrations.versions.m0006_closing").down_revision


@pytest.fixture
def own_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own, at the newest schema."""
    if database_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'own.db'}"
        schema.upgrade(url)
        yield url
        return
    name = f"own_{uuid4().hex}"
    on_server(database_url, f"CREATE DATABASE {name}")
    url = make_url(database_url).set(database=name).render_as_string(hide_password=False)
    schema.upgrade(url)
    yield url
    on_server(database_url, f"DROP DATABASE {name} WITH (FORCE)")


def _in_form_1(*facts: Any) -> DayFacts:
    return DayFacts(*facts)._replace(form=1)


async def test_days_that_were_sealed_before_versions_still_verify(
    own_url: str, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(own_url, pool_size=2)
    try:
        async with database.transaction() as session:
            await factories.load_materials(session)
        town = await factories.make_town(database)
        with monkeypatch.context() as before:
            before.setattr("service.sealing.dayseals.DayFacts", _in_form_1)
            await act(town, 1_000, 20)
            await close(town, 7)
            await act(town, 3)
            await seal(town, keys)
        await database.engine.dispose()
        schema.downgrade(own_url, BEFORE_VERSIONS)
        schema.upgrade(own_url)
        (day,), (sealed,) = await closed_days(town), await day_seals(town)
        assert (day.version, day.counted_cash_idr, day.despite_unknown) == (1, 7, "")
        assert (sealed.version, sealed.form, sealed.transfers) == (1, 1, 3)
        assert await findings(town, keys) == []
    finally:
        await database.close()
