"""The guard on payouts, with the same meaning on both engines.

A payout moves only forward, as MOVES says; what was agreed on never changes; and every
move is written down by the database itself, so that none can be made without a trace.
"""

from models.base import one_of
from models.payout import ENDED, HIDDEN, MOVES, PayoutMethod, PayoutStatus

_FIXED = (
    "bank_id",
    "id",
    "resident_id",
    "source",
    "entered_by",
    "amount_idr",
    "method",
    "channel_code",
    "destination_id",
    "gateway",
    "fee_idr",
    "fee_by",
    "hold_id",
    "key",
    "retry_of",
)
# What is set many at a time, as when they are due, is nothing to guard.
_GUARDED = ", ".join(
    (*_FIXED, "status", "moves", "gateway_id", "account_number", "account_holder_name")
)
_MOVED = "NEW.status IS DISTINCT FROM OLD.status"
_CASH = f"NEW.method = '{PayoutMethod.CASH}'"
_COUNTER = f"(OLD.status <> '{PayoutStatus.APPROVED}'"
# Cash is handed over at once; a transfer goes by its gateway.
_BY_ITS_WAY = (
    f"{_COUNTER} OR NEW.status NOT IN ('{PayoutStatus.PAID}', '{PayoutStatus.SENDING}')"
    f" OR ({_CASH}) = (NEW.status = '{PayoutStatus.PAID}'))"
)


def _listed() -> str:
    ways = (
        f"(OLD.status = '{start}' AND NEW.status IN ({', '.join(repr(str(to)) for to in ends)}))"
        for start, ends in MOVES.items()
    )
    return " OR ".join(ways)


_FORWARD = f"(({_listed()}) AND {_BY_ITS_WAY})"
_CHANGED = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _FIXED)
# Of where money went to only the last digits are left once its person was deleted.
_MASKED = "substr(OLD.account_number, length(OLD.account_number) - 3)"
_REDIRECTED = (
    f"(NEW.account_number IS DISTINCT FROM OLD.account_number"
    f" AND NEW.account_number IS DISTINCT FROM '{HIDDEN}' || {_MASKED})"
    " OR (NEW.account_holder_name IS DISTINCT FROM OLD.account_holder_name"
    " AND NEW.account_holder_name <> '')"
    " OR ((NEW.account_number IS DISTINCT FROM OLD.account_number"
    " OR NEW.account_holder_name IS DISTINCT FROM OLD.account_holder_name)"
    f" AND NOT {one_of('OLD.status', ENDED)})"
)
_RENAMED = "OLD.gateway_id <> '' AND NEW.gateway_id IS DISTINCT FROM OLD.gateway_id"
_COUNTED = f"NEW.moves = OLD.moves + CASE WHEN {_MOVED} THEN 1 ELSE 0 END"
_BEGINS = f"NEW.status = '{PayoutStatus.REQUESTED}' AND NEW.moves = 1"
_NOTE = """
  INSERT INTO payout_move (bank_id, payout_id, number, from_status, to_status,
                           cause, detail, actor_id, at)
  VALUES (NEW.bank_id, NEW.id, NEW.moves, {before}, NEW.status,
          NEW.cause, NEW.cause_detail, NEW.moved_by, NEW.moved_at);"""

_RULES = {
    "payout: it moves only forward": f"{_MOVED} AND NOT {_FORWARD}",
    "payout: moves are counted": f"NOT ({_COUNTED})",
    "payout: what was agreed on stays": f"{_CHANGED} OR ({_RENAMED}) OR {_REDIRECTED}",
}


def _raise_sqlite(problem: str, when: str) -> str:
    return f"\n  SELECT RAISE(ABORT, '{problem}') WHERE {when};"


def _raise_postgresql(problem: str, when: str) -> str:
    return f"""
  IF {when} THEN
    RAISE EXCEPTION '{problem}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;"""


def _never(table: str, event: str) -> str:
    return (
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table}"
        " BEGIN SELECT RAISE(ABORT, 'payout: what is written stays'); END"
    )


