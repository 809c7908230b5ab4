"""The public keys of a directory: fetched when needed, kept, and fetched anew when they rotate."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt

from service.oidc.claimed import IssuerNotReached
from service.oidc.issuers import IssuerTerms, is_sealed

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
FRESH_S = 600.0
"""After that they are asked for again, so that a key that was taken back is no longer believed."""
PAUSE_S = 60.0
"""The least between two fetches: a made-up key id makes nobody ask more often."""
LONGEST_S = 86_400.0
"""For so long keys are believed of a directory that can't be reached."""
MOST_KEYS = 50
NOT_READ = (httpx.HTTPError, httpx.InvalidURL, ValueError)
"""What may come of asking for keys."""


class KeySet:
    """The keys of one directory, and the algorithms that it and we agree on."""

    def __init__(
        self,
        terms: IssuerTerms,
        client: httpx.AsyncClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terms, self._client, self._clock = terms, client, clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._algorithms: frozenset[str] = frozenset()
        self._fetched_at = self._tried_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def key(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """The key of this id if it is one for this algorithm. Raises IssuerNotReached."""
        async with self._one_at_a_time:
            if self._is_worth_a_fetch(key_id):
                await self._fetch()
        if self._clock() - self._fetched_at > LONGEST_S:
            raise IssuerNotReached
        key = self._keys.get(key_id)
        fits = key is not None and key.algorithm_name == algorithm and algorithm in self._algorithms
        return key if fits else None

    async def load(self) -> int:
        """Ask for the keys now; how many of them are for us. Raises one of NOT_READ."""
        url, algorithms = await self._where()
        self._keys = _usable(await self._read(url))
        self._algorithms = algorithms
        self._fetched_at = self._clock()
        return sum(key.algorithm_name in algorithms for key in self._keys.values())

    def _is_worth_a_fetch(self, key_id: str) -> bool:
        now = self._clock()
        is_old = now - self._fetched_at > FRESH_S
        return (is_old or key_id not in self._keys) and now - self._tried_at >= PAUSE_S

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            await self.load()
        except NOT_READ as error:
            log.warning("issuer_not_reached %s %s", self._terms.issuer, type(error).__name__)

    async def _where(self) -> tuple[str, frozenset[str]]:
        """The address of the keys, and the algorithms, as the directory describes itself."""
        ours = frozenset[str](self._terms.algorithms)
        if self._terms.jwks_url:
            return self._terms.jwks_url, ours
        described = await self._read(self._terms.discovery_url)
        url = described.get("jwks_uri")
        if described.get("issuer") != self._terms.issuer or not isinstance(url, str):
            raise ValueError("It describes another issuer.")
        if not is_sealed(url):
            raise ValueError("Its keys could be changed on the way.")
        theirs = described.get("id_token_signing_alg_values_supported")
        return url, ours & frozenset(theirs) if isinstance(theirs, list) else ours

    async def _read(self, url: str) -> dict[str, Any]:
        answer = await self._client.get(url, timeout=TIMEOUT_S, follow_redirects=False)
        body = answer.raise_for_status().json()
        if not answer.is_success or not isinstance(body, dict):
            raise ValueError("It answers something else.")
        return body


def _usable(described: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    """Those keys of a set that signatures can be checked with, by id; never a shared secret."""
    listed = described.get("keys")
    found: dict[str, jwt.PyJWK] = {}
    for one in listed[:MOST_KEYS] if isinstance(listed, list) else []:
        is_public = isinstance(one, dict) and one.get("kty") in ("RSA", "EC", "OKP")
        if not is_public or one.get("use", "sig") != "sig" or not isinstance(one.get("kid"), str):
            continue
        try:
            found[one["kid"]] = jwt.PyJWK(one)
        except jwt.PyJWTError:
            continue
    return found
