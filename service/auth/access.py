"""Access tokens: signed, short-lived, read without a look-up."""

from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from models.base import utc_now
from service.errors import NotSignedIn
from service.keys import Keys


class NoValidToken(NotSignedIn):
    english = "Sign in first: a valid access token is needed."
    indonesian = "Silakan masuk terlebih dahulu: token akses tidak ada atau tidak berlaku."


def access_token(keys: Keys, person_id: UUID, family_id: UUID, *, lifetime_s: int) -> str:
    """A signed token that says who is asking; it needs no look-up."""
    import jwt  # noqa: PLC0415  Slow to import, and a start does without.

    now = utc_now()
    claims = {
        "sub": str(person_id),
        "typ": "access",
        "sid": str(family_id),
        "iat": now,
        "exp": now + timedelta(seconds=lifetime_s),
    }
    return jwt.encode(claims, keys.signing, algorithm="EdDSA")


def person_of_access_token(keys: Keys, token: str) -> UUID:
    """Whose access token it is. Raises NoValidToken."""
    person_id, expires_at = _verified(keys, token)
    if expires_at <= utc_now().timestamp():
        raise NoValidToken
    return person_id


@lru_cache(maxsize=10_000)
def _verified(keys: Keys, token: str) -> tuple[UUID, float]:
    """Whose token it is and until when; a signature is checked once, the time every time."""
    import jwt  # noqa: PLC0415  See above.

    try:
        claims = jwt.decode(
            token,
            keys.signing.public_key(),
            algorithms=["EdDSA"],
            options={"require": ["exp", "sub", "typ"]},
        )
        if claims["typ"] != "access":
            raise NoValidToken
        return UUID(claims["sub"]), float(claims["exp"])
    except (jwt.PyJWTError, ValueError):
        raise NoValidToken from None
