"""Replay finds every fault that is planted behind the triggers' back, and names the row."""

from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from models.base import new_id, utc_now
from models.ledger import TransferKind, triggers
from service import ledger
from service.database import Database
from service.ledger import Draft, Movement, chart
from service.ledger.verify import _is_below
from tests.factories import Town, make_town

AMOUNT = "its amount is not its transfer's"
HISTORY = "its counters are not its history"
BALANCE = "its running balance is wrong"
PENDING = "its running hold is wrong"
SUMS = "sums to {} posted, {} pending, not 0"


@pytest.fixture
async def books(town: Town) -> dict[str, Any]:
    """A town whose resident was credited, held, partly paid, and holds again; ids by name."""
    available = chart.available(town.resident.id)

    async def post(kind: TransferKind, amount: int, held: UUID | None = None) -> UUID:
        sides = (available, chart.SUSPENSE)
        if kind == TransferKind.POST:
            sides = (chart.PURCHASES, available)
        move = Movement(f"test:{uuid4()}", *sides, amount, kind, held)
        async with town.database.transaction() as session:
            (posted,) = await ledger.post(
                session, town.bank_id, Draft("test", [move], event_at=utc_now())
            )
        return posted

    credited = await post(TransferKind.POST, 1_000)
    held = await post(TransferKind.HOLD, 400)
    settled = await post(TransferKind.SETTLE, 300, held)
    waiting = await post(TransferKind.HOLD, 100)
    return {
        "bank_id": town.bank_id,
        "account": available.id_in(town.bank_id),
        "other": chart.CASH.id_in(town.bank_id),
        "credited": credited,
        "held": held,
        "settled": settled,
        "waiting": waiting,
        "nobody": new_id(),
    }


_ROW = "bank_id = :bank_id AND account_id = :account AND shard = 0"
_COUNTER = f"UPDATE ledger_balance SET {{0}} = {{0}} + {{1}} WHERE {_ROW}"
_ENTRY = f"UPDATE ledger_entry SET {{0}} WHERE {_ROW} AND version = {{1}}"
_TRANSFER = "UPDATE ledger_transfer SET {0} WHERE bank_id = :bank_id AND id = :{1}"

