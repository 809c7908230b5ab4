"""What the audit says of a request: which act, about what, from where."""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlmodel.ext.asyncio.session import AsyncSession

from service import audit
from service.audit import Entry
from service.keys import Keys
from service.members import Caller

# What the last part of a path stands for, where it isn't its own singular.
_KINDS = {
    "name": "drawer",
    "gateway": "float",
    "members": "person",
    "join": "person",
    "claim": "pickup",
    "approvals": "payout",
    "policies": "policy",
    "put-in": "safe",
    "take-out": "safe",
    "residue": "sale",
    "counts": "stock_count",
    "column-maps": "column_map",
}
_NAMED = ("id", "person_id", "name")
"""What an answer calls the thing that was made, the first that is there."""
_PREFIX = {4: 24, 6: 48}
"""So much of an address is kept: a neighbourhood, and no household."""


@dataclass(frozen=True, slots=True)
class ActName:
    """An act of the API: `approve_payout` is about a payout, which its path names."""

    name: str
    kind: str
    parameter: str
    """Empty if the path names nothing but the bank."""


def name_of(endpoint: str, path: str) -> ActName:
    """The name of an act, from its endpoint and the noun in its path."""
    parts = path.split("/")
    named = [part[1:-1] for part in parts if part.startswith("{") and part != "{bank_id}"]
    parameter = named[-1] if named else ""
    noun = parameter.removesuffix("_id") or parts[-1]
    kind = _KINDS.get(noun, noun.removesuffix("s"))
    # A single word is a verb that other nouns have as well.
    return ActName(endpoint if "_" in endpoint else f"{endpoint}_{kind}", kind, parameter)


def entries_of(
    request: Request, act: ActName, caller: Caller, response: Response, keys: Keys
) -> list[Entry]:
    """What is written of an act that was answered: an entry, or one for each thing it touched."""
    about = _about(request, act, response)
    entry = replace(
        entry_of(request, act.name, caller),
        status=response.status_code,
        about_kind=act.kind,
        about=about,
        person_id=caller.on_behalf_of or _person(request, act, about),
    )
    touched = [replace(entry, about_kind=kind, about=str(one)) for kind, one in caller.touched]
    return touched or [entry]


def entry_of(request: Request, name: str, caller: Caller) -> Entry:
    """Who asks, and from where."""
    return Entry(
        act=name,
        actor_id=caller.person_id,
        on_behalf_of=caller.on_behalf_of,
        card_id=caller.shown.id if caller.shown else None,
        address=address_of(request),
        device_id=device_of(request),
    )


def address_of(request: Request) -> str:
    """The network that a request came from."""
    return network_of(request.client.host) if request.client else ""


@lru_cache(maxsize=10_000)
def network_of(host: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one; nothing of what is neither."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return str(ip_network(f"{address}/{_PREFIX[address.version]}", strict=False))


def device_of(request: Request) -> UUID | None:
    """Where the caller is signed in; none of a city's directory is."""
    device_id: UUID | None = getattr(request.state, "device_id", None)
    return device_id


async def note_own(request: Request, session: AsyncSession, person_id: UUID, act: str) -> None:
    """Note what somebody did with their own account."""
    address, device_id = address_of(request), device_of(request)
    await audit.note_own(session, person_id, act, address=address, device_id=device_id)


def _person(request: Request, act: ActName, about: str) -> UUID | None:
    """The person whose data it is about, where path or answer name them."""
    named = request.path_params.get("person_id")
    if named is not None:
        return UUID(str(named))
    return UUID(about) if act.kind in ("person", "collector") and about else None


def _about(request: Request, act: ActName, response: Response) -> str:
    """The id, day or name of what an act is about, as its path or its answer says."""
    if act.parameter:
        said = str(request.path_params[act.parameter])
        return str(UUID(said)) if act.parameter.endswith("_id") else said[:64]
    if response.status_code >= 400:
        return ""
    return _named_in(json.loads(bytes(response.body)))


def _named_in(answer: Any) -> str:
    found = (str(answer[name]) for name in _NAMED if isinstance(answer, dict) and name in answer)
    return next(found, "")[:64]
