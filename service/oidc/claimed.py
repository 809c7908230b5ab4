"""What a token of a directory says once it was checked, and what may keep us from checking."""

from dataclasses import dataclass
from typing import Protocol

from service.auth import Grant
from service.errors import Problem


class IssuerNotReached(Problem):
    english = "The city's sign-in can't be reached right now. Try again soon."
    indonesian = "Layanan masuk pemerintah kota sedang tidak dapat dihubungi. Coba lagi nanti."


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a genuine token of a directory says: who it is, and what they may do here."""

    issuer: str
    subject: str
    name: str
    grants: tuple[Grant, ...]
    proved: bool
    """Whether the directory says that a second factor was given (`amr`)."""


class Issuers(Protocol):
    """The directories that are believed."""

    async def read(self, token: str) -> Claimed | None:
        """What a token says; None if it is of none of these directories.

        It may ask the directory for its keys: never within a transaction. Raises NoValidToken
        or IssuerNotReached.
        """
