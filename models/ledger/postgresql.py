"""The ledger's triggers for PostgreSQL, and those that guard payouts, counts and the audit.

Counters and entries may be written from inside a trigger only: pg_trigger_depth() is 0
for a statement that came from outside. Writers share a lock on their bank's book; turning
a page takes it alone, and so waits for those who are still writing.

What a statement inserts is applied at once: a row by itself in the plainest way, many rows
as a set, so that an account that all of them touch is written once. Both lock the lower
account first, so that two statements can't wait for each other.
"""

from models import audit_guard, payout_guard
from models.ledger.names import APPEND_ONLY, opens_again


def _share_book(bank: str) -> str:
    """Statements that wait for whoever turns the page; trying first is cheaper than waiting."""
    return f"""
  IF NOT pg_try_advisory_xact_lock_shared(uuid_hash_extended({bank}, 4711)) THEN
    PERFORM pg_advisory_xact_lock_shared(uuid_hash_extended({bank}, 4711));
  END IF;"""


def _refuse(problem: str) -> str:
    return f"RAISE EXCEPTION 'ledger: {problem}' USING ERRCODE = 'integrity_constraint_violation';"


# The page is read by a statement of its own, so that it sees what was committed while this
# one waited. It is a page of that bank, and pages never go: no reference need be checked.
_ON_PAGE = f"""
BEGIN{_share_book("NEW.bank_id")}
  SELECT max(p.number) INTO NEW.page FROM ledger_page p WHERE p.bank_id = NEW.bank_id;
  RETURN NEW;
END
"""

_HOLD_BOOK = """
BEGIN
  PERFORM pg_advisory_xact_lock(uuid_hash_extended(of_bank, 4711));
END
"""

_TURN = f"""
DECLARE
  last ledger_page;
BEGIN
  PERFORM ledger_hold_book(NEW.bank_id);
  SELECT * INTO last FROM ledger_page p
   WHERE p.bank_id = NEW.bank_id ORDER BY p.number DESC LIMIT 1;
  IF NEW.number <> coalesce(last.number, 0) + 1
     OR (NEW.day < last.day AND NOT {opens_again("NEW")}) THEN
    {_refuse("pages follow one another")}
  END IF;
  RETURN NEW;
END
"""


def _is_on_open_page(row: str) -> str:
    return f"""coalesce(
      (SELECT j.page FROM ledger_journal j WHERE j.bank_id = {row}.bank_id AND j.id = {row}.journal_id)
      = (SELECT max(p.number) FROM ledger_page p WHERE p.bank_id = {row}.bank_id), false)"""


def _held(row: str) -> str:
    """The amount of the hold that a row resolves; none if it doesn't fit."""
    return f"""(
      SELECT h.amount FROM ledger_transfer h
       WHERE h.bank_id = {row}.bank_id AND h.id = {row}.pending_id AND h.kind = 'hold'
         AND h.debit_account_id = {row}.debit_account_id AND h.debit_shard = {row}.debit_shard
         AND h.credit_account_id = {row}.credit_account_id AND h.credit_shard = {row}.credit_shard
         AND h.unit = {row}.unit
         AND ({row}.amount = h.amount OR ({row}.kind = 'settle' AND {row}.amount < h.amount)))"""


def _move(side: str, into: str) -> str:
    """The statement that moves one side's counters."""
    return f"""
    UPDATE ledger_balance b
       SET {side}s_posted = b.{side}s_posted + posted,
           {side}s_pending = b.{side}s_pending + pending,
           version = b.version + 1
     WHERE b.bank_id = t.bank_id AND b.account_id = t.{side}_account_id AND b.shard = t.{side}_shard
    RETURNING b.* INTO {into};"""


def _entry(row: str, amount: str) -> str:
    return (
        f"(t.bank_id, {row}.account_id, {row}.shard, {row}.version, t.id, {amount},"
        f" {row}.credits_posted - {row}.debits_posted, {row}.credits_pending - {row}.debits_pending)"
    )


_ENTER = """INSERT INTO ledger_entry
    (bank_id, account_id, shard, version, transfer_id, amount, balance_after, pending_after)"""