_SQLITE_RULES = "".join(_raise_sqlite(*rule) for rule in _RULES.items()).replace(
    "IS DISTINCT FROM", "IS NOT"
)
SQLITE: dict[str, str] = {
    # INSERT OR REPLACE removes the row in its way without a word to DELETE triggers.
    "payout_begins": f"""CREATE TRIGGER payout_begins BEFORE INSERT ON payout BEGIN
  SELECT RAISE(ABORT, 'payout: it begins as requested') WHERE NOT ({_BEGINS});
  SELECT RAISE(ABORT, 'payout: already there') WHERE EXISTS (
    SELECT 1 FROM payout p WHERE p.bank_id = NEW.bank_id AND p.id = NEW.id);
END""",
    "payout_moves": f"CREATE TRIGGER payout_moves BEFORE UPDATE OF {_GUARDED} ON payout"
    f" BEGIN{_SQLITE_RULES}\nEND",
    "payout_begun": "CREATE TRIGGER payout_begun AFTER INSERT ON payout BEGIN"
    f"{_NOTE.format(before='NULL')}\nEND",
    "payout_moved": "CREATE TRIGGER payout_moved AFTER UPDATE OF status ON payout"
    f" WHEN NEW.status IS NOT OLD.status BEGIN{_NOTE.format(before='OLD.status')}\nEND",
    "payout_delete": _never("payout", "DELETE"),
    # Only what the guard would write, and the key lets it be written once.
    "payout_move_insert": """CREATE TRIGGER payout_move_insert BEFORE INSERT ON payout_move BEGIN
  SELECT RAISE(ABORT, 'payout: only a move is written down') WHERE NOT EXISTS (
    SELECT 1 FROM payout p
     WHERE p.bank_id = NEW.bank_id AND p.id = NEW.payout_id AND p.moves = NEW.number
       AND p.status = NEW.to_status AND p.cause = NEW.cause AND p.moved_at = NEW.at)
    OR EXISTS (SELECT 1 FROM payout_move m
                WHERE m.bank_id = NEW.bank_id AND m.payout_id = NEW.payout_id
                  AND m.number = NEW.number);
END""",
    "payout_move_update": _never("payout_move", "UPDATE"),
    "payout_move_delete": _never("payout_move", "DELETE"),
}

BODIES: dict[str, str] = {
    "payout_begins": f"""
BEGIN{_raise_postgresql("payout: it begins as requested", f"NOT ({_BEGINS})")}
  RETURN NEW;
END
""",
    "payout_guard": f"""
BEGIN{"".join(_raise_postgresql(*rule) for rule in _RULES.items())}
  RETURN NEW;
END
""",
    "payout_note": f"""
DECLARE
  before text;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NOT ({_MOVED}) THEN RETURN NULL; END IF;
    before := OLD.status;
  END IF;{_NOTE.format(before="before")}
  RETURN NULL;
END
""",
    "payout_refuse": """
BEGIN
  RAISE EXCEPTION 'payout: what is written stays' USING ERRCODE = 'integrity_constraint_violation';
END
""",
}
"""PostgreSQL's functions."""

RUNS: dict[str, tuple[str, str, str]] = {
    "payout_begins": ("BEFORE INSERT", "payout", "payout_begins"),
    "payout_moves": (f"BEFORE UPDATE OF {_GUARDED}", "payout", "payout_guard"),
    "payout_begun": ("AFTER INSERT", "payout", "payout_note"),
    "payout_moved": ("AFTER UPDATE OF status", "payout", "payout_note"),
    "payout_delete": ("BEFORE DELETE", "payout", "payout_refuse"),
    "payout_truncate": ("BEFORE TRUNCATE", "payout", "payout_refuse"),
    "payout_move_insert": ("BEFORE INSERT", "payout_move", "payout_refuse"),
    "payout_move_update": ("BEFORE UPDATE", "payout_move", "payout_refuse"),
    "payout_move_delete": ("BEFORE DELETE", "payout_move", "payout_refuse"),
    "payout_move_truncate": ("BEFORE TRUNCATE", "payout_move", "payout_refuse"),
}
"""PostgreSQL's triggers: when, on which table, which function."""
FROM_INSIDE = {"payout_move_insert"}
"""Refused only for statements that come from outside of a trigger."""
