"""The ledger's triggers for SQLite, and those that guard payouts, counts and the audit.

SQLite can't tell a trigger's own statement from one that came from outside. So the
guards work out what the newest transfer means for a row, and refuse all else: after a
transfer both its entries stand, and then nothing fits any more.
"""

from models import audit_guard, payout_guard
from models.ledger.names import APPEND_ONLY, opens_again

_NEVER = "SELECT RAISE(ABORT, 'ledger: what is written stays')"
_LAST = "(SELECT max(rowid) FROM ledger_transfer)"
_OPEN_PAGE = "(SELECT max(p.number) FROM ledger_page p WHERE p.bank_id = NEW.bank_id)"
_LAST_DAY = (
    "(SELECT p.day FROM ledger_page p WHERE p.bank_id = NEW.bank_id ORDER BY p.number DESC LIMIT 1)"
)
_HELD = (
    "(SELECT h.amount FROM ledger_transfer h"
    " WHERE h.bank_id = {row}.bank_id AND h.id = {row}.pending_id)"
)


def _posted(row: str) -> str:
    return f"CASE WHEN {row}.kind IN ('post', 'settle') THEN {row}.amount ELSE 0 END"


def _pending(row: str) -> str:
    held = _HELD.format(row=row)
    return f"CASE {row}.kind WHEN 'post' THEN 0 WHEN 'hold' THEN {row}.amount ELSE -{held} END"


def _move(side: str) -> str:
    """Statements that move one side's counters and write its entry."""
    here = (
        f"bank_id = NEW.bank_id AND account_id = NEW.{side}_account_id AND shard = NEW.{side}_shard"
    )
    sign = "-" if side == "debit" else ""
    return f"""
  UPDATE ledger_balance
     SET {side}s_posted = {side}s_posted + {_posted("NEW")},
         {side}s_pending = {side}s_pending + {_pending("NEW")},
         version = version + 1
   WHERE {here};
  SELECT RAISE(ABORT, 'ledger: no such account') WHERE changes() = 0;
  INSERT INTO ledger_entry (bank_id, account_id, shard, version, transfer_id,
                            amount, balance_after, pending_after)
  SELECT bank_id, account_id, shard, version, NEW.id, {sign}({_posted("NEW")}),
         credits_posted - debits_posted, credits_pending - debits_pending
    FROM ledger_balance WHERE {here};"""


def _implied(side: str) -> str:
    """Whether the newest transfer, not yet entered for this row, asks for this change."""
    other = "credit" if side == "debit" else "debit"
    return f"""(t.{side}_account_id = NEW.account_id AND t.{side}_shard = NEW.shard
             AND NEW.{side}s_posted = OLD.{side}s_posted + {_posted("t")}
             AND NEW.{side}s_pending = OLD.{side}s_pending + {_pending("t")}
             AND NEW.{other}s_posted = OLD.{other}s_posted
             AND NEW.{other}s_pending = OLD.{other}s_pending)"""


