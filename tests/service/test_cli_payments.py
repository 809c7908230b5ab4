"""What `doctor` says of gateways, queues and payouts in doubt."""

from datetime import timedelta
from pathlib import Path

import pytest

from models.base import utc_now
from models.payout import GatewayCallback, GatewayFloat
from service.cli import payments
from service.cli.findings import Finding, Level
from service.database import Database
from service.gateways import Unknown
from service.settings import Settings
from tests.paying import Till
from tests.service.payouts.conftest import till

__all__ = ["till"]


async def found(database: Database) -> dict[str, Finding]:
    async with database.transaction() as session:
        connection = await session.connection()
        looked = await connection.run_sync(lambda sync: list(payments.look(sync)))
    return {finding.what: finding for finding in looked}


async def test_a_queue_that_stands_still_is_named(till: Till) -> None:
    async with till.town.database.transaction() as session:
        session.add(
            GatewayFloat(
                bank_id=till.town.bank_id,
                gateway="gate-of-this-test",
                stopped_at=utc_now(),
                stopped_why="FLOAT_TOO_LOW",
            )
        )
    transfers = (await found(till.town.database))["transfers"]
    assert transfers.level == Level.WARN
    assert "gate-of-this-test (FLOAT_TOO_LOW)" in transfers.how_it_is


async def test_payouts_in_doubt_and_callbacks_that_wait_are_counted(till: Till) -> None:
    before = await found(till.town.database)
    await till.approved()
    till.gateway.answers = [Unknown("time-out")]
    await till.work()
    assert (await found(till.town.database))["in doubt"] == before["in doubt"]
    long_ago = utc_now() - timedelta(hours=2)
    async with till.town.database.transaction() as session:
        session.add(
            GatewayCallback(
                gateway="gate",
                digest=str(long_ago.timestamp()),
                body="{}",
                headers="{}",
                received_at=long_ago,
            )
        )
    callbacks = (await found(till.town.database))["callbacks"]
    assert callbacks.level == Level.WARN
    assert "wait for more than an hour" in callbacks.how_it_is


def test_gateways_are_named_or_what_is_wrong_with_their_file(tmp_path: Path) -> None:
    file = tmp_path / "gateways.toml"
    file.write_text(
        '[[account]]\nname = "xendit"\nkind = "xendit"\nsecret_key = "xnd_secret"\n'
        'callback_secret = "token-of-ours"\nbanks = "*"\nfee_idr = 2500\n'
    )
    good = payments.gateways_of(Settings(gateways=file))
    assert (good.level, good.how_it_is) == (Level.OK, "xendit")
    file.write_text("[[account]]\nname = 7\n")
    bad = payments.gateways_of(Settings(gateways=file))
    assert bad.level == Level.FAIL
    assert "line" in bad.advice


@pytest.mark.parametrize(("demo", "said"), [(True, "moves no money"), (False, "cash only")])
def test_without_a_file_it_is_the_stand_in_or_cash(demo: bool, said: str, tmp_path: Path) -> None:
    looked = payments.gateways_of(Settings(data_dir=tmp_path, demo=demo))
    assert said in looked.how_it_is
