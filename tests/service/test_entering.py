"""Banks, their people and their prices are entered from the command line, whole or not at all."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from service.database import schema
from service.demo.town import BANKS
from tests import migrated
from tests.service.commanding import jumpa, only_setting, ready

HEADER = "material,condition,channel,price_idr\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return only_setting(monkeypatch, tmp_path / "data")


def price_file(folder: Path, *rows: str) -> str:
    path = folder / "prices.csv"
    path.write_text(HEADER + "\n".join(rows))
    return str(path)


def test_a_bank_is_opened_and_gets_its_prices(folder: Path) -> None:
    ready()
    officers = ["--treasurer", "0812-6000-1234", "--operator", "0812-6000-5678"]
    place = ["--lat", "3.59", "--lon", "98.67", "--district", "12.71.05"]
    rules = ["--settlement", "bagi_hasil"]
    opened = jumpa("bank", "create", "--name", "Bank Sampah Melati", *place, *officers, *rules)
    assert opened.exit_code == 0, opened.output
    engine = schema.sync_engine(f"sqlite:///{folder / 'jumpa.db'}")
    with engine.connect() as connection:
        query = "SELECT settlement FROM policy WHERE bank_id IS NOT NULL"
        assert connection.execute(text(query)).scalars().all() == ["bagi_hasil"]
    engine.dispose()
    path = price_file(folder, "HVS,clean,pickup,Rp1.500", "TMBG,clean,pickup,")
    entered = jumpa("price", "import", path, "--bank", "bank sampah melati", "--yes")
    assert entered.exit_code == 0, entered.output
    assert "not bought" in entered.output
    path = price_file(folder, "HVS,clean,pickup,1600", "HVS,,dropoff,")
    again = jumpa("price", "import", path, "--bank", "Bank Sampah Melati", answer="n\n")
    assert again.exit_code == 1
    assert "1.500" in again.output, "the price before"
    assert "1.600" in again.output
    assert "from (Asia/Jakarta)" in again.output
    assert "unchanged: 1" in again.output
    unattended = jumpa("price", "import", path, "--bank", "Bank Sampah Melati")
    assert (unattended.exit_code, "Add --yes." in unattended.output) == (2, True)


def test_prices_that_are_in_force_when_they_would_begin_are_left_out(folder: Path) -> None:
    ready(demo=True)
    bank = ("--bank", BANKS[0].name, "--yes")
    header = HEADER.replace("\n", ",valid_from\n")
    path = folder / "prices.csv"
    path.write_text(f"{header}HVS,,pickup,1,2027-01-01\nHVS,,pickup,1445,2027-02-01")
    asked = jumpa("price", "import", str(path), *bank)
    assert (asked.exit_code, "unusual: 2" in asked.output, "? 1.445" in asked.output) == (
        2,
        True,
        True,
    )
    assert "add --unusual-confirmed" in asked.output
    assert (
        "Prices entered for BSI BERSERI Lubuk Pakam: 2."
        in jumpa("price", "import", str(path), *bank, "--unusual-confirmed").output
    ), "the second ends the first"
    again = jumpa("price", "import", str(path), *bank)
    assert again.exit_code == 0
    assert "has all these prices already; unchanged: 2." in again.output


def test_a_database_without_materials_names_the_command_that_enters_them(folder: Path) -> None:
    migrated.file_at(folder / "jumpa.db")
    place = ["--lat", "3.59", "--lon", "98.67"]
    refused = jumpa("bank", "create", "--name", "B", *place, "--district", "12.71.05")
    assert (refused.exit_code, "`jumpa seed`" in refused.output) == (2, True)
    assert jumpa("bank", "create", "--name", "B", *place).exit_code == 0
    path = price_file(folder, "HVS,clean,pickup,1500")
    refused = jumpa("price", "import", path, "--bank", "B", "--yes")
    assert (refused.exit_code, "`jumpa seed`" in refused.output) == (2, True)
    assert "Enter some: jumpa seed" in jumpa("doctor").output


def test_anybody_can_be_given_a_part_in_a_bank_once(folder: Path) -> None:
    ready(demo=True)
    bank = ("--bank", str(BANKS[1].id), "--role", "city")
    for name in ("Sari", "Sari", "Budi"):
        added = jumpa("member", "add", "0812-6000-9999", *bank, "--name", name)
        assert added.exit_code == 0, added.output
        assert f"{BANKS[1].name} has Sari, +6281260009999 as city." in added.output
    engine = schema.sync_engine(f"sqlite:///{folder / 'jumpa.db'}")
    with engine.connect() as connection:
        query = "SELECT role FROM membership JOIN person ON id = person_id WHERE name = 'Sari'"
        assert connection.execute(text(query)).scalars().all() == ["city"]
    engine.dispose()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["12", "--bank", BANKS[0].name, "--role", "city"], "12: This is not a"),
        (["0812-6000-9999", "--bank", "Nowhere", "--role", "city"], BANKS[1].name),
        (["0812-6000-9999", "--bank", BANKS[0].name, "--role", "mayor"], "mayor"),
        (
            ["0812-6000-9999", "--bank", BANKS[0].name, "--role", "city", "--name", "x" * 121],
            "at most 120 letters",
        ),
    ],
)
def test_a_member_that_can_not_be_is_refused(arguments: list[str], words: str) -> None:
    ready(demo=True)
    refused = jumpa("member", "add", *arguments)
    assert refused.exit_code == 2
    assert words in refused.output


@pytest.mark.parametrize(
    ("lat", "words"),
    [
        ("3,59", "like 3.59."),
        ("north", "like 3.56."),
        ("91", "not between"),
        ("nan", "not between"),
    ],
)
def test_a_position_that_is_none_is_told_plainly(lat: str, words: str) -> None:
    refused = jumpa("bank", "create", "--name", "B", "--lat", lat, "--lon", "98.6")
    assert refused.exit_code == 2
    assert words in re.sub(r"[\s│]+", " ", refused.output)


def test_prices_in_force_stay_if_one_new_price_is_refused(folder: Path) -> None:
    ready(demo=True)
    path = price_file(folder, "HVS,clean,pickup,1", "HVS,clean,truck,1")
    refused = jumpa("price", "import", path, "--bank", str(BANKS[0].id), "--yes")
    assert refused.exit_code == 2
    assert "line 3, channel: It must be pickup or dropoff." in refused.output
    shown = jumpa(
        "price", "import", price_file(folder, "HVS,clean,pickup,9"), "--bank", str(BANKS[0].id)
    )
    assert "1.445" in shown.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2020-01-01", "--yes"], "the past is never changed"),
        (["--from", "someday", "--yes"], "--from someday"),
    ],
)
def test_when_a_list_begins_must_be_possible(
    folder: Path, arguments: list[str], words: str
) -> None:
    ready(demo=True)
    path = price_file(folder, "HVS,clean,pickup,1500")
    refused = jumpa("price", "import", path, "--bank", BANKS[0].name, *arguments)
    assert refused.exit_code == 2
    assert words in refused.output


def test_an_unknown_bank_is_answered_with_those_that_there_are(folder: Path) -> None:
    ready(demo=True)
    path = price_file(folder, "HVS,clean,pickup,1500")
    refused = jumpa("price", "import", path, "--bank", "Nowhere", "--yes")
    assert refused.exit_code == 2
    assert BANKS[1].name in refused.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", BANKS[0].name], "already"),
        (["--name", ""], "A name is needed"),
        (["--name", " "], "A name is needed"),
        (["--name", "Melati\u202e"], "on one line"),
        (["--name", "B", "--district", "99.99.99"], "no district"),
        (["--name", "B", "--time-zone", "Mars/Base"], "no time zone"),
        (["--name", "B", "--time-zone", "../etc/passwd"], "no time zone"),
        (["--name", "B", "--treasurer", "12"], "12: This is not a"),
        (["--name", "B", "--city", "12"], "12: This is not a"),
        (["--name", "B", "--settlement", "kredit"], "bagi_hasil"),
    ],
)
def test_a_bank_that_can_not_be_is_refused_whole(arguments: list[str], words: str) -> None:
    ready(demo=True)
    refused = jumpa("bank", "create", "--lat", "3.5", "--lon", "98.6", *arguments)
    assert refused.exit_code == 2
    assert words in refused.output
    assert "4 banks" in jumpa("verify").output


def test_residents_of_a_book_before_are_taken_over(folder: Path) -> None:
    ready(demo=True)
    path = folder / "members.csv"
    path.write_text(
        "name,phone,balance_idr\nIbu Sari,0812-6000-7001,Rp125.500\nBudi,081260007002,\n"
    )
    command = ("member", "import", str(path), "--bank", BANKS[0].name)
    seen = jumpa(*command, answer="n\n")
    assert seen.exit_code == 1
    assert "Ibu Sari" in seen.output
    entered = jumpa(*command, "--yes")
    assert "new residents: 2, balances brought over: 1 (Rp125.500)" in entered.output
    assert "has all of them already; unchanged: 2." in jumpa(*command).output
    path.write_text("name,phone,balance_idr\nBudi [/b],081260007002,9000\n")
    doubtful = jumpa(*command, "--yes")
    assert (doubtful.exit_code, "add --doubtful-confirmed" in doubtful.output) == (2, True)
    assert "Budi [/b]" in doubtful.output
    assert "add --yes" in jumpa(*command).output.lower()
    assert jumpa(*command, "--yes", "--doubtful-confirmed").exit_code == 0
    path.write_text("name,phone,balance_idr\nIbu Sari,0812-6000-7001,Rp1.255.000\n,12,x\n")
    refused = jumpa(*command, "--yes")
    assert refused.exit_code == 2
    assert "line 3, phone: This is not a valid phone number." in refused.output
