"""The ledger's triggers for PostgreSQL.

Counters and entries may be written from inside a trigger only: pg_trigger_depth() is 0
for a statement that came from outside. Writers share a lock on their bank's book; turning
a page takes it alone, and so waits for those who are still writing.
"""

from models.ledger.names import APPEND_ONLY

_LOCK_OF_BOOK = "hashtextextended(of_bank::text, 4711)"

_OPEN_PAGE = f"""
DECLARE
  found integer;
BEGIN
  PERFORM pg_advisory_xact_lock_shared({_LOCK_OF_BOOK});
  -- A statement of its own, so that it sees what was committed while this one waited.
  SELECT max(number) INTO found FROM ledger_page WHERE bank_id = of_bank;
  RETURN found;
END
"""

_ON_PAGE = """
BEGIN
  NEW.page := ledger_open_page(NEW.bank_id);
  RETURN NEW;
END
"""

_HOLD_BOOK = f"""
BEGIN
  PERFORM pg_advisory_xact_lock({_LOCK_OF_BOOK});
END
"""

_TURN = """
DECLARE
  last ledger_page;
BEGIN
  PERFORM ledger_hold_book(NEW.bank_id);
  SELECT * INTO last FROM ledger_page p
   WHERE p.bank_id = NEW.bank_id ORDER BY p.number DESC LIMIT 1;
  IF NEW.number <> coalesce(last.number, 0) + 1 OR NEW.day < last.day THEN
    RAISE EXCEPTION 'ledger: pages follow one another' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END
"""

_APPLY = """
DECLARE
  held ledger_transfer;
  posted bigint := 0;
  pending bigint := 0;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM ledger_journal j WHERE j.bank_id = NEW.bank_id
                    AND j.id = NEW.journal_id AND j.page = ledger_open_page(NEW.bank_id)) THEN
    RAISE EXCEPTION 'ledger: that page is closed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.kind IN ('post', 'settle') THEN posted := NEW.amount; END IF;
  IF NEW.kind = 'hold' THEN pending := NEW.amount; END IF;
  IF NEW.pending_id IS NOT NULL THEN
    SELECT * INTO held FROM ledger_transfer h
     WHERE h.bank_id = NEW.bank_id AND h.id = NEW.pending_id AND h.kind = 'hold'
       AND h.debit_account_id = NEW.debit_account_id AND h.debit_shard = NEW.debit_shard
       AND h.credit_account_id = NEW.credit_account_id AND h.credit_shard = NEW.credit_shard
       AND h.unit = NEW.unit
       AND (NEW.amount = h.amount OR (NEW.kind = 'settle' AND NEW.amount < h.amount));
    IF NOT FOUND THEN
      RAISE EXCEPTION 'ledger: does not fit its hold' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    pending := -held.amount;
  END IF;
  -- The lower id first, so that two transfers between the same accounts don't deadlock.
  IF NEW.debit_account_id < NEW.credit_account_id THEN
    PERFORM ledger_debit(NEW, posted, pending);
    PERFORM ledger_credit(NEW, posted, pending);
  ELSE
    PERFORM ledger_credit(NEW, posted, pending);
    PERFORM ledger_debit(NEW, posted, pending);
  END IF;
  RETURN NULL;
END
"""


def _move(side: str) -> str:
    sign = "-" if side == "debit" else ""
    return f"""
BEGIN
  WITH moved AS (
    UPDATE ledger_balance b
       SET {side}s_posted = b.{side}s_posted + posted,
           {side}s_pending = b.{side}s_pending + pending,
           version = b.version + 1
     WHERE b.bank_id = t.bank_id AND b.account_id = t.{side}_account_id AND b.shard = t.{side}_shard
    RETURNING b.*)
  INSERT INTO ledger_entry (bank_id, account_id, shard, version, transfer_id,
                            amount, balance_after, pending_after)
  SELECT m.bank_id, m.account_id, m.shard, m.version, t.id, {sign}posted,
         m.credits_posted - m.debits_posted, m.credits_pending - m.debits_pending
    FROM moved m;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'ledger: no such account' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
END
"""