_APPLY_ONE = f"""{_share_book("t.bank_id")}
  IF NOT {_is_on_open_page("t")} THEN
    {_refuse("that page is closed")}
  END IF;
  IF t.kind IN ('post', 'settle') THEN posted := t.amount; END IF;
  IF t.kind = 'hold' THEN pending := t.amount; END IF;
  IF t.pending_id IS NOT NULL THEN
    pending := -{_held("t")};
    IF pending IS NULL THEN
      {_refuse("does not fit its hold")}
    END IF;
  END IF;
  IF t.debit_account_id < t.credit_account_id THEN{_move("debit", "d")}{_move("credit", "c")}
  ELSE{_move("credit", "c")}{_move("debit", "d")}
  END IF;
  IF d.version IS NULL OR c.version IS NULL THEN
    {_refuse("no such account")}
  END IF;
  {_ENTER}
  VALUES {_entry("d", "-posted")},
         {_entry("c", "posted")};"""

# One step a side of a transfer, in the order of the rows: what it leaves in the counters.
# FOR UPDATE inside LATERAL locks in the order of the outer rows, and reads what is newest.
_APPLY_MANY = f"""
  PERFORM pg_advisory_xact_lock_shared(uuid_hash_extended(f.bank_id, 4711)) FROM fresh f;
  SELECT bool_and({_is_on_open_page("f")}),
         bool_and(f.pending_id IS NULL OR {_held("f")} IS NOT NULL)
    INTO on_page, fits FROM fresh f;
  IF NOT on_page THEN
    {_refuse("that page is closed")}
  END IF;
  IF NOT fits THEN
    {_refuse("does not fit its hold")}
  END IF;
  WITH act AS (
    SELECT f.*, row_number() OVER () AS place,
           CASE WHEN f.kind IN ('post', 'settle') THEN f.amount ELSE 0 END AS moved,
           CASE f.kind WHEN 'post' THEN 0 WHEN 'hold' THEN f.amount ELSE -{_held("f")} END AS held
      FROM fresh f),
  side AS (
    SELECT s.*, row_number() OVER so_far AS nth, lead(1) OVER so_far IS NULL AS is_last,
           (sum(s.dp) OVER so_far)::bigint AS all_dp, (sum(s.cp) OVER so_far)::bigint AS all_cp,
           (sum(s.dh) OVER so_far)::bigint AS all_dh, (sum(s.ch) OVER so_far)::bigint AS all_ch
      FROM (SELECT a.bank_id, a.debit_account_id AS account_id, a.debit_shard AS shard, a.id, a.place,
                   a.moved AS dp, 0 AS cp, a.held AS dh, 0 AS ch FROM act a
            UNION ALL
            SELECT a.bank_id, a.credit_account_id, a.credit_shard, a.id, a.place,
                   0, a.moved, 0, a.held FROM act a) s
    WINDOW so_far AS (PARTITION BY s.bank_id, s.account_id, s.shard ORDER BY s.place)
     ORDER BY s.bank_id, s.account_id, s.shard, s.place),
  step AS MATERIALIZED (
    SELECT s.bank_id, s.account_id, s.shard, s.id, s.is_last, s.cp - s.dp AS amount,
           b.floor, b.version + s.nth AS version,
           b.debits_posted + s.all_dp AS dp, b.credits_posted + s.all_cp AS cp,
           b.debits_pending + s.all_dh AS dh, b.credits_pending + s.all_ch AS ch
      FROM side s CROSS JOIN LATERAL (
        SELECT * FROM ledger_balance b
         WHERE b.bank_id = s.bank_id AND b.account_id = s.account_id AND b.shard = s.shard
           FOR NO KEY UPDATE) b),
  counted AS (
    UPDATE ledger_balance b
       SET debits_posted = s.dp, credits_posted = s.cp,
           debits_pending = s.dh, credits_pending = s.ch, version = s.version
      FROM step s
     WHERE s.is_last
       AND b.bank_id = s.bank_id AND b.account_id = s.account_id AND b.shard = s.shard),
  entered AS (
    {_ENTER}
    SELECT s.bank_id, s.account_id, s.shard, s.version, s.id, s.amount, s.cp - s.dp, s.ch - s.dh
      FROM step s)
  SELECT count(*), min(CASE
           WHEN s.floor = 'credit' AND s.dp + s.dh > s.cp THEN 'never_overdrawn'
           WHEN s.floor = 'debit' AND s.cp + s.ch > s.dp THEN 'never_below_nothing'
           WHEN s.dh < 0 OR s.ch < 0 THEN 'counters' END)
    INTO steps, broken FROM step s;
  IF steps <> 2 * t.many THEN
    {_refuse("no such account")}
  END IF;
  -- The table checks where the rows end up; on the way there the same holds.
  IF broken IS NOT NULL THEN
    RAISE EXCEPTION USING MESSAGE = 'ledger: on its way it is ' || broken,
      ERRCODE = 'check_violation', CONSTRAINT = 'ck_ledger_balance_' || broken;
  END IF;"""

