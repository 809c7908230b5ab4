"""How often codes of a phone may be asked for and tried: from each network, and from all.

Whoever knows a number can try codes for it. So each network has an allowance of its own, and
what is wrong with one takes nothing from the others; all of them together have one as well, or
a thousand networks would guess a thousand times. A network from which the phone was signed in
before doesn't share that one: strangers can't use it up for the owner.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, exists, func, or_
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.sign_in import SignInCode
from service.auth.terms import Terms
from service.errors import TooMany

MAX_TRIES = 5
MAX_TRIES_ELSEWHERE = 2
"""From a network that didn't ask for the code, as long as nobody tried more than that: phones
change networks, and the rest is for who asked."""
MAX_TRIES_A_DAY = 20
"""Wrong ones of the codes that one network asked for: more codes are no more guesses."""
MAX_TRIES_OF_ALL = 100
NETWORKS = MAX_TRIES_OF_ALL // MAX_TRIES_A_DAY
"""So many can do their worst before all others are told to wait."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
KNOWN = timedelta(days=90)
"""So long does a network count as one of the phone's, after a sign-in from it."""


class TooManyCodes(TooMany):
    english = "Too many codes were asked for this number. Try again later."
    indonesian = "Terlalu banyak kode diminta untuk nomor ini. Coba lagi nanti."


class TooManyWrongCodes(TooMany):
    english = "Too many wrong codes were tried for this number within a day. Try again later."
    indonesian = "Terlalu banyak kode salah dicoba untuk nomor ini dalam sehari. Coba lagi nanti."


async def check(
    session: AsyncSession, terms: Terms, codes: Sequence[SignInCode], here: str, now: datetime
) -> None:
    """Whether one more code may be asked for from here, of a day's codes of a phone, newest first.

    Raises TooManyCodes or TooManyWrongCodes.
    """
    own = [code for code in codes if code.address == here]
    _check_rate(own, terms.codes_per_hour, now)
    _check_guesses(own, MAX_TRIES_A_DAY, now)
    if codes and not await _is_known(session, codes[0].phone_hash, here, now):
        _check_rate(codes, NETWORKS * terms.codes_per_hour, now)
        _check_guesses(codes, MAX_TRIES_OF_ALL, now)


def may_be_tried(whose: str, here: str, now: datetime) -> ColumnElement[bool]:
    """Of a code of the phone: whether it may be tried from here once more."""
    from_here = col(SignInCode.address) == here
    of_network = _wrong_tries(whose, now, of=col(SignInCode.address))
    return and_(
        col(SignInCode.tries) < case((from_here, MAX_TRIES), else_=MAX_TRIES_ELSEWHERE),
        of_network < MAX_TRIES_A_DAY,
        or_(_wrong_tries(whose, now) < MAX_TRIES_OF_ALL, _signed_in(whose, here, now)),
    )


def last_alive(own: Sequence[SignInCode]) -> SignInCode | None:
    """The newest code that wasn't used, if it can still be tried, of a day's codes of a network."""
    last = next((code for code in own if code.used_at is None), None)
    is_dead = last is None or last.tries >= MAX_TRIES
    return None if is_dead or sum(code.tries for code in own) >= MAX_TRIES_A_DAY else last


def seconds(span: timedelta) -> int:
    """Whole seconds after which the span has surely passed."""
    return math.ceil(span.total_seconds())


def _check_rate(codes: Sequence[SignInCode], most: int, now: datetime) -> None:
    unused = [code for code in codes if code.used_at is None and code.created_at > now - _HOUR]
    if len(unused) >= most:
        raise TooManyCodes(retry_after_s=seconds(unused[-1].created_at + _HOUR - now))


def _check_guesses(codes: Sequence[SignInCode], most: int, now: datetime) -> None:
    """Refuse to send what could not be used, until enough wrong tries are a day old."""
    tries = 0
    for code in codes:
        tries += code.tries
        if tries >= most:
            raise TooManyWrongCodes(retry_after_s=seconds(code.created_at + _DAY - now))


async def _is_known(session: AsyncSession, whose: str, here: str, now: datetime) -> bool:
    return (await session.exec(select(_signed_in(whose, here, now)))).one()


def _signed_in(whose: str, here: str, now: datetime) -> ColumnElement[bool]:
    """Whether a code of the phone that was asked for from here was used lately."""
    other = aliased(SignInCode)
    return exists().where(
        col(other.phone_hash) == whose,
        col(other.created_at) > now - KNOWN,
        col(other.address) == here,
        col(other.used_at).is_not(None),
    )


def _wrong_tries(whose: str, now: datetime, *, of: Mapped[str] | None = None) -> ColumnElement[int]:
    """How often codes of a phone were tried wrongly, in the statement that counts a try."""
    other = aliased(SignInCode)
    counted = select(func.coalesce(func.sum(other.tries), 0)).where(
        col(other.phone_hash) == whose, col(other.created_at) > now - _DAY
    )
    return (counted if of is None else counted.where(col(other.address) == of)).scalar_subquery()
