"""`jumpa accounts` shows the chart, and what it holds at a bank."""

from pathlib import Path

import pytest
from sqlalchemy import text

from models.ledger import triggers
from service.cli import accounts
from service.database import schema
from service.ledger import AccountTotals
from service.ledger.chart import KINDS
from tests.service.commanding import jumpa, only_setting, ready

BANK = "BSI BERSERI Lubuk Pakam"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = only_setting(monkeypatch, tmp_path / "data")
    monkeypatch.setenv("COLUMNS", "200")
    return folder


def test_the_chart_needs_no_database(folder: Path) -> None:
    shown = jumpa("accounts")
    assert shown.exit_code == 0
    for kind in KINDS.values():
        assert kind.name in shown.output
        assert kind.english in shown.output
        assert kind.indonesian in shown.output
    assert not folder.exists()


def test_a_banks_accounts_are_counted_and_sum_to_zero() -> None:
    ready(demo=True)
    shown = jumpa("accounts", "--bank", BANK)
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(BANK)
    (cash,) = [line for line in shown.output.splitlines() if line.startswith("cash ")]
    assert cash.split()[1:4] == ["rupiah", "1", "0"]
    assert "each sums to 0" in shown.output


def test_no_figure_and_no_word_is_cut_where_there_is_little_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    held = AccountTotals("cash:main", "IDR", 1_550_000_000, 0)
    for into_a_terminal in ("1", ""):
        monkeypatch.setenv("FORCE_COLOR", into_a_terminal)
        accounts._print(accounts._held([held]))
        shown = capsys.readouterr().out
        assert "1,550,000,000" in shown
        assert "…" not in shown
        assert all(kind.name in shown for kind in KINDS.values())
    assert len(shown.splitlines()) == 1 + len(KINDS)


def test_books_that_do_not_balance_are_found(folder: Path) -> None:
    ready(demo=True)
    engine = schema.sync_engine(f"sqlite:///{folder / 'jumpa.db'}")
    with engine.begin() as connection:
        triggers.remove(connection)
        connection.execute(
            text(
                "UPDATE ledger_balance SET debits_posted = 7 WHERE bank_id IN"
                " (SELECT id FROM bank WHERE name = :name) AND account_id IN"
                " (SELECT id FROM ledger_account WHERE code = 'cash:main')"
            ),
            {"name": BANK},
        )
        triggers.install(connection)
    engine.dispose()
    shown = jumpa("accounts", "--bank", BANK)
    assert shown.exit_code == 1
    assert "IDR sums to 7, not 0." in shown.output


def test_an_unknown_bank_is_told_in_a_sentence() -> None:
    ready(demo=True)
    refused = jumpa("accounts", "--bank", "Bank Antah Berantah")
    assert refused.exit_code == 2
    assert BANK in refused.output


def test_it_teaches_with_an_example() -> None:
    assert "Example: jumpa accounts" in jumpa("accounts", "--help").output
