"""A database that was filled before a migration says the same after it."""

from importlib import import_module
from typing import Any

import pytest

from service.database import open_database, schema
from service.keys import Keys
from service.sealing.heads import DayFacts
from tests import factories
from tests.service.sealing import act, close, closed_days, day_seals, findings, seal

BEFORE_VERSIONS: str = import_module("models.migrations.versions.m0006_closing").down_revision


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
