"""Problems, named after the rule that was broken, in words for the person.

They know no HTTP: service.api.errors gives each family its status.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: a JSON pointer and a sentence in each language."""

    pointer: str
    english: str
    indonesian: str

    def detail(self, language: str) -> str:
        return self.english if language == "en" else self.indonesian


class Problem(Exception):
    """Something that the caller can understand and, mostly, mend."""

    english: ClassVar[str] = "Something is wrong with this request."
    indonesian: ClassVar[str] = "Ada yang salah dengan permintaan ini."
    keeps_changes: ClassVar[bool] = False
    """Whether what was written before the refusal is kept (a counted wrong try)."""

    def __init__(self, *fields: FieldProblem, **facts: object) -> None:
        self.fields = fields
        self.facts = facts
        super().__init__(self.detail("en"))

    @classmethod
    def slug(cls) -> str:
        """The stable end of the problem's `type`: PickupAlreadyClaimed, pickup_already_claimed."""
        return _CAPITAL.sub("_", cls.__name__).lower()

    @classmethod
    def title(cls) -> str:
        return _CAPITAL.sub(" ", cls.__name__).capitalize()

    @classmethod
    def family(cls) -> Iterator[type["Problem"]]:
        """Every problem below this one."""
        for child in cls.__subclasses__():
            yield child
            yield from child.family()

    def detail(self, language: str) -> str:
        template = self.english if language == "en" else self.indonesian
        return template.format(**{name: in_words(value) for name, value in self.facts.items()})


def in_words(value: object) -> str:
    """A fact as a person reads it: whole numbers with Indonesian thousands, 12.500."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", ".")
    return str(value)


class Malformed(Problem):
    """The request can't be understood as it is."""


class NotSignedIn(Problem):
    """Nobody knows who is asking."""


class Forbidden(Problem):
    """The caller's role doesn't allow it."""


class NotFound(Problem):
    """There is no such thing, or it is somebody else's."""


class Conflict(Problem):
    """A rule says no, as things stand."""


class TooMany(Problem):
    """Too often; `retry_after_s` says when to come back."""


class NotAllowed(Forbidden):
    english = "Your role in this waste bank does not allow this."
    indonesian = "Peran Anda di bank sampah ini tidak mengizinkan hal ini."


class NoSuchThing(NotFound):
    english = "There is no such {thing}."
    indonesian = "{thing} ini tidak ditemukan."
