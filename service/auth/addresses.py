"""How many codes one network address may ask for, whomever they are for."""

import math
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.sign_in import SignInCode
from service.auth.terms import Terms
from service.database import one_at_a_time
from service.errors import TooMany
from service.keys import Keys

_HOUR = timedelta(hours=1)


class TooManyFromHere(TooMany):
    english = "Too many codes were asked for from your network. Try again later."
    indonesian = "Terlalu banyak kode diminta dari jaringan Anda. Coba lagi nanti."


def hash_of(keys: Keys, address: str) -> str:
    """A keyed hash: enough to count by, and no note of who was where."""
    return keys.hash_of("address", household_of(address))


def household_of(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the 64 bits in front of an IPv6 one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), 64), strict=False))


async def check_rate(session: AsyncSession, terms: Terms, here: str, now: datetime) -> None:
    """Whether one more code may be asked for from here. Raises TooManyFromHere."""
    await one_at_a_time(session, f"codes from {here}")
    # If there is one that far back, this one would be one too many.
    first_that_counts = (
        select(SignInCode.created_at)
        .where(SignInCode.address == here, col(SignInCode.created_at) > now - _HOUR)
        .order_by(col(SignInCode.created_at).desc())
        .offset(terms.codes_per_address_hour - 1)
        .limit(1)
    )
    asked_at = (await session.exec(first_that_counts)).first()
    if asked_at is not None:
        left = asked_at + _HOUR - now
        raise TooManyFromHere(retry_after_s=math.ceil(left.total_seconds()))
