"""The ledger as plain Python: counters of every account, and what each act should come to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from models.ledger import Floor, TransferKind
from service.ledger import AlreadyPosted, AlreadyReversed, BalanceTooLow, HoldAlreadyResolved
from service.ledger.chart import Place
from service.ledger.posting import Movement


class Counters(NamedTuple):
    """What was posted and what is held on each side of an account."""

    debits: int = 0
    credits: int = 0
    debits_held: int = 0
    credits_held: int = 0

    def moved(self, side: str, posted: int, held: int) -> "Counters":
        if side == "debit":
            return self._replace(debits=self.debits + posted, debits_held=self.debits_held + held)
        return self._replace(credits=self.credits + posted, credits_held=self.credits_held + held)

    def free(self, floor: Floor) -> int:
        """How much more may leave an account that has a floor."""
        if floor == Floor.CREDIT:
            return self.credits - self.debits - self.debits_held
        return self.debits - self.credits - self.credits_held


@dataclass(frozen=True, slots=True)
class Posted:
    """An act that the ledger took: its journal's movements and its transfers' ids."""

    journal_id: UUID
    moves: Sequence[Movement]
    ids: Sequence[UUID]


@dataclass
class Model:
    """What the ledger of one bank should be."""

    counters: dict[Place, Counters] = field(default_factory=dict)
    acts: list[Posted] = field(default_factory=list)
    reversed_ids: set[UUID] = field(default_factory=set)
    open_holds: dict[UUID, Movement] = field(default_factory=dict)
    resolved_holds: dict[UUID, Movement] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    accepted: int = 0
    refused: int = 0

    def of(self, place: Place) -> Counters:
        return self.counters.get(place, Counters())

    def free(self, place: Place) -> int:
        return self.of(place).free(place.floor)

    def refusal(
        self, moves: Sequence[Movement], reverses_id: UUID | None = None
    ) -> type[Exception] | None:
        """Why the ledger should refuse an act; None if it should take it."""
        if reverses_id in self.reversed_ids:
            return AlreadyReversed
        if any(move.pending_id in self.resolved_holds for move in moves):
            return HoldAlreadyResolved
        if any(move.key in self.keys for move in moves):
            return AlreadyPosted
        return None if self._after(moves) is not None else BalanceTooLow

    def take(self, posted: Posted, reverses_id: UUID | None = None) -> None:
        """The ledger took an act; so does the model."""
        self.counters |= self._after(posted.moves) or {}
        self.acts.append(posted)
        self.accepted += 1
        if reverses_id is not None:
            self.reversed_ids.add(reverses_id)
        for move, transfer_id in zip(posted.moves, posted.ids, strict=True):
            self.keys.add(move.key)
            if move.kind == TransferKind.HOLD:
                self.open_holds[transfer_id] = move
            if move.pending_id is not None:
                self.resolved_holds[move.pending_id] = self.open_holds.pop(move.pending_id)

    def _after(self, moves: Sequence[Movement]) -> dict[Place, Counters] | None:
        """The counters after these movements, one after the other; None if one goes too low."""
        after: dict[Place, Counters] = {}
        for move in moves:
            posted = move.amount if move.kind in ("post", "settle") else 0
            held = move.amount if move.kind == TransferKind.HOLD else 0
            if move.pending_id is not None:
                held = -self.open_holds[move.pending_id].amount
            for side, place in (("debit", move.debit), ("credit", move.credit)):
                now = after.get(place, self.of(place)).moved(side, posted, held)
                if place.floor != Floor.NONE and now.free(place.floor) < 0:
                    return None
                after[place] = now
        return after