_OPEN = """
BEGIN
  INSERT INTO ledger_balance (bank_id, account_id, shard, floor, debits_posted,
                              credits_posted, debits_pending, credits_pending, version)
  SELECT NEW.bank_id, NEW.id, shard, NEW.floor, 0, 0, 0, 0, 0
    FROM generate_series(0, NEW.shards - 1) shard;
  RETURN NULL;
END
"""

_REFUSE = """
BEGIN
  RAISE EXCEPTION 'ledger: what is written stays' USING ERRCODE = 'integrity_constraint_violation';
END
"""

_BODIES = {
    "ledger_open_page": _OPEN_PAGE,
    "ledger_hold_book": _HOLD_BOOK,
    "ledger_on_page": _ON_PAGE,
    "ledger_turn": _TURN,
    "ledger_debit": _move("debit"),
    "ledger_credit": _move("credit"),
    "ledger_apply": _APPLY,
    "ledger_open": _OPEN,
    "ledger_refuse": _REFUSE,
}


def _function(name: str) -> str:
    if name in ("ledger_debit", "ledger_credit"):
        head = f"{name}(t ledger_transfer, posted bigint, pending bigint) RETURNS void"
    elif name == "ledger_open_page":
        head = f"{name}(of_bank uuid) RETURNS integer"
    elif name == "ledger_hold_book":
        head = f"{name}(of_bank uuid) RETURNS void"
    else:
        head = f"{name}() RETURNS trigger"
    return f"CREATE OR REPLACE FUNCTION {head} LANGUAGE plpgsql AS $${_BODIES[name]}$$"


FUNCTIONS: dict[str, str] = {name: _function(name) for name in _BODIES}

_RUNS: dict[str, tuple[str, str, str]] = {
    "ledger_transfer_apply": ("AFTER INSERT", "ledger_transfer", "ledger_apply"),
    "ledger_account_open": ("AFTER INSERT", "ledger_account", "ledger_open"),
    "ledger_journal_page": ("BEFORE INSERT", "ledger_journal", "ledger_on_page"),
    "ledger_page_turn": ("BEFORE INSERT", "ledger_page", "ledger_turn"),
    "ledger_entry_insert": ("BEFORE INSERT", "ledger_entry", "ledger_refuse"),
    "ledger_balance_insert": ("BEFORE INSERT", "ledger_balance", "ledger_refuse"),
    "ledger_balance_update": ("BEFORE UPDATE", "ledger_balance", "ledger_refuse"),
    "ledger_balance_delete": ("BEFORE DELETE", "ledger_balance", "ledger_refuse"),
    "ledger_balance_truncate": ("BEFORE TRUNCATE", "ledger_balance", "ledger_refuse"),
}
for _table in APPEND_ONLY:
    for _event in ("update", "delete", "truncate"):
        _RUNS[f"ledger_{_table}_{_event}"] = (
            f"BEFORE {_event.upper()}",
            f"ledger_{_table}",
            "ledger_refuse",
        )

_FROM_INSIDE = {"ledger_entry_insert", "ledger_balance_insert", "ledger_balance_update"}


def table_of(trigger: str) -> str:
    """The table a trigger watches."""
    return _RUNS[trigger][1]


def bodies() -> dict[str, str]:
    """The source of every function, by name."""
    return {name: body.strip() for name, body in _BODIES.items()}


def is_as_wanted(trigger: str, definition: str) -> bool:
    """Whether what PostgreSQL says of a trigger means what it should."""
    when, table, function = _RUNS[trigger]
    condition = definition.partition(" WHEN ")[2].partition(" EXECUTE ")[0]
    wanted = "((pg_trigger_depth() = 0))" if trigger in _FROM_INSIDE else ""
    return (
        condition == wanted
        and f"{when} ON " in definition
        and definition.partition(" ON ")[2].split()[0].rpartition(".")[2] == table
        and definition.endswith(f"{function}()")
    )


def _trigger(name: str) -> str:
    when, table, function = _RUNS[name]
    each = "STATEMENT" if when.endswith("TRUNCATE") else "ROW"
    guard = " WHEN (pg_trigger_depth() = 0)" if name in _FROM_INSIDE else ""
    return f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each}{guard} EXECUTE FUNCTION {function}()"


TRIGGERS: dict[str, str] = {name: _trigger(name) for name in _RUNS}
