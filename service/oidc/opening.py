"""The directories of an installation, and reading a token of one of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt

from service.auth import NoValidToken
from service.oidc.claimed import Claimed
from service.oidc.issuers import IssuerTerms, read_issuers
from service.oidc.jwks import KeySet

LEEWAY_S = 30
LONGEST_SUBJECT = 255
_LONGEST_NAME = 120
_PROOFS = frozenset(("otp", "mfa", "hwk"))


class OpenIssuers:
    """The directories of a file; see `Issuers`."""

    def __init__(self, known: Sequence[IssuerTerms], client: httpx.AsyncClient) -> None:
        self._known = {terms.issuer: (terms, KeySet(terms, client)) for terms in known}

    async def read(self, token: str) -> Claimed | None:
        known = self._known.get(_issuer_of(token))
        if known is None:
            return None
        terms, keys = known
        claims = await _verified(terms, keys, token)
        subject, name, amr = claims["sub"], claims.get("name"), claims.get("amr")
        if not 0 < len(subject) <= LONGEST_SUBJECT:
            raise NoValidToken
        return Claimed(
            issuer=terms.issuer,
            subject=subject,
            name=name[:_LONGEST_NAME] if isinstance(name, str) and name.isprintable() else "",
            grants=terms.grants(claims),
            proved=isinstance(amr, list) and any(one in _PROOFS for one in amr),
        )


@asynccontextmanager
async def open_issuers(path: Path) -> AsyncIterator[OpenIssuers]:
    """The directories of a file. Raises IssuersFileNotReadable."""
    known = read_issuers(path)
    async with httpx.AsyncClient() as client:
        yield OpenIssuers(known, client)


def _issuer_of(token: str) -> str:
    """Who a token says that it is from, which nobody has checked yet."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, ValueError):
        return ""
    return issuer if isinstance(issuer, str) else ""


async def _verified(terms: IssuerTerms, keys: KeySet, token: str) -> dict[str, Any]:
    try:
        head = jwt.get_unverified_header(token)
        key = await keys.key(str(head.get("kid")), str(head.get("alg")))
        if key is None:
            raise NoValidToken
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=terms.audience,
            issuer=terms.issuer,
            leeway=LEEWAY_S,
            options={"require": ["iss", "aud", "sub", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError):
        raise NoValidToken from None
    return claims
