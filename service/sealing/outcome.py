"""What became of an act of business: told by its transfers, not by what was meant to happen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from models.ledger import Account, Journal, Transfer, TransferKind
from service.ledger.chart import IDR, person_of

Act = tuple[Journal, Transfer, Account, Account]
"""A transfer with its journal, and the accounts of its debit and its credit."""


class State(StrEnum):
    DONE = "done"
    HELD = "held"
    """A payout was asked for; its money is set aside."""
    PAID = "paid"
    GIVEN_BACK = "given_back"
    CORRECTED = "corrected"
    """Taken back by a correction."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an act ended, when, and what it gave the one person it is about.

    Of an act of several people, or of none, there is no such figure.
    """

    state: State
    at: datetime
    credited_idr: int | None
    corrected_at: datetime | None
    taken_back_idr: int | None
    """How many rupiah a correction moved back, in either direction; 0 before there is one."""


_DECIDING = {
    TransferKind.SETTLE: State.PAID,
    TransferKind.VOID: State.GIVEN_BACK,
    TransferKind.HOLD: State.HELD,
}


def whose_is(transfers: Iterable[tuple[str, str]]) -> str | None:
    """Whom transfers, one at least, are about: the person whose accounts every one of them moves.

    Nobody, if they are several people's or none's. Told by the codes of debit and credit, so that
    who has nothing but a receipt comes to the same.
    """
    people = [set(map(person_of, sides)) - {""} for sides in transfers]
    # If all are between the same two, none of them is of rupiah, and either will do.
    return min(set.intersection(*people), default=None)


def outcome_of(acts: Sequence[Act], whose: UUID | None) -> Outcome:
    """What became of these transfers, one at least, for the person they are about."""
    back = [act for act in acts if act[0].reverses_id is not None]
    first = [act for act in acts if act[0].reverses_id is None]
    state, at = _decided(first or back)
    nobodys = None if back else 0
    return Outcome(
        state=State.CORRECTED if back else state,
        at=at,
        credited_idr=_gained(first, whose) if whose else None,
        corrected_at=back[0][1].event_at if back else None,
        taken_back_idr=abs(_gained(back, whose)) if whose else nobodys,
    )


def _decided(acts: Sequence[Act]) -> tuple[State, datetime]:
    of_kind = {transfer.kind: transfer for _, transfer, *_ in acts}
    for kind, state in _DECIDING.items():
        if kind in of_kind:
            return state, of_kind[kind].event_at
    return State.DONE, acts[0][1].event_at


def _gained(acts: Iterable[Act], whose: UUID) -> int:
    """What somebody's accounts gained in rupiah; what is only held is still theirs."""
    gained = 0
    for _, transfer, debit, credit in acts:
        if transfer.unit == IDR and transfer.kind in (TransferKind.POST, TransferKind.SETTLE):
            gained += transfer.amount * ((credit.owner_id == whose) - (debit.owner_id == whose))
    return gained
