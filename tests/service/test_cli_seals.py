"""Receipts are checked offline on the command line, and verify looks at the seals."""

import asyncio
import copy
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from models.base import new_id, utc_now
from models.ledger import triggers
from models.people import Role
from service import ledger, members, sealing
from service.app import create_app, open_parts
from service.database import schema
from service.demo import town
from service.keys import key_id_of, load_keys
from service.settings import Settings
from tests.factories import bearer, device_of
from tests.service.commanding import jumpa, only_setting, ready

BANK = town.BANKS[0].id


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The data folder of a demo town with one sealed page, and a receipt of it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = only_setting(monkeypatch, tmp_path_factory.mktemp("made") / "data")
        ready(demo=True)
        return folder, asyncio.run(_receipt(Settings()))


@pytest.fixture
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: tuple[Path, dict[str, Any]]
) -> Path:
    """A copy of that folder for this test alone."""
    return shutil.copytree(made[0], only_setting(monkeypatch, tmp_path / "data"))


@pytest.fixture
def receipt(made: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    return copy.deepcopy(made[1])


async def _receipt(settings: Settings) -> dict[str, Any]:
    app, act_id = create_app(settings), new_id()
    phone = next(one.phone for one in town.with_role(Role.RESIDENT) if BANK in one.banks)
    async with open_parts(settings) as parts:
        app.state.parts = parts
        async with parts.database.transaction() as session:
            resident = await members.person_by_phone(session, phone)
            session.add(device_of(resident))
            available = ledger.chart.available(resident.id)
            move = ledger.Movement("gift", ledger.chart.PURCHASES, available, 500)
            gift = ledger.Draft("gift", [move], utc_now(), about_id=act_id, memo="Selamat datang")
            await ledger.post(session, BANK, gift)
            page = await ledger.open_page(session, BANK)
            await ledger.turn_page(session, BANK, page.day)
        await sealing.seal(parts.database, parts.keys, [BANK])
        headers = bearer(parts.keys, resident)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://jumpa") as client:
            answer = await client.get(f"/v1/receipts/{BANK}/{act_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def written(folder: Path, receipt: Any) -> str:
    path = folder.with_name("receipt.json")
    path.write_text(receipt if isinstance(receipt, str) else json.dumps(receipt))
    return str(path)


def public_key(folder: Path) -> Ed25519PublicKey:
    return load_keys(Settings(data_dir=folder)).sealing.public_key()


def test_a_receipt_is_checked_without_database_and_settings(
    folder: Path, receipt: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = public_key(folder)
    pem = folder.with_name("public.pem")
    several = (Ed25519PrivateKey.generate().public_key(), key)
    as_pem = (one.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for one in several)
    pem.write_bytes(b"".join(as_pem))
    only_setting(monkeypatch, folder.with_name("elsewhere"))
    monkeypatch.setenv("JUMPA_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    for given in (str(pem), key.public_bytes_raw().hex()):
        proven = jumpa("verify-receipt", written(folder, receipt), "--key", given)
        assert proven.exit_code == 0, proven.output
        assert "1 transfers stand in the sealed book as shown" in proven.output
        assert "500 IDR: debit purchases, credit available:" in proven.output
        assert "Compare" not in proven.output
    assert not folder.with_name("elsewhere").exists()


def test_a_receipt_by_its_own_key_proves_only_that_it_fits_itself(
    folder: Path, receipt: dict[str, Any]
) -> None:
    proven = jumpa("verify-receipt", written(folder, receipt))
    assert proven.exit_code == 0
    assert f"Compare {key_id_of(public_key(folder))} with the key" in proven.output


def test_a_receipt_of_another_key_or_amount_does_not_fit(
    folder: Path, receipt: dict[str, Any]
) -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    refused = jumpa("verify-receipt", written(folder, receipt), "--key", other)
    assert refused.exit_code == 1
    assert "is signed with another key" in refused.output
    transfer = receipt["transfers"][0]
    transfer["amount"], transfer["fields"]["amount"] = 501, "501"
    refused = jumpa("verify-receipt", written(folder, receipt))
    assert refused.exit_code == 1
    assert f"transfer {transfer['fields']['transfer_id']}: what it says" in refused.output


def test_a_figure_that_is_not_the_transfers_is_named(folder: Path, receipt: dict[str, Any]) -> None:
    refused = jumpa("verify-receipt", written(folder, receipt | {"memo": "Hadiah Rp5.000"}))
    assert refused.exit_code == 1
    assert "memo is 'Hadiah Rp5.000', and the transfers say otherwise" in refused.output


def test_a_receipt_without_a_proof_is_no_proof(folder: Path, receipt: dict[str, Any]) -> None:
    refused = jumpa("verify-receipt", written(folder, receipt | {"sealed": False}))
    assert refused.exit_code == 1
    assert "no proof yet" in refused.output


@pytest.mark.parametrize("content", ["[]", "{}", "no JSON", "[" * 200_000], ids=range(4))
def test_what_is_no_receipt_is_refused(folder: Path, content: str) -> None:
    refused = jumpa("verify-receipt", written(folder, content))
    assert refused.exit_code == 2
    assert " no " in refused.output


def test_what_is_no_key_is_refused(folder: Path, receipt: dict[str, Any]) -> None:
    for key in ("z" * 64, "nowhere.pem", written(folder, receipt)):
        refused = jumpa("verify-receipt", written(folder, receipt), "--key", key)
        assert refused.exit_code == 2
        assert "no Ed25519 public key" in refused.output


def test_verify_counts_seals_and_names_an_edited_transfer(folder: Path) -> None:
    clean = jumpa("verify")
    assert clean.exit_code == 0, clean.output
    assert "1 sealed pages" in clean.output
    engine = schema.sync_engine(f"sqlite:///{folder / 'jumpa.db'}")
    with engine.begin() as connection:
        triggers.remove(connection)
        connection.execute(
            text("UPDATE ledger_transfer SET key = 'x' WHERE bank_id IS NOT NULL AND key = 'gift'")
        )
        triggers.install(connection)
    engine.dispose()
    found = jumpa("verify")
    assert found.exit_code == 1
    assert "was edited after page 1 was sealed" in found.output
    assert "1 findings" in found.output


def test_doctor_warns_of_pages_that_wait_for_their_seal(folder: Path) -> None:
    assert "no page waits for its seal" in jumpa("doctor").output
    engine = schema.sync_engine(f"sqlite:///{folder / 'jumpa.db'}")
    with engine.begin() as connection:
        triggers.remove(connection)
        connection.execute(text("DELETE FROM ledger_seal WHERE bank_id IS NOT NULL"))
        connection.execute(
            text(
                "UPDATE ledger_page SET opened_at = '2026-01-01 00:00:00.000000'"
                " WHERE bank_id IS NOT NULL"
            )
        )
        triggers.install(connection)
    engine.dispose()
    looked = jumpa("doctor")
    assert "1 pages wait for their seal" in looked.output
    assert "has not the seal noted in heads.jsonl" in looked.output
    assert looked.exit_code == 1
    found = jumpa("verify")
    assert found.exit_code == 1
    assert "page 1: final for long, and not sealed" in found.output
    assert "page 1: its seal was noted here, and is missing" in found.output
    (folder / "keys" / "heads.jsonl").unlink()
    looked = jumpa("doctor")
    assert looked.exit_code == 0, looked.output