FAULTS: dict[str, tuple[list[str], list[str]]] = {
    "debits posted": (
        [_COUNTER.format("debits_posted", 1)],
        [HISTORY, SUMS.format(1, 0)],
    ),
    "credits posted": (
        [_COUNTER.format("credits_posted", 1)],
        [HISTORY, SUMS.format(-1, 0)],
    ),
    "debits pending": (
        [_COUNTER.format("debits_pending", 1)],
        [HISTORY, SUMS.format(0, 1)],
    ),
    "credits pending": (
        [_COUNTER.format("credits_pending", 1)],
        [HISTORY, SUMS.format(0, -1)],
    ),
    "version": ([_COUNTER.format("version", 1)], [HISTORY]),
    "amount of an entry": (
        [_ENTRY.format("amount = 999", 1)],
        [AMOUNT],
    ),
    "running balance": ([_ENTRY.format("balance_after = 999", 1)], [BALANCE]),
    "running hold": ([_ENTRY.format("pending_after = -399", 2)], [PENDING]),
    "all running balances": (
        [f"UPDATE ledger_entry SET balance_after = balance_after + 1 WHERE {_ROW}"],
        [BALANCE] * 4,
    ),
    "version of an entry": (
        [_ENTRY.format("version = 9", 4)],
        ["there is a gap in its versions"],
    ),
    "shard of an entry": (
        [_ENTRY.format("shard = 5", 4)],
        [
            "its transfer is between other accounts",
            HISTORY,
            "has entries but no counters",
            "has 1 entries of its own, not 2",
        ],
    ),
    "account of an entry": (
        [_ENTRY.format("account_id = :other", 4)],
        [
            "its transfer is between other accounts",
            HISTORY,
            HISTORY,
            "has 1 entries of its own, not 2",
        ],
    ),
    "transfer of an entry": (
        [_ENTRY.format("transfer_id = :waiting", 2)],
        [
            PENDING,
            PENDING,
            PENDING,
            HISTORY,
            "has 1 entries of its own, not 2",
            "has 3 entries of its own, not 2",
        ],
    ),
    "a missing entry": (
        [f"DELETE FROM ledger_entry WHERE {_ROW} AND version = 4"],
        [HISTORY, "has 1 entries of its own, not 2"],
    ),
    "a missing entry in between": (
        [f"DELETE FROM ledger_entry WHERE {_ROW} AND version = 2"],
        [
            "there is a gap in its versions",
            PENDING,
            "there is a gap in its versions",
            PENDING,
            HISTORY,
            "has 1 entries of its own, not 2",
        ],
    ),
    "an entry too many": (
        [
            "INSERT INTO ledger_entry (bank_id, account_id, shard, version, transfer_id, amount,"
            " balance_after, pending_after) SELECT bank_id, account_id, shard, 5, transfer_id,"
            f" amount, balance_after, pending_after - 100 FROM ledger_entry WHERE {_ROW}"
            " AND version = 4"
        ],
        [HISTORY, "has 3 entries of its own, not 2"],
    ),
    "an entry of no transfer": (
        [_ENTRY.format("transfer_id = :nobody", 4)],
        ["its transfer is missing", HISTORY, "has 1 entries of its own, not 2"],
    ),
    "no counters": (
        [f"DELETE FROM ledger_balance WHERE {_ROW}"],
        [
            "has entries but no counters",
            "has 0 rows of counters, not 1",
            SUMS.format(700, -100),
        ],
    ),
    "amount of a transfer": (
        [_TRANSFER.format("amount = 1001", "credited")],
        [*[AMOUNT] * 2, *[BALANCE] * 5, *[HISTORY] * 2],
    ),
    "a hold that was posted": (
        [_TRANSFER.format("kind = 'post'", "waiting")],
        [AMOUNT, BALANCE, PENDING, HISTORY] * 2,
    ),
    "a settled hold that is voided": (
        [_TRANSFER.format("kind = 'void'", "settled")],
        [*[AMOUNT] * 2, *[BALANCE] * 4, *[HISTORY] * 2, "does not fit its hold"],
    ),
    "a resolution of no hold": (
        [_TRANSFER.format("pending_id = :credited", "settled")],
        [*[PENDING] * 4, *[HISTORY] * 2, "does not fit its hold"],
    ),
    "another floor": (
        [
            "UPDATE ledger_account SET floor = 'debit' WHERE bank_id = :bank_id AND id = :account",
        ],
        ["its floor is not its account's", "is or was below its floor"],
    ),
    "a page that is not there": (
        [
            "UPDATE ledger_journal SET page = 7 WHERE bank_id = :bank_id AND id = (SELECT journal_id"
            " FROM ledger_transfer WHERE bank_id = :bank_id AND id = :credited)"
        ],
        ["stands on a page that is not there"],
    ),
}


async def test_a_sound_ledger_has_no_findings(town: Town, books: dict[str, Any]) -> None:
    result = await verified(town)
    assert result.findings == []
    assert (result.banks, result.transfers, result.entries, result.accounts) == (1, 4, 8, 6)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_found(town: Town, books: dict[str, Any], fault: str) -> None:
    statements, problems = FAULTS[fault]
    await behind_the_triggers(town.database, statements, books)
    findings = (await verified(town)).findings
    assert sorted(finding.problem for finding in findings) == sorted(problems), findings


async def test_the_entry_is_named(town: Town, books: dict[str, Any]) -> None:
    fault = [_ENTRY.format("balance_after = 999", 2)]
    await behind_the_triggers(town.database, fault, books)
    (finding,) = (await verified(town)).findings
    account = books["account"].hex if town.database.is_sqlite else books["account"]
    assert finding == (town.bank_id, f"entry {account}/0/2", BALANCE)


async def test_the_transfer_is_named(town: Town, books: dict[str, Any]) -> None:
    fault = [_ENTRY.format("transfer_id = :waiting", 2)]
    await behind_the_triggers(town.database, fault, books)
    subjects = {finding.subject for finding in (await verified(town)).findings}
    for name in ("held", "waiting"):
        held = books[name].hex if town.database.is_sqlite else books[name]
        assert f"transfer {held}" in subjects


