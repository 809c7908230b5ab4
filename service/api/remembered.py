"""What is kept of an answer, and what is shown of it to who asks again.

Codes follow from what they are for, so they are left out and told again. And an old answer shows
no household that its reader wouldn't be shown now.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from routing.geo import Point, about
from service import households
from service.keys import Keys
from service.members import Caller

CODES: Mapping[str, Callable[[Keys, UUID], str]] = {
    "handover_code": Keys.handover_code,
    "payout_code": Keys.payout_code,
}
"""The fields that tell a code, which follows from the `id` beside it."""
# Within a text every quotation mark has a backslash before it, so nothing that people write fits.
_TOLD = re.compile(rf'"({"|".join(CODES)})":"\d+"')
_LEFT_OUT = tuple(f'"{name}":""' for name in CODES)
_DOOR = '"address":"'


def kept(body: str) -> str:
    """The body of an answer without the codes in it."""
    return _TOLD.sub(r'"\1":""', body)


async def shown_again(session: AsyncSession, caller: Caller, keys: Keys, body: str) -> str:
    """The body as it was answered, as far as the caller may still see it."""
    if _DOOR not in body and not any(mark in body for mark in _LEFT_OUT):
        return body
    answer = json.loads(body)
    things = list(_things_in(answer))
    for thing in things:
        _tell_codes(keys, thing)
    await _hide_doors(session, caller, [thing for thing in things if "address" in thing])
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def _things_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from _things_in(inner)


def _tell_codes(keys: Keys, thing: dict[str, Any]) -> None:
    for name, code_of in CODES.items():
        if thing.get(name) == "":
            thing[name] = code_of(keys, UUID(thing["id"]))


async def _hide_doors(
    session: AsyncSession, caller: Caller, things: Sequence[dict[str, Any]]
) -> None:
    places = [(_pickup_in(thing), thing) for thing in things]
    ids = {pickup_id for pickup_id, _ in places if pickup_id is not None}
    hidden = await households.hidden_from(session, caller, ids)
    for pickup_id, thing in places:
        if pickup_id in hidden:
            _hide_door(thing)


def _pickup_in(thing: Mapping[str, Any]) -> UUID | None:
    named = thing["pickup_id"] if "pickup_id" in thing else thing.get("id")
    return UUID(named) if named else None


def _hide_door(thing: dict[str, Any]) -> None:
    place = about(Point(**thing["position"]))
    thing |= {"address": "", "position": {"lat": place.lat, "lon": place.lon}}
    for name, nothing in (("note", ""), ("resident", None)):
        if name in thing:
            thing[name] = nothing
