"""A fault to plant in the ledger: what the triggers say, changed in one place each.

`caught_by` says what has to find it: the plain model, the replay of `verify`, or raw SQL
that should have been refused. A text that isn't there any more is an error with the name of
its fault, so that no fault is ever planted in vain.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import pytest

Changes = Sequence[tuple[str, str]]


class OnBoth(TypedDict):
    """Changes on each engine."""

    sqlite: Changes
    postgresql: Changes


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. What isn't given for an engine can't be planted there.

    `sqlite` and `postgresql` change every trigger or function that has the text; `drops` are
    statements run afterwards; `patch` changes the service.
    """

    name: str
    caught_by: str
    sqlite: Changes = ()
    postgresql: Changes = ()
    drops: Mapping[str, Sequence[str]] = field(default_factory=dict)
    patch: Callable[[pytest.MonkeyPatch], None] | None = None
    engines: Sequence[str] = ("sqlite", "postgresql")

    def changes(self, engine: str) -> Changes:
        return self.sqlite if engine == "sqlite" else self.postgresql

    def planted(self, engine: str, definitions: Mapping[str, str]) -> dict[str, str]:
        """The definitions that differ once it is planted. Raises LookupError."""
        changed = dict(definitions)
        for wanted, wrong in self.changes(engine):
            found = [name for name, ddl in changed.items() if wanted in ddl]
            if not found:
                raise LookupError(f"The fault '{self.name}' finds no {wanted!r} on {engine}.")
            changed |= {name: changed[name].replace(wanted, wrong) for name in found}
        return {name: ddl for name, ddl in changed.items() if ddl != definitions[name]}


_ONE, _MANY = "t", "f"
"""What PostgreSQL's trigger calls a transfer that comes alone, and one of many."""


def in_both(wanted: str, wrong: str) -> OnBoth:
    same = [(wanted, wrong)]
    return {"sqlite": same, "postgresql": same}


def in_rows(wanted: str, wrong: str, *more: str) -> OnBoth:
    """The same change wherever a transfer is looked at: {0} is what it is called there."""
    return {
        "sqlite": [(wanted.format("NEW", *more), wrong)],
        "postgresql": [(wanted.format(row, *more), wrong) for row in (_ONE, _MANY)],
    }


def without(trigger: str, table: str) -> dict[str, Sequence[str]]:
    return {
        "sqlite": [f"DROP TRIGGER {trigger}"],
        "postgresql": [f"DROP TRIGGER {trigger} ON {table}"],
    }