@pytest.mark.parametrize("problem", [HISTORY, "its floor is not its account's"])
async def test_the_account_is_named(town: Town, books: dict[str, Any], problem: str) -> None:
    fault = _COUNTER.format("version", 1)
    if problem != HISTORY:
        fault = f"UPDATE ledger_balance SET floor = 'none' WHERE {_ROW}"
    await behind_the_triggers(town.database, [fault], books)
    account = books["account"].hex if town.database.is_sqlite else books["account"]
    found = [(each.subject, each.problem) for each in (await verified(town)).findings]
    assert (f"account {account}/0", problem) in found


async def test_the_figures_are_of_all_banks(town: Town, books: dict[str, Any]) -> None:
    other = await make_town(town.database)
    async with town.database.transaction() as session:
        move = Movement("once", chart.PURCHASES, chart.available(other.resident.id), 5)
        await ledger.post(session, other.bank_id, Draft("test", [move], event_at=utc_now()))
    async with town.database.reading() as session:
        result = await ledger.verify(session, [town.bank_id, other.bank_id])
    assert (result.banks, result.transfers, result.entries) == (2, 5, 10)
    assert result.accounts == 6 + 5


async def test_the_replay_sees_one_moment(town: Town, books: dict[str, Any]) -> None:
    """What is posted while it runs is no finding, and is not counted."""
    async with town.database.reading() as session:
        first = await ledger.verify(session, [town.bank_id])
        move = Movement(f"test:{uuid4()}", chart.PURCHASES, chart.available(town.resident.id), 5)
        async with town.database.transaction() as other:
            await ledger.post(other, town.bank_id, Draft("test", [move], event_at=utc_now()))
        seen = await (await session.connection()).execute(
            text("SELECT count(*) FROM ledger_transfer WHERE bank_id = :bank_id"),
            {"bank_id": town.bank_id.hex if town.database.is_sqlite else town.bank_id},
        )
        assert seen.scalar_one() == first.transfers == 4
    assert (await verified(town)).transfers == 5


async def verified(town: Town) -> ledger.Verified:
    async with town.database.reading() as session:
        return await ledger.verify(session, [town.bank_id])


async def behind_the_triggers(
    database: Database, statements: list[str], books: dict[str, Any]
) -> None:
    """Run statements that the triggers would refuse, as somebody with all rights could."""
    bound = {name: value.hex if database.is_sqlite else value for name, value in books.items()}

    def run(connection: Connection) -> None:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            triggers.remove(connection)
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        for statement in statements:
            query = text(statement)
            wanted = {name: bound[name] for name in query.compile().params}
            assert connection.execute(query, wanted).rowcount > 0
        if database.is_sqlite:
            triggers.install(connection)

    async with database.transaction() as session:
        connection = await session.connection()
        await connection.run_sync(run)


BELOW = [
    # floor, debits, credits, debits held, credits held, lowest and highest balance, below?
    ("credit", 100, 100, 0, 0, (0, 100), False),
    ("credit", 101, 100, 0, 0, (0, 100), True),
    ("credit", 60, 100, 40, 0, (0, 100), False),
    ("credit", 60, 100, 41, 0, (0, 100), True),
    ("credit", 0, 100, 0, 0, (-1, 100), True),
    ("credit", 0, 0, 0, 0, None, False),
    ("debit", 100, 100, 0, 0, (-100, 0), False),
    ("debit", 100, 101, 0, 0, (-100, 0), True),
    ("debit", 100, 60, 0, 40, (-100, 0), False),
    ("debit", 100, 60, 0, 41, (-100, 0), True),
    ("debit", 100, 0, 0, 0, (-100, 1), True),
    ("debit", 100, 0, 0, 0, None, False),
    ("credit", 0, 100, 0, 0, None, False),
    ("none", 500, 0, 9, 0, (-500, 500), False),
]


@pytest.mark.parametrize("case", BELOW)
def test_an_account_with_a_floor_was_never_below_it(case: tuple[Any, ...]) -> None:
    floor, debits, credits_, debits_held, credits_held, ever, below = case
    counters = SimpleNamespace(
        wanted=floor,
        debits_posted=debits,
        credits_posted=credits_,
        debits_pending=debits_held,
        credits_pending=credits_held,
    )
    history = SimpleNamespace(lowest=ever[0], highest=ever[1]) if ever else None
    assert _is_below(cast(Any, counters), cast(Any, history)) is below
