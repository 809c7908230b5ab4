"""The command line does what it says, refuses in a sentence, and answers with an exit code."""

import os
import re
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from models.ledger import triggers
from service.cli.commands import name_as_called
from service.cli.naming import in_examples
from service.database import schema
from tests.service.commanding import jumpa, only_setting, ready


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return only_setting(monkeypatch, tmp_path / "data")


def test_every_command_teaches_with_an_example() -> None:
    for command in (
        "start",
        "serve",
        "worker",
        "migrate",
        "seed",
        "verify",
        "verify-receipt",
        "doctor",
        "version",
    ):
        assert re.search(rf"Example: .*jumpa {command}", jumpa(command, "--help").output)
    for group, command in (
        ("bank", "create"),
        ("member", "add"),
        ("person", "reset-second-factor"),
        ("price", "import"),
        ("demo", "day"),
    ):
        assert f"Example: jumpa {group} {command}" in jumpa(group, command, "--help").output


def test_what_is_advised_can_be_typed_as_the_program_was_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert jumpa("migrate").exit_code == 0
    monkeypatch.setenv("JUMPA_COMMAND", "python3 run.py")
    opened = jumpa("bank", "create", "--name", "Bank Melati", "--lat", "3.5", "--lon", "98.6")
    assert "Now its prices: python3 run.py price import" in opened.output
    monkeypatch.setenv("JUMPA_DATABASE_URL", f"sqlite:///{os.environ['JUMPA_DATA_DIR']}/new.db")
    assert "`python3 run.py migrate` makes a new one" in jumpa("verify").output
    assert "python3 run.py start" in in_examples("JUMPA_PORT=1 jumpa start")
    assert in_examples("postgresql://jumpa@db/jumpa jumpa worker").endswith(
        "@db/jumpa python3 run.py worker"
    )


def test_every_help_text_calls_the_program_as_it_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = ("route show", "roads calibrate", "breach open", "bank create")
    with monkeypatch.context() as called:
        called.setenv("JUMPA_COMMAND", "python3 run.py")
        name_as_called()
        shown = {command: jumpa(*command.split(), "--help").output for command in commands}
    name_as_called()
    for command, told in shown.items():
        assert f"Example: python3 run.py {command}" in told


def test_version() -> None:
    assert jumpa("version").output.startswith("Jumpa Madu 0.")


def test_a_fresh_database_can_be_migrated_seeded_and_verified_twice() -> None:
    for _ in range(2):
        ready(demo=True)
        verified = jumpa("verify")
        assert verified.exit_code == 0
        assert "4 banks" in verified.output
        assert "everything adds up" in verified.output


def test_the_data_folder_is_for_its_owner_only(folder: Path) -> None:
    ready()
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("command", ["serve", "seed", "verify"])
def test_a_database_without_a_schema_is_refused(folder: Path, command: str) -> None:
    folder.mkdir()
    (folder / "jumpa.db").touch()
    refused = jumpa(command)
    assert refused.exit_code == 2
    assert "Run `jumpa migrate` first" in refused.output


@pytest.mark.parametrize(
    "command",
    [
        ("seed",),
        ("verify",),
        ("accounts", "--bank", "Melati"),
        ("bank", "create", "--name", "Melati", "--lat", "3.5", "--lon", "98.6"),
        ("member", "add", "0812-6000-9999", "--bank", "Melati", "--role", "city"),
        ("route", "show", str(UUID(int=1))),
        ("roads", "calibrate", "--bank", "Melati"),
    ],
    ids=" ".join,
)
def test_no_command_makes_a_database_where_there_is_none(
    folder: Path, command: tuple[str, ...]
) -> None:
    refused = jumpa(*command)
    assert refused.exit_code == 2
    assert f"There is no database {folder / 'jumpa.db'}." in refused.output
    assert "JUMPA_DATA_DIR" in refused.output
    assert not folder.exists()


def test_settings_that_will_not_do_are_told_without_their_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUMPA_PORT", "70000")
    monkeypatch.setenv("JUMPA_ACCESS_TOKEN_S", "a-secret-in-the-wrong-place")
    refused = jumpa("serve")
    assert refused.exit_code == 2
    assert "JUMPA_PORT" in refused.output
    assert "JUMPA_ACCESS_TOKEN_S" in refused.output
    assert "a-secret" not in refused.output


def test_production_without_secrets_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUMPA_ENVIRONMENT", "production")
    refused = jumpa("start")
    assert refused.exit_code == 2
    assert "JUMPA_PEPPER" in refused.output


def test_a_worker_beside_sqlite_is_refused() -> None:
    ready()
    refused = jumpa("worker")
    assert refused.exit_code == 2
    assert "server does this work itself" in refused.output


def test_a_database_that_can_not_be_reached_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUMPA_DATABASE_URL", "postgresql://nobody:hush@127.0.0.1:1/none")
    refused = jumpa("verify")
    assert refused.exit_code == 2
    assert refused.output.startswith("The database says no")
    assert "hush" not in refused.output


def test_verify_finds_a_counter_that_was_changed_behind_the_ledger(folder: Path) -> None:
    ready(demo=True)
    engine = schema.sync_engine(f"sqlite:///{folder / 'jumpa.db'}")
    with engine.begin() as connection:
        triggers.remove(connection)
        connection.execute(text("UPDATE ledger_balance SET debits_posted = 7, version = 1"))
        triggers.install(connection)
    engine.dispose()
    found = jumpa("verify")
    assert found.exit_code == 1
    assert "findings" in found.output


def test_doctor_is_content_with_a_prepared_installation() -> None:
    ready()
    looked = jumpa("doctor")
    assert looked.exit_code == 0, looked.output
    assert "fail" not in looked.output
    assert re.search(r"ok +materials +43", looked.output)
    assert "Enter some: jumpa bank create" in looked.output


def test_doctor_changes_nothing_where_there_is_nothing(folder: Path) -> None:
    looked = jumpa("doctor")
    assert looked.exit_code == 0
    assert "a start makes it" in looked.output
    assert not folder.exists()


def test_doctor_fails_keys_that_others_can_read_and_altered_triggers(folder: Path) -> None:
    ready()
    (folder / "keys").mkdir()
    (folder / "keys" / "pepper").write_text("0" * 64)
    (folder / "keys" / "pepper").chmod(0o644)
    engine = schema.sync_engine(f"sqlite:///{folder / 'jumpa.db'}")
    with engine.begin() as connection:
        triggers.remove(connection)
    engine.dispose()
    looked = jumpa("doctor")
    assert looked.exit_code == 1
    assert "chmod 600" in looked.output
    assert "fail  triggers" in looked.output


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"JUMPA_WORKER": "apart"}, "unset JUMPA_WORKER"),
        ({"JUMPA_WHATSAPP_URL": "https://graph.example"}, "JUMPA_WHATSAPP_TOKEN"),
        ({"JUMPA_PORT": "x"}, "JUMPA_PORT"),
        ({"JUMPA_OIDC": "/nowhere/issuers.toml"}, "No such file"),
        ({"JUMPA_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "can't be used"),
    ],
)
def test_doctor_fails_settings_that_do_not_go_together(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], words: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    looked = jumpa("doctor")
    assert looked.exit_code == 1
    assert words in looked.output