_APPLY = f"""
DECLARE
  t record;
  d ledger_balance;
  c ledger_balance;
  posted bigint := 0;
  pending bigint := 0;
  on_page boolean;
  fits boolean;
  steps bigint;
  broken text;
BEGIN
  SELECT f.*, count(*) OVER () AS many INTO t FROM fresh f LIMIT 1;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF t.many > 1 THEN{_APPLY_MANY}
    RETURN NULL;
  END IF;{_APPLY_ONE}
  RETURN NULL;
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

_REFUSE = f"""
BEGIN
  {_refuse("what is written stays")}
END
"""

_BODIES = {
    "ledger_hold_book": _HOLD_BOOK,
    "ledger_on_page": _ON_PAGE,
    "ledger_turn": _TURN,
    "ledger_apply": _APPLY,
    "ledger_open": _OPEN,
    "ledger_refuse": _REFUSE,
} | payout_guard.BODIES


RETIRED = ("ledger_open_page", "ledger_debit", "ledger_credit")
"""Functions of earlier versions; what is still there of them is taken away."""

# Each row is found by its key. A session plans once, and may do so while tables are empty:
# then reading all of them looks cheap, and would stay the plan as they grow.
_PLANS = " SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off"


def _function(name: str) -> str:
    head = f"{name}() RETURNS trigger"
    if name == "ledger_hold_book":
        head = f"{name}(of_bank uuid) RETURNS void"
    plans = _PLANS if name == "ledger_apply" else ""
    return f"CREATE OR REPLACE FUNCTION {head} LANGUAGE plpgsql{plans} AS $${_BODIES[name]}$$"


FUNCTIONS: dict[str, str] = {name: _function(name) for name in _BODIES}

_RUNS: dict[str, tuple[str, str, str]] = (
    {
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
    | payout_guard.RUNS
    | audit_guard.RUNS
)
for _table in APPEND_ONLY:
    for _event in ("update", "delete", "truncate"):
        _RUNS[f"{_table}_{_event}"] = (f"BEFORE {_event.upper()}", _table, "ledger_refuse")

_APPLIES = "ledger_transfer_apply"
_FROM_INSIDE = {
    "ledger_entry_insert",
    "ledger_balance_insert",
    "ledger_balance_update",
} | payout_guard.FROM_INSIDE
_INSIDE = "((pg_trigger_depth() = 0))"  # as PostgreSQL says it


def table_of(trigger: str) -> str:
    """The table a trigger watches."""
    return _RUNS[trigger][1]


def bodies() -> dict[str, str]:
    """The source of every function, by name."""
    return {name: body.strip() for name, body in _BODIES.items()}


def is_as_wanted(trigger: str, definition: str) -> bool:
    """Whether what PostgreSQL says of a trigger means what it should."""
    when, table, function = _RUNS[trigger]
    return (
        f"{when} ON " in definition
        and definition.partition(" ON ")[2].split()[0].rpartition(".")[2] == table
        and definition.endswith(f"{_each(trigger)} EXECUTE FUNCTION {function}()")
    )


def _each(trigger: str) -> str:
    """How often a trigger runs, and when."""
    if trigger == _APPLIES:
        return "REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT"
    each = "STATEMENT" if _RUNS[trigger][0].endswith("TRUNCATE") else "ROW"
    return f"FOR EACH {each}" + (f" WHEN {_INSIDE}" if trigger in _FROM_INSIDE else "")


def _trigger(name: str) -> str:
    when, table, function = _RUNS[name]
    return f"CREATE TRIGGER {name} {when} ON {table} {_each(name)} EXECUTE FUNCTION {function}()"


TRIGGERS: dict[str, str] = {name: _trigger(name) for name in _RUNS}