def _refuse(name: str, event: str, table: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {event} ON {table} BEGIN {_NEVER}; END"


TRIGGERS: dict[str, str] = {
    "ledger_transfer_resolves": """CREATE TRIGGER ledger_transfer_resolves
BEFORE INSERT ON ledger_transfer WHEN NEW.pending_id IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'ledger: does not fit its hold') WHERE NOT EXISTS (
    SELECT 1 FROM ledger_transfer h
     WHERE h.bank_id = NEW.bank_id AND h.id = NEW.pending_id AND h.kind = 'hold'
       AND h.debit_account_id = NEW.debit_account_id AND h.debit_shard = NEW.debit_shard
       AND h.credit_account_id = NEW.credit_account_id AND h.credit_shard = NEW.credit_shard
       AND h.unit = NEW.unit
       AND (NEW.amount = h.amount OR (NEW.kind = 'settle' AND NEW.amount < h.amount)));
END""",
    "ledger_transfer_apply": f"""CREATE TRIGGER ledger_transfer_apply
AFTER INSERT ON ledger_transfer BEGIN{_move("debit")}{_move("credit")}
END""",
    "ledger_journal_page": f"""CREATE TRIGGER ledger_journal_page
BEFORE INSERT ON ledger_journal BEGIN
  SELECT RAISE(ABORT, 'ledger: that page is not open') WHERE NEW.page IS NOT {_OPEN_PAGE};
END""",
    "ledger_transfer_page": f"""CREATE TRIGGER ledger_transfer_page
BEFORE INSERT ON ledger_transfer BEGIN
  SELECT RAISE(ABORT, 'ledger: that page is closed') WHERE NOT EXISTS (
    SELECT 1 FROM ledger_journal j
     WHERE j.bank_id = NEW.bank_id AND j.id = NEW.journal_id AND j.page = {_OPEN_PAGE});
END""",
    "ledger_page_turn": f"""CREATE TRIGGER ledger_page_turn
BEFORE INSERT ON ledger_page BEGIN
  SELECT RAISE(ABORT, 'ledger: pages follow one another') WHERE
    NEW.number <> coalesce({_OPEN_PAGE}, 0) + 1
    OR (NEW.day < {_LAST_DAY} AND NOT {opens_again("NEW")});
END""",
    "ledger_account_open": """CREATE TRIGGER ledger_account_open
AFTER INSERT ON ledger_account BEGIN
  INSERT INTO ledger_balance (bank_id, account_id, shard, floor, debits_posted,
                              credits_posted, debits_pending, credits_pending, version)
  SELECT NEW.bank_id, NEW.id, value, NEW.floor, 0, 0, 0, 0, 0
    FROM json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]') WHERE value < NEW.shards;
END""",
    "ledger_balance_insert": """CREATE TRIGGER ledger_balance_insert
BEFORE INSERT ON ledger_balance BEGIN
  SELECT RAISE(ABORT, 'ledger: an account opens empty') WHERE
    NEW.version <> 0 OR NEW.debits_posted <> 0 OR NEW.credits_posted <> 0
    OR NEW.debits_pending <> 0 OR NEW.credits_pending <> 0
    OR NOT EXISTS (SELECT 1 FROM ledger_account a
                    WHERE a.bank_id = NEW.bank_id AND a.id = NEW.account_id
                      AND a.floor = NEW.floor AND NEW.shard BETWEEN 0 AND a.shards - 1);
END""",
    "ledger_balance_update": f"""CREATE TRIGGER ledger_balance_update
BEFORE UPDATE ON ledger_balance BEGIN
  SELECT RAISE(ABORT, 'ledger: only a transfer moves a balance') WHERE
    NEW.bank_id IS NOT OLD.bank_id OR NEW.account_id IS NOT OLD.account_id
    OR NEW.shard IS NOT OLD.shard OR NEW.floor IS NOT OLD.floor
    OR NEW.version IS NOT OLD.version + 1
    OR NOT EXISTS (
      SELECT 1 FROM ledger_transfer t
       WHERE t.rowid = {_LAST} AND t.bank_id = NEW.bank_id
         AND ({_implied("debit")}
           OR {_implied("credit")})
         AND NOT EXISTS (SELECT 1 FROM ledger_entry e
                          WHERE e.bank_id = OLD.bank_id AND e.account_id = OLD.account_id
                            AND e.shard = OLD.shard AND e.version = OLD.version
                            AND e.transfer_id = t.id));
END""",
    "ledger_entry_insert": f"""CREATE TRIGGER ledger_entry_insert
BEFORE INSERT ON ledger_entry BEGIN
  SELECT RAISE(ABORT, 'ledger: only a transfer writes an entry') WHERE NOT EXISTS (
    SELECT 1 FROM ledger_transfer t, ledger_balance b
     WHERE t.rowid = {_LAST} AND t.bank_id = NEW.bank_id AND t.id = NEW.transfer_id
       AND b.bank_id = NEW.bank_id AND b.account_id = NEW.account_id AND b.shard = NEW.shard
       AND b.version = NEW.version
       AND b.credits_posted - b.debits_posted = NEW.balance_after
       AND b.credits_pending - b.debits_pending = NEW.pending_after
       AND (NEW.amount = -({_posted("t")}) AND t.debit_account_id = NEW.account_id
         OR NEW.amount = {_posted("t")} AND t.credit_account_id = NEW.account_id));
END""",
}
# INSERT OR REPLACE removes the row in its way without a word to DELETE triggers.
_KEYS = {
    "ledger_journal": {"id": "bank_id, id"},
    "ledger_account": {"id": "bank_id, id"},
    "ledger_balance": {"id": "bank_id, account_id, shard"},
    "ledger_transfer": {
        "id": "bank_id, id",
        "key": "bank_id, key",
        "pending_id": "bank_id, pending_id",
    },
    "ledger_entry": {"id": "bank_id, account_id, shard, version"},
    "ledger_page": {"id": "bank_id, number"},
    "ledger_seal": {"id": "bank_id, page"},
    "ledger_day": {"id": "bank_id, day, version"},
    "ledger_day_seal": {"id": "bank_id, day, version"},
    "ledger_reopening": {"id": "bank_id, day, version"},
    "drawer_count": {"id": "bank_id, id"},
    "stock_count": {"id": "bank_id, id"},
}


def _refuse_replacing(table: str) -> str:
    checks = "".join(
        f"\n  SELECT RAISE(ABORT, 'ledger: already there: {table}.{name}')"
        f" WHERE EXISTS (SELECT 1 FROM {table} t WHERE "
        + " AND ".join(f"t.{column} = NEW.{column}" for column in columns.split(", "))
        + ");"
        for name, columns in _KEYS[table].items()
    )
    return f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} BEGIN{checks}\nEND"


for _table in _KEYS:
    TRIGGERS[f"{_table}_once"] = _refuse_replacing(_table)
for _table in APPEND_ONLY:
    for _event in ("update", "delete"):
        _name = f"{_table}_{_event}"
        TRIGGERS[_name] = _refuse(_name, _event.upper(), _table)
TRIGGERS["ledger_balance_delete"] = _refuse("ledger_balance_delete", "DELETE", "ledger_balance")
TRIGGERS |= payout_guard.SQLITE | audit_guard.SQLITE
