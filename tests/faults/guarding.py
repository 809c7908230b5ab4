"""Faults in the guards, and in the service above them."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from models.ledger import Floor, TransferKind
from service.ledger import BalanceTooLow, accounts, posting
from service.ledger.chart import Place
from tests.faults.fault import Fault, in_both, without


def _no_floors(patch: pytest.MonkeyPatch) -> None:
    row = accounts._account_row

    def without_floor(bank_id: Any, place: Place, *, one_shard: bool) -> dict[str, Any]:
        return row(bank_id, place, one_shard=one_shard) | {"floor": Floor.NONE}

    patch.setattr(accounts, "_account_row", without_floor)


def _amounts_of_one(patch: pytest.MonkeyPatch) -> None:
    row = posting._transfer_row
    patch.setattr(posting, "_transfer_row", lambda *given: row(*given) | {"amount": 1})


def _sides_swapped(patch: pytest.MonkeyPatch) -> None:
    row = posting._transfer_row

    def swapped(bank_id: Any, journal: Any, draft: Any, move: Any, shards: Any) -> dict[str, Any]:
        turned = replace(move, debit=move.credit, credit=move.debit)
        return row(bank_id, journal, draft, turned, shards)

    patch.setattr(posting, "_transfer_row", swapped)


def _holds_are_posts(patch: pytest.MonkeyPatch) -> None:
    row = posting._transfer_row

    def posted(*given: Any) -> dict[str, Any]:
        made = row(*given)
        return made | ({"kind": TransferKind.POST} if made["kind"] == TransferKind.HOLD else {})

    patch.setattr(posting, "_transfer_row", posted)


def _wrong_refusal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(posting, "refusal_of", lambda _error: BalanceTooLow())


def _reversals_not_noted(patch: pytest.MonkeyPatch) -> None:
    row = posting._journal_row
    patch.setattr(posting, "_journal_row", lambda *given: row(*given) | {"reverses_id": None})


def _other_shards(patch: pytest.MonkeyPatch) -> None:
    async def nothing(*_given: Any) -> None:
        return None

    # One after the other, so that chance can't let a hold meet its own counters again.
    turns = count()
    patch.setattr(posting, "copy_sides_of_holds", nothing)
    patch.setattr(posting, "_any_of", lambda shards: next(turns) % shards)


FAULTS = (
    # Guards.
    Fault(
        "a transfer can be changed",
        "raw",
        drops=without("ledger_transfer_update", "ledger_transfer"),
    ),
    Fault(
        "a balance can be changed", "raw", drops=without("ledger_balance_update", "ledger_balance")
    ),
    Fault("an entry can be written", "raw", drops=without("ledger_entry_insert", "ledger_entry")),
    Fault(
        "a journal can be changed", "raw", drops=without("ledger_journal_update", "ledger_journal")
    ),
    Fault(
        "an account can be changed",
        "raw",
        drops=without("ledger_account_update", "ledger_account"),
    ),
    Fault(
        "a day can go back",
        "raw",
        [("OR (NEW.day <", "OR (false AND NEW.day <")],
        [("OR (NEW.day < last.day", "OR (false AND NEW.day < last.day")],
    ),
    Fault("any day can be opened again", "raw", **in_both("(d.day > r.day OR ", "(")),
    Fault("pages can be left out", "raw", drops=without("ledger_page_turn", "ledger_page")),
    Fault(
        "a journal comes late",
        "raw",
        drops={"sqlite": ["DROP TRIGGER ledger_journal_page"]},
        engines=("sqlite",),
    ),
    Fault(
        "a journal stands on the page before",
        "raw",
        postgresql=[("SELECT max(p.number) INTO NEW.page", "SELECT min(p.number) INTO NEW.page")],
        engines=("postgresql",),
    ),
    Fault(
        "a transfer comes late",
        "raw",
        postgresql=[("IF NOT coalesce(", "IF false AND coalesce("), ("IF NOT on_page", "IF false")],
        drops={"sqlite": ["DROP TRIGGER ledger_transfer_page"]},
    ),
    Fault(
        "what is written can be replaced",
        "raw",
        drops={"sqlite": ["DROP TRIGGER ledger_entry_once"]},
        engines=("sqlite",),
    ),
    Fault(
        "BEFORE for AFTER",
        "model",
        [("AFTER INSERT ON ledger_transfer", "BEFORE INSERT ON ledger_transfer")],
        engines=("sqlite",),
    ),
    Fault(
        "BEFORE for AFTER",
        "model",
        postgresql=[("AFTER INSERT ON ledger_account", "BEFORE INSERT ON ledger_account")],
        engines=("postgresql",),
    ),
    Fault(
        "an act may be overdrawn on its way",
        "model",
        postgresql=[
            (
                "WHEN s.floor = 'credit' AND s.dp + s.dh > s.cp THEN 'never_overdrawn'",
                "WHEN s.dp < 0 THEN 'counters'",
            )
        ],
        engines=("postgresql",),
    ),
    # The service.
    Fault("accounts have no floors", "model", patch=_no_floors),
    Fault("every amount is 1", "model", patch=_amounts_of_one),
    Fault("debit and credit are swapped", "model", patch=_sides_swapped),
    Fault("a hold is posted at once", "model", patch=_holds_are_posts),
    Fault("every refusal is said to be a low balance", "model", patch=_wrong_refusal),
    Fault("a reversal does not say what it reverses", "model", patch=_reversals_not_noted),
    Fault(
        "a hold resolves on other counters than its own",
        "model",
        patch=_other_shards,
        engines=("postgresql",),
    ),
)
