"""Codes that an authenticator app shows: TOTP (RFC 6238), six digits every 30 seconds."""

from datetime import datetime
from hmac import compare_digest

STEP_S = 30
DIGITS = 6


def new_secret() -> str:
    """A secret of 160 bits, in base 32 as apps take it."""
    import pyotp  # noqa: PLC0415  No start needs to wait for it.

    return pyotp.random_base32()


def uri_of(secret: str, *, account: str) -> str:
    """What an app reads from a QR code: otpauth://totp/…"""
    import pyotp  # noqa: PLC0415  See above.

    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name="Jumpa Madu")


def code_at(secret: str, step: int) -> str:
    """The code of one step of 30 seconds, counted from 1970."""
    import pyotp  # noqa: PLC0415  See above.

    return pyotp.TOTP(secret).at(step * STEP_S)


def step_of(secret: str, said: str, at: datetime) -> int | None:
    """The step whose code was said, now or one before or after, as clocks differ; else None."""
    now = int(at.timestamp()) // STEP_S
    fitting = [
        step
        for step in (now - 1, now, now + 1)
        if compare_digest(code_at(secret, step).encode(), said.encode())
    ]
    return max(fitting, default=None)
