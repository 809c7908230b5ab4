"""A database that was filled before migrations says the same after them."""

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from models.payout import PayoutStatus
from service.database import Database, open_database, schema
from service.keys import Keys
from service.sealing.heads import DayFacts, PageFacts
from tests import factories
from tests.factories import Town
from tests.paid import bring_in, lines_of, pay_through
from tests.service.commanding import jumpa, only_setting
from tests.service.migrating import as_far_as, differences, said_by
from tests.service.sealing import act, close, closed_days, day_seals, seal, seals

BEFORE_VERSIONS: str = import_module("models.migrations.versions.m0006_closing").down_revision
FIRST_USED = "0007"
TOLD = {
    *("person", "bank", "pickup", "weighing", "ledger_transfer", "ledger_seal", "ledger_day"),
    *("payout", "payout_move", "statement_line", "statement_match", "reconciliation_case"),
}


async def test_what_was_written_before_stays_and_old_seals_still_verify(
    own_url: str, keys: Keys, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(own_url, pool_size=2)
    try:
        town = await a_full_town(database, keys, monkeypatch)
        await database.engine.dispose()
        goes_back_and_forth(own_url)

        (day,), (sealed,) = await closed_days(town), await day_seals(town)
        assert (day.version, day.counted_cash_idr, day.despite_unknown) == (1, 7, "")
        assert (sealed.version, sealed.form) == (1, 1)
        assert {page.form for page in await seals(town)} == {1}
        async with database.transaction() as session:
            assert await (await session.connection()).run_sync(differences) == []
    finally:
        await database.close()

    only_setting(monkeypatch, data_dir)
    monkeypatch.setenv("JUMPA_DATABASE_URL", own_url)
    verified = await asyncio.to_thread(jumpa, "verify")
    assert "1 sealed days, 0 audit entries: everything adds up." in verified.output
    assert verified.exit_code == 0


def goes_back_and_forth(url: str) -> None:
    schema.downgrade(url, FIRST_USED)
    said = said_by(url)
    assert set(said) >= TOLD
    for revision in (FIRST_USED, BEFORE_VERSIONS):
        schema.downgrade(url, revision)
        schema.upgrade(url)
        assert as_far_as(said, said_by(url)) == said


async def a_full_town(database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town with something in most tables, sealed as it was done first."""
    async with database.transaction() as session:
        await factories.load_materials(session)
    town = await factories.make_town(database)
    await fill(town, keys)
    with monkeypatch.context() as before:
        before.setattr("service.sealing.dayseals.DayFacts", in_form_1(DayFacts))
        before.setattr("service.sealing.pages.PageFacts", in_form_1(PageFacts))
        await act(town, 1_000, 20)
        await close(town, 7)
        await act(town, 3)
        await seal(town, keys)
    return town


async def fill(town: Town, keys: Keys) -> None:
    """Pickups, payouts and a statement with a line that nobody can explain."""
    await factories.earn(town, keys)
    await factories.claim_pickup(town, await factories.list_pickup(town))
    paid = await pay_through(town, 50_000)
    await pay_through(town, 20_000, status=PayoutStatus.SENT)
    found = lines_of(paid)
    foreign = found[0]._replace(external_id="txn-0", gateway_id="", reference="", amount_idr=-1)
    done = await bring_in(town, [*found, foreign])
    assert done.matched
    assert done.exceptions


def in_form_1(facts: Any) -> Any:
    return lambda *values: facts(*values)._replace(form=1)
