"""Help on the command line for whoever lost their second factor."""

import asyncio
from pathlib import Path

import pytest
from sqlmodel import col, select

from models.audit import AuditEntry
from models.bank import Bank
from models.base import utc_now
from models.people import Membership, Role
from models.sign_in import Device
from service.auth import second_factor, totp
from service.auth.callers import Identity
from service.database import open_database
from service.keys import load_keys
from service.members import person_by_phone
from service.settings import Settings
from tests.service.commanding import jumpa, only_setting, ready

PHONE = "+6281260001234"


async def enrol(settings: Settings) -> None:
    """A treasurer with a second factor, signed in on one device."""
    database, keys = open_database(settings.database), load_keys(settings)
    async with database.transaction() as session:
        person = await person_by_phone(session, PHONE)
        device = Device(person_id=person.id)
        session.add(device)
        await session.flush()
        made = await second_factor.begin(session, keys, person.id, PHONE)
        code = totp.code_at(made.secret, int(utc_now().timestamp()) // totp.STEP_S)
        await second_factor.confirm(session, keys, Identity(person.id, device.id), code)
        bank_id = (await session.exec(select(Bank.id))).first()
        assert bank_id is not None
        session.add(Membership(person_id=person.id, bank_id=bank_id, role=Role.TREASURER))
    await database.close()


async def noted(settings: Settings) -> list[tuple[str, bool]]:
    """What stands in the audit about the second factor, and whether it was about the treasurer."""
    database = open_database(settings.database)
    async with database.reading() as session:
        person = await person_by_phone(session, PHONE)
        query = select(AuditEntry).where(col(AuditEntry.act).endswith("second_factor"))
        found = [(one.act, one.person_id == person.id) for one in await session.exec(query)]
    await database.close()
    return found


def test_a_lost_second_factor_is_taken_off_and_its_devices_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_setting(monkeypatch, tmp_path)
    ready(demo=True)
    asyncio.run(enrol(Settings()))
    command = ("person", "reset-second-factor")
    done = jumpa(*command, "0812-6000-1234")
    assert done.exit_code == 0, done.output
    assert asyncio.run(noted(Settings())) == [("reset_second_factor", True)]
    assert f"{PHONE} has no second factor now, and was signed out of 1 device(s)." in done.output
    for phone, words in (
        (PHONE, f"{PHONE} has no second factor."),
        ("0812-6000-9999", "+6281260009999 has no second factor."),
        ("0812", "not a valid phone number"),
    ):
        refused = jumpa(*command, phone)
        assert refused.exit_code == 2
        assert words in refused.output
