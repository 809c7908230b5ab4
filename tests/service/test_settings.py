"""Settings and secrets: nothing weak goes into production, nothing readable is left about."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr, ValidationError

from service.keys import key_id_of, keys_of_seals, load_keys
from service.settings import Settings

PEM = SecretStr("-----BEGIN PRIVATE KEY-----")
LONG = SecretStr("x" * 32)


@pytest.mark.parametrize(
    "secrets",
    [
        {},
        {"pepper": LONG},
        {"signing_key": PEM},
        {"pepper": LONG, "signing_key": PEM},
        {"pepper": SecretStr("changethis"), "signing_key": PEM, "sealing_key": PEM},
        {"pepper": SecretStr("short"), "signing_key": PEM, "sealing_key": PEM},
        {"pepper": LONG, "signing_key": SecretStr(""), "sealing_key": PEM},
        {"pepper": LONG, "signing_key": PEM, "sealing_key": SecretStr("")},
    ],
)
def test_production_refuses_missing_and_weak_secrets(secrets: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="JUMPA_"):
        Settings(environment="production", **secrets)


def test_production_starts_with_real_secrets() -> None:
    settings = Settings(environment="production", pepper=LONG, signing_key=PEM, sealing_key=PEM)
    assert "x" * 32 not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "given", "expected"),
    [
        ("development", {}, (False, 10_000)),
        ("production", {}, (True, 100)),
        ("development", {"second_factor": "officers", "codes_per_address_hour": 7}, (True, 7)),
        ("production", {"second_factor": "off", "codes_per_address_hour": 7}, (False, 7)),
    ],
)
def test_production_is_stricter_unless_told_otherwise(
    environment: Any, given: dict[str, Any], expected: tuple[bool, int]
) -> None:
    secrets: dict[str, Any] = {"pepper": LONG, "signing_key": PEM, "sealing_key": PEM}
    settings = Settings(environment=environment, **secrets, **given)
    assert (settings.officers_prove, settings.most_codes_per_address) == expected


def test_sqlite_has_its_worker_inside() -> None:
    with pytest.raises(ValidationError, match="JUMPA_WORKER"):
        Settings(worker="apart")


def test_development_needs_no_secrets(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path).is_sqlite


def test_the_password_is_put_into_the_url() -> None:
    settings = Settings(
        database_url="postgresql://jumpa@db/jumpa", database_password=SecretStr("p@ss/w")
    )
    assert settings.database == "postgresql://jumpa:p%40ss%2Fw@db/jumpa"


def test_an_address_service_must_be_told_who_asks() -> None:
    with pytest.raises(ValidationError, match="USER_AGENT"):
        Settings(nominatim_url="http://127.0.0.1:1")


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first, second = load_keys(settings), load_keys(settings)
    assert first.pepper == second.pepper
    assert first.signing.private_bytes_raw() == second.signing.private_bytes_raw()
    assert first.sealing.private_bytes_raw() == second.sealing.private_bytes_raw()
    assert first.sealing.private_bytes_raw() != first.signing.private_bytes_raw()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert modes == {0o600}
    assert len(os.listdir(tmp_path / "keys")) == 3


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    one = load_keys(Settings(data_dir=tmp_path / "one"))
    other = load_keys(Settings(data_dir=tmp_path / "other"))
    assert one.pepper != other.pepper
    assert one.hash_of("code", "1") != other.hash_of("code", "1")
    assert one.hash_of("code", "1") != one.hash_of("refresh", "1")


def test_keys_that_sealed_before_stay_known(tmp_path: Path) -> None:
    old = load_keys(Settings(data_dir=tmp_path / "old")).sealing.public_key()
    pem = old.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    settings = Settings(data_dir=tmp_path / "new", sealing_keys_before=f"{pem}\n{pem}")
    assert list(keys_of_seals(settings)) == [key_id_of(old)]
    assert not (tmp_path / "new").exists()
    keys = load_keys(settings)
    assert list(keys.of_seals) == [key_id_of(keys.sealing.public_key()), key_id_of(old)]
    assert keys_of_seals(settings).keys() == keys.of_seals.keys()
    with pytest.raises(ValueError, match="public keys"):
        load_keys(Settings(data_dir=tmp_path, sealing_keys_before="not a key"))


@pytest.mark.parametrize(("value", "path"), [("", None), ("/run/x.toml", Path("/run/x.toml"))])
def test_no_file_of_gateways_is_none(
    monkeypatch: pytest.MonkeyPatch, value: str, path: Path | None
) -> None:
    monkeypatch.setenv("JUMPA_GATEWAYS", value)
    assert Settings().gateways == path
