"""Who is asking, and what they may do in which bank."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from models.people import Role
from service.errors import Forbidden, NotAllowed

OFFICERS = (Role.OPERATOR, Role.TREASURER)


class SecondFactorNotGiven(Forbidden):
    english = (
        "Operators and treasurers need a second factor for this."
        " Set one up (POST /v1/me/second-factor), or sign in with it."
    )
    indonesian = (
        "Operator dan bendahara memerlukan faktor kedua untuk ini."
        " Pasang dahulu (POST /v1/me/second-factor), atau masuk dengannya."
    )


class ShownCard(NamedTuple):
    """A resident's card that was shown, and is valid at its bank."""

    bank_id: UUID
    id: UUID
    resident_id: UUID
    issued_by: UUID


@dataclass(slots=True)
class Caller:
    """Who is asking, with their parts in each bank."""

    person_id: UUID
    roles: Mapping[UUID, frozenset[str]]
    withheld: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    """Parts that count for nothing until a second factor was given."""
    bank_id: UUID | None = None
    """The bank of the act, once `act_in` has allowed it."""
    on_behalf_of: UUID | None = None
    """Whom somebody else acts for."""
    shown: ShownCard | None = None
    """The card of theirs that was shown."""
    touched: list[tuple[str, UUID]] = field(default_factory=list)
    """Kinds and ids of what an act is about, if neither its path nor its answer names it."""

    @property
    def memberships(self) -> list[tuple[UUID, str]]:
        """Every part in every bank, those that are withheld as well."""
        return [
            (bank_id, role)
            for parts in (self.roles, self.withheld)
            for bank_id, held in parts.items()
            for role in sorted(held)
        ]

    @property
    def is_officer(self) -> bool:
        """Of any bank, with or without a second factor."""
        return any(role in OFFICERS for _, role in self.memberships)

    def banks(self, *roles: Role) -> list[UUID]:
        """The banks where the caller has one of these parts, or any part if none is named."""
        wanted = set(roles)
        return [bank for bank, held in self.roles.items() if not wanted or held & wanted]

    def has(self, bank_id: UUID, *roles: Role) -> bool:
        return bool(self.roles.get(bank_id, frozenset()) & set(roles))

    def play_only(self, wanted: frozenset[Role]) -> None:
        """Forget every other part: what is asked for isn't done in it."""
        self.roles, self.withheld = _only(self.roles, wanted), _only(self.withheld, wanted)

    def act_in(self, bank_id: UUID, *roles: Role) -> None:
        """Refuse anybody without one of these parts in the bank, and remember the bank.

        If none is named, any of the parts that are left will do. Raises NotAllowed, or
        SecondFactorNotGiven to whom only that lacks.
        """
        if not (self.has(bank_id, *roles) if roles else bank_id in self.roles):
            withheld = self.withheld.get(bank_id, frozenset())
            lacks_only_proof = withheld & set(roles) if roles else withheld
            raise SecondFactorNotGiven if lacks_only_proof else NotAllowed
        self.bank_id = bank_id


def _only(
    parts: Mapping[UUID, frozenset[str]], wanted: frozenset[Role]
) -> dict[UUID, frozenset[str]]:
    return {bank: kept for bank, held in parts.items() if (kept := held & wanted)}
