"""Faults in what a transfer moves, and in what may follow what."""

from tests.faults.fault import Fault, in_both, in_rows

_HELD = "(SELECT h.amount FROM ledger_transfer h WHERE h.bank_id = {0}.bank_id AND h.id = {0}.pending_id)"
_FITS = "({0}.amount = h.amount OR ({0}.kind = 'settle' AND {0}.amount < h.amount))"
_SAME = "h.{1}_account_id = {0}.{1}_account_id AND h.{1}_shard = {0}.{1}_shard"

FAULTS = (
    # What a kind of transfer does.
    Fault(
        "a settled hold posts nothing", "model", **in_both("IN ('post', 'settle')", "IN ('post')")
    ),
    Fault(
        "a void posts",
        "model",
        **in_both("IN ('post', 'settle')", "IN ('post', 'settle', 'void')"),
    ),
    Fault(
        "a hold posts",
        "model",
        **in_both("IN ('post', 'settle')", "IN ('post', 'settle', 'hold')"),
    ),
    Fault(
        "a hold holds nothing",
        "model",
        [
            ("WHEN 'hold' THEN NEW.amount", "WHEN 'hold' THEN 0"),
            ("WHEN 'hold' THEN t.amount", "WHEN 'hold' THEN 0"),
        ],
        [
            ("pending := t.amount", "pending := 0"),
            ("WHEN 'hold' THEN f.amount", "WHEN 'hold' THEN 0"),
        ],
    ),
    Fault(
        "a part that is settled keeps the rest held",
        "model",
        [(f"-{_HELD.format('NEW')}", "-NEW.amount"), (f"-{_HELD.format('t')}", "-t.amount")],
        [
            ("pending := -(\n      SELECT h.amount", "pending := -(\n      SELECT t.amount"),
            ("ELSE -(\n      SELECT h.amount", "ELSE -(\n      SELECT f.amount"),
        ],
    ),
    Fault(
        "a resolved hold stays held",
        "model",
        [(f"-{_HELD.format('NEW')}", "0"), (f"-{_HELD.format('t')}", "0")],
        [("pending := -(", "pending := 0 * ("), ("ELSE -(", "ELSE 0 * (")],
    ),
    # Signs and sums.
    Fault(
        "an entry has the wrong sign",
        "verify",
        [("NEW.id, -(", "NEW.id, ("), ("NEW.amount = -(", "NEW.amount = (")],
        [("t.id, -posted", "t.id, posted"), ("s.cp - s.dp AS amount", "s.dp - s.cp AS amount")],
    ),
    Fault(
        "the running balance has the wrong sign",
        "verify",
        [
            ("credits_posted - debits_posted, credits", "debits_posted - credits_posted, credits"),
            (
                "b.credits_posted - b.debits_posted = NEW",
                "b.debits_posted - b.credits_posted = NEW",
            ),
        ],
        [
            ("d.credits_posted - d.debits_posted", "d.debits_posted - d.credits_posted"),
            ("s.amount, s.cp - s.dp, s.ch", "s.amount, s.dp - s.cp, s.ch"),
        ],
    ),
    Fault(
        "the running hold has the wrong sign",
        "verify",
        [
            ("credits_pending - debits_pending\n", "debits_pending - credits_pending\n"),
            (
                "b.credits_pending - b.debits_pending = NEW",
                "b.debits_pending - b.credits_pending = NEW",
            ),
        ],
        [
            ("d.credits_pending - d.debits_pending", "d.debits_pending - d.credits_pending"),
            ("s.cp - s.dp, s.ch - s.dh\n", "s.cp - s.dp, s.dh - s.ch\n"),
        ],
    ),
    Fault(
        "versions have gaps",
        "verify",
        [
            ("version = version + 1", "version = version + 2"),
            ("OLD.version + 1", "OLD.version + 2"),
        ],
        [
            ("version = b.version + 1", "version = b.version + 2"),
            ("b.version + s.nth AS", "b.version + 2 * s.nth AS"),
        ],
    ),
    Fault(
        "a debit is taken off instead of added",
        "model",
        [("debits_posted = debits_posted +", "debits_posted = debits_posted -")],
        [
            ("debits_posted = b.debits_posted +", "debits_posted = b.debits_posted -"),
            ("b.debits_posted + s.all_dp", "b.debits_posted - s.all_dp"),
        ],
    ),
    Fault(
        "a credit counts twice",
        "model",
        [
            ("credits_posted = credits_posted + ", "credits_posted = credits_posted + 2 * "),
            (
                "NEW.credits_posted = OLD.credits_posted + ",
                "NEW.credits_posted = OLD.credits_posted + 2 * ",
            ),
        ],
        [
            ("credits_posted = b.credits_posted + ", "credits_posted = b.credits_posted + 2 * "),
            ("b.credits_posted + s.all_cp", "b.credits_posted + 2 * s.all_cp"),
        ],
    ),
    # What fits what.
    Fault(
        "more is settled than was held",
        "model",
        **in_rows(_FITS, "1 = 1"),
    ),
    Fault(
        "a void gives back a part",
        "model",
        **in_rows("{0}.kind = 'settle' AND {0}.amount <", "0 <"),
    ),
    Fault(
        "a hold is settled from another account",
        "model",
        **in_rows(_SAME, "1 = 1", "debit"),
    ),
    Fault(
        "a hold is settled to another account",
        "model",
        **in_rows(_SAME, "1 = 1", "credit"),
    ),
    Fault("a posting can be settled", "model", **in_both("AND h.kind = 'hold'", "")),
    Fault(
        "a hold resolves twice",
        "model",
        drops={
            "sqlite": [
                "DROP TRIGGER ledger_transfer_once",
                "DROP INDEX ix_ledger_transfer_resolves_once",
            ],
            "postgresql": ["DROP INDEX ix_ledger_transfer_resolves_once"],
        },
    ),
    Fault(
        "a key is posted twice",
        "model",
        drops={
            "postgresql": [
                "ALTER TABLE ledger_transfer DROP CONSTRAINT uq_ledger_transfer_bank_id_key"
            ]
        },
        engines=("postgresql",),
    ),
    Fault(
        "an act is reversed twice",
        "model",
        drops={
            engine: ["DROP INDEX ix_ledger_journal_reversed_once"]
            for engine in ("sqlite", "postgresql")
        },
    ),
    Fault(
        "an overdraft is not refused",
        "model",
        drops={
            "postgresql": [
                "ALTER TABLE ledger_balance DROP CONSTRAINT ck_ledger_balance_never_overdrawn"
            ]
        },
        engines=("postgresql",),
    ),
    Fault(
        "a store goes below nothing",
        "model",
        drops={
            "postgresql": [
                "ALTER TABLE ledger_balance DROP CONSTRAINT ck_ledger_balance_never_below_nothing"
            ]
        },
        engines=("postgresql",),
    ),
)
