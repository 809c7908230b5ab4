"""Help on the command line for whoever lost their second factor."""

import asyncio
from pathlib import Path

import pytest

from models.base import utc_now
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
    """Somebody with a second factor, signed in on one device."""
    database, keys = open_database(settings.database), load_keys(settings)
    async with database.transaction() as session:
        person = await person_by_phone(session, PHONE)
        device = Device(person_id=person.id)
        session.add(device)
        await session.flush()
        made = await second_factor.begin(session, keys, person.id, PHONE)
        code = totp.code_at(made.secret, int(utc_now().timestamp()) // totp.STEP_S)
        await second_factor.confirm(session, keys, Identity(person.id, device.id), code)
    await database.close()


def test_a_lost_second_factor_is_taken_off_and_its_devices_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_setting(monkeypatch, tmp_path)
    ready()
    asyncio.run(enrol(Settings()))
    command = ("person", "reset-second-factor")
    done = jumpa(*command, "0812-6000-1234")
    assert done.exit_code == 0, done.output
    assert f"{PHONE} has no second factor now, and was signed out of 1 device(s)." in done.output
    for phone, words in (
        (PHONE, f"{PHONE} has no second factor."),
        ("0812-6000-9999", "+6281260009999 has no second factor."),
        ("0812", "not a valid phone number"),
    ):
        refused = jumpa(*command, phone)
        assert refused.exit_code == 2
        assert words in refused.output
