"""So much on the scale that somebody may have mistyped it: it is asked about before it is paid."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import among
from models.pickup import HELD, Pickup
from service import banks
from service.errors import FieldProblem, Malformed, in_words
from service.weighing.lines import Weighed

ORDINARY_GRAMS = 50_000
"""Nobody is asked about a pickup up to this: households guess, and guess too little."""
MANY_TIMES = 5
"""More than so many times all that was listed is unusual."""


_SECOND_LOOK = timedelta(minutes=30)
_HELD_AT_MOST = timedelta(hours=12)


class UnusualWeighing(Malformed):
    english = (
        "This is unusually heavy, and nothing was credited yet. Look at the scale again. If it is"
        ' right, send the same once more with "unusual_confirmed": true.'
    )
    indonesian = (
        "Berat ini tidak biasa, dan belum ada yang dicatat. Periksa timbangan sekali lagi. Bila"
        ' benar, kirim ulang yang sama dengan "unusual_confirmed": true.'
    )
    # Whoever was asked holds the job meanwhile.
    keeps_changes = True


def check_usual(
    weighed: Sequence[Weighed],
    *,
    carried_grams: int,
    listed_grams: int | None = None,
    confirmed: bool,
) -> None:
    """Ask once whether so much was meant. Raises UnusualWeighing, unless that is confirmed.

    `listed_grams` is all that the household listed, None if nothing was listed beforehand;
    `carried_grams` is what a vehicle of the bank carries. Only grams that are paid count, and
    all lines together: one that is mistyped may as well be two.
    """
    grams = [line.grams for line in weighed]
    most = max(carried_grams, listed_grams or 0)
    if listed_grams is not None:
        most = min(most, max(ORDINARY_GRAMS, MANY_TIMES * listed_grams))
    if sum(grams) > most and not confirmed:
        raise UnusualWeighing(_asked_about(grams, most, listed_grams))


def _asked_about(grams: Sequence[int], most: int, listed_grams: int | None) -> FieldProblem:
    """The heaviest line, which is the likeliest to be mistyped, and what speaks against it."""
    heaviest = max(range(len(grams)), key=grams.__getitem__)
    english = f"{in_words(sum(grams))} g in all; more than {in_words(most)} g is unusual here"
    indonesian = (
        f"Seluruhnya {in_words(sum(grams), 'id')} g; lebih dari {in_words(most, 'id')} g tidak"
        " biasa di sini"
    )
    if listed_grams is not None:
        english += f", where {in_words(listed_grams)} g were listed"
        indonesian += f", karena yang didaftarkan {in_words(listed_grams, 'id')} g"
    return FieldProblem(f"/weighings/{heaviest}/grams", f"{english}.", f"{indonesian}.")


async def check_pickup(
    session: AsyncSession,
    pickup: Pickup,
    weighed: Sequence[Weighed],
    now: datetime,
    *,
    confirmed: bool,
) -> None:
    """Ask once about a pickup's weight; who is asked keeps the job. Raises UnusualWeighing."""
    policy = await banks.policy_by_id(session, pickup.bank_id, pickup.policy_id)
    try:
        check_usual(
            weighed,
            carried_grams=policy.max_held_grams,
            listed_grams=pickup.estimated_grams,
            confirmed=confirmed,
        )
    except UnusualWeighing:
        await _keep_held(session, pickup, now)
        raise


async def _keep_held(session: AsyncSession, pickup: Pickup, now: datetime) -> None:
    """The waste has left the house: the claim lasts while the scale is looked at again.

    Not for ever, however often somebody is asked.
    """
    until = min(now + _SECOND_LOOK, (pickup.claimed_at or now) + _HELD_AT_MOST)
    await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id) == pickup.bank_id,
            col(Pickup.id) == pickup.id,
            col(Pickup.claim_number) == pickup.claim_number,
            among(col(Pickup.status), HELD),
            col(Pickup.claimed_until) < until,
        )
        .values(claimed_until=until)
    )
