"""On the command line: people are deleted, looked for, and told of what got out."""

from pathlib import Path

import pytest

from tests.service.commanding import jumpa, only_setting, ready

BANK = "Bank Sampah Melati"
PLACE = ("--lat", "3.59", "--lon", "98.67")
PHONE, OTHER = "+6281260001234", "+6281260005678"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with one bank, of which two people know."""
    only_setting(monkeypatch, tmp_path)
    ready()
    made = jumpa("bank", "create", "--name", BANK, *PLACE, "--treasurer", PHONE)
    assert made.exit_code == 0, made.output
    resident = (
        "member",
        "add",
        OTHER,
        "--bank",
        BANK,
        "--role",
        "resident",
        "--name",
        "Siti Aminah",
    )
    assert jumpa(*resident).exit_code == 0
    return tmp_path


def test_a_person_is_deleted_and_what_was_left_behind_is_found(data_dir: Path) -> None:
    log = data_dir / "server.log"
    log.write_text("called 0812-6000-5678, Siti  AMINAH\n")
    assert jumpa("privacy", "scan").exit_code == 0
    assert jumpa("person", "delete", OTHER, answer="n\n").exit_code == 1
    deleted = jumpa("person", "delete", OTHER, "--yes")
    assert deleted.exit_code == 0, deleted.output
    found = jumpa("privacy", "scan")
    assert found.exit_code == 1
    assert f"{log}, line 1: phone of" in found.output
    assert f"{log}, line 1: name of" in found.output
    assert "5678" not in found.output
    log.unlink()
    assert jumpa("privacy", "scan").exit_code == 0
    assert jumpa("verify").exit_code == 0
    again = jumpa("person", "delete", OTHER, "--yes")
    assert (again.exit_code, again.output.strip()) == (2, f"There is nobody {OTHER}.")
    last = jumpa("person", "delete", PHONE, "--yes")
    assert last.exit_code == 2
    assert "only treasurer" in last.output


def test_a_part_is_taken_away_and_the_last_treasurer_stays(data_dir: Path) -> None:
    added = jumpa("member", "add", OTHER, "--bank", BANK, "--role", "treasurer")
    assert added.exit_code == 0, added.output
    remove = ("member", "remove", OTHER, "--bank", BANK.lower(), "--role", "treasurer")
    assert jumpa(*remove, answer="n\n").exit_code == 1
    removed = jumpa(*remove, "--yes")
    assert removed.output == f"{BANK} no longer has Siti Aminah, {OTHER} as treasurer.\n"
    again = jumpa(*remove, "--yes")
    assert (again.exit_code, again.output.strip()) == (2, "There is no such treasurer.")
    last = jumpa("member", "remove", PHONE, "--bank", BANK, "--role", "treasurer", "--yes")
    assert last.exit_code == 2
    assert "member add PHONE" in " ".join(last.output.split())
    passbook = jumpa("member", "remove", OTHER, "--bank", BANK, "--role", "resident", "--yes")
    assert passbook.exit_code == 2
    assert jumpa("verify").exit_code == 0


def test_a_breach_is_overdue_until_everybody_was_told(data_dir: Path) -> None:
    assert "No breach was entered." in jumpa("breach", "list").output
    began = ("--known", "2026-01-01T08:00+07:00")
    opened = jumpa("breach", "open", "A list was lost", "--bank", BANK, *began)
    assert opened.exit_code == 0, opened.output
    assert "OVERDUE, told: nobody yet" in opened.output
    assert "1 are overdue" in jumpa("doctor").output
    number = opened.output.split()[0]
    for who in ("people", "authority"):
        told = jumpa("breach", "notify", number, "Kabar", "--bank", BANK, "--told", who)
        assert told.exit_code == 0, told.output
    assert "authority and people" in jumpa("breach", "list").output
    assert "none waits for its notice" in jumpa("doctor").output
    for wrong in ("yesterday", "2026-01-01T08:00"):
        refused = jumpa("breach", "open", "x", "--bank", BANK, "--known", wrong)
        assert refused.exit_code == 2
