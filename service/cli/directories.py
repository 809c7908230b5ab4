"""What `jumpa doctor` says of the directories whose tokens are taken."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from service.cli.findings import Finding, Level
from service.settings import Settings

if TYPE_CHECKING:
    import httpx

    from service.oidc.issuers import IssuerTerms

_WHAT = "sign-on"


def directories_of(settings: Settings) -> Iterator[Finding]:
    """Whether each directory of the file answers, with keys that tokens can be checked by."""
    if settings.oidc is None:
        yield Finding(Level.OK, _WHAT, "none")
        return
    # Only here: an ordinary look doesn't need it.
    from service.oidc.issuers import IssuersFileNotReadable, read_issuers  # noqa: PLC0415

    try:
        known = read_issuers(settings.oidc)
    except IssuersFileNotReadable as error:
        yield Finding(Level.FAIL, _WHAT, str(settings.oidc), str(error))
        return
    if not known:
        advice = "Add an [[issuer]], or leave JUMPA_OIDC out."
        yield Finding(Level.WARN, _WHAT, "none in the file", advice)
    yield from asyncio.run(_look_at_all(known))


async def _look_at_all(known: list["IssuerTerms"]) -> list[Finding]:
    import httpx  # noqa: PLC0415  See above.

    async with httpx.AsyncClient() as client:
        return [await look_at(terms, client) for terms in known]


async def look_at(terms: "IssuerTerms", client: "httpx.AsyncClient") -> Finding:
    """How one directory is right now."""
    from service.oidc.jwks import NOT_READ, KeySet  # noqa: PLC0415  See above.

    try:
        usable = await KeySet(terms, client).load()
    except NOT_READ as error:
        why = str(error) or type(error).__name__
        advice = f"Its keys can't be read, so none of its tokens is taken: {why}"
        return Finding(Level.WARN, _WHAT, terms.issuer, advice)
    shown = f"{terms.issuer}, for {terms.audience}, {usable} keys"
    if not usable:
        advice = "None of its keys is for an algorithm that both sides allow: see algorithms."
        return Finding(Level.WARN, _WHAT, shown, advice)
    return Finding(Level.OK, _WHAT, shown)
