"""What endpoints are handed: the parts of the application, sessions, the caller, a page."""

import base64
import binascii
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Role
from routing.geocode import Geocoder
from routing.roads import Router
from service import auth, oidc, payouts
from service.api import idempotency
from service.api.access import admit
from service.api.errors import IdempotencyKeyMissing, RequestMalformed, language_of
from service.auth import Identity, Outsider
from service.database import Database
from service.errors import FieldProblem, NotAllowed
from service.gateways import Gateways
from service.keys import Keys
from service.members import Caller
from service.messages import Messenger
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application was put together from."""

    settings: Settings
    database: Database
    keys: Keys
    messenger: Messenger
    geocoder: Geocoder | None
    router: Router | None = None
    gateways: Gateways | None = None
    issuers: oidc.Issuers | None = None
    lanes: payouts.Lanes[payouts.Call] = field(default_factory=payouts.Lanes)
    """Of callbacks, by gateway."""

    def gateways_of(self, bank_id: UUID) -> list[str]:
        """The names of the gateways that pay for a bank."""
        return [one.name for one in self.gateways.of(bank_id)] if self.gateways else []


def parts_of(request: Request) -> Parts:
    """The parts of the application that was asked."""
    parts: Parts = request.app.state.parts
    return parts


async def get_parts(request: Request) -> Parts:
    return parts_of(request)


CurrentParts = Annotated[Parts, Depends(get_parts)]

# What others depend on takes the parts from the request: FastAPI works a dependency out anew
# wherever it stands, and that costs more than what most of them do.


async def writing(request: Request) -> AsyncIterator[AsyncSession]:
    async with parts_of(request).database.transaction() as session:
        yield session


async def reading(request: Request) -> AsyncIterator[AsyncSession]:
    async with parts_of(request).database.reading() as session:
        yield session


async def reading_long(request: Request) -> AsyncIterator[AsyncSession]:
    async with parts_of(request).database.reading_long() as session:
        yield session


# With scope="function" the commit comes before the answer. By default it comes after, and
# a commit that fails would have been answered with 200 already.
Session = Annotated[AsyncSession, Depends(writing, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(reading, scope="function")]
LongReadSession = Annotated[AsyncSession, Depends(reading_long, scope="function")]

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An access token")


async def current_identity(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Identity | Outsider:
    """Whose access token came with the request. That they are still signed in is asked later.

    A token of a city's directory may need the network and a transaction of its own, so this comes
    before any session of the request is opened.
    """
    known_already: Identity | Outsider | None = getattr(request.state, "who", None)
    if known_already is not None:
        return known_already
    if credentials is None:
        raise auth.NoValidToken
    who = await _identify(parts_of(request), credentials.credentials)
    request.state.device_id = who.device_id if isinstance(who, Identity) else None
    await request.app.state.rates.take_person(who.person_id)
    request.state.who = who
    return who


async def _identify(parts: Parts, token: str) -> Identity | Outsider:
    officers_prove = parts.settings.officers_prove
    claimed = await parts.issuers.read(token) if parts.issuers else None
    if claimed is not None:
        return await oidc.identify(parts.database, claimed, officers_prove=officers_prove)
    person_id, device_id = auth.read_access_token(parts.keys, token)
    return Identity(person_id, device_id, officers_prove)


async def signed_in(request: Request) -> Identity | Outsider:
    """Whose access token came with a request of which nothing else was looked at. Raises NoValidToken."""
    return await current_identity(request, await _bearer(request))


CurrentIdentity = Annotated[Identity | Outsider, Depends(current_identity)]


async def current_device(who: CurrentIdentity) -> Identity:
    """Whoever signed in here. Raises NotAllowed for people of a directory, which signs them in."""
    if isinstance(who, Outsider):
        raise NotAllowed
    return who


CurrentDevice = Annotated[Identity, Depends(current_device)]


async def known(request: Request, session: AsyncSession, who: Identity | Outsider) -> Caller:
    """The caller as far as the route is theirs. Raises NoValidToken or NotAllowed."""
    return admit(request, await auth.caller_of(session, who))


async def reader(request: Request, who: CurrentIdentity, session: ReadSession) -> Caller:
    return await known(request, session, who)


async def admitted(request: Request, who: CurrentIdentity) -> Caller:
    """The caller of something that opens its session later."""
    async with parts_of(request).database.reading() as session:
        return await known(request, session, who)


async def owner(request: Request, who: CurrentIdentity, session: Session) -> Caller:
    """The caller of something that changes only what is their own, where a repeat does no harm."""
    return await known(request, session, who)


KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes a repeat of this request do nothing but answer the same again.",
    ),
]


async def actor(
    request: Request, who: CurrentIdentity, session: Session, key: KeyHeader = None
) -> Caller:
    """The caller of something that changes; answers at once what was answered before."""
    return admit(request, await idempotency.begin(request, session, who, key))


async def keyless(request: Request, who: CurrentIdentity, session: Session) -> Caller:
    """The caller of an act whose answer isn't remembered: a secret, or the same every time."""
    return admit(request, await idempotency.begin(request, session, who, None))


async def payer(
    request: Request, who: CurrentIdentity, session: Session, key: KeyHeader = None
) -> Caller:
    """The caller of something that moves money."""
    if key is None:
        raise IdempotencyKeyMissing
    return admit(request, await idempotency.begin(request, session, who, key))


async def taker(
    request: Request, who: CurrentIdentity, session: Session, key: KeyHeader = None
) -> Caller:
    """The caller of something for which the server chooses the bank."""
    return admit(request, await idempotency.begin(request, session, who, key, alone=True))


Reader = Annotated[Caller, Depends(reader)]
Admitted = Annotated[Caller, Depends(admitted)]
Owner = Annotated[Caller, Depends(owner)]
Actor = Annotated[Caller, Depends(actor)]
Keyless = Annotated[Caller, Depends(keyless)]
Payer = Annotated[Caller, Depends(payer)]
Taker = Annotated[Caller, Depends(taker)]


_LARGEST_NUMBER = 2**31 - 1
_PARTS = tuple(Role)
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: so many, after the one the cursor names."""

    limit: int
    cursor: str | None

    @property
    def before_id(self) -> UUID | None:
        raw = self._raw(16)
        return UUID(bytes=raw) if raw else None

    @property
    def before_number(self) -> int | None:
        raw = self._raw(8)
        if raw is None:
            return None
        number: int = struct.unpack(">q", raw)[0]
        if not 0 <= number <= _LARGEST_NUMBER:
            raise _cursor_not_ours()
        return number

    @property
    def after_part(self) -> tuple[UUID, Role] | None:
        """One part of one person, in a list where a person may have several."""
        raw = self._raw(17)
        if raw is None:
            return None
        if raw[16] >= len(_PARTS):
            raise _cursor_not_ours()
        return UUID(bytes=raw[:16]), _PARTS[raw[16]]

    def cut(self, found: Sequence[Row]) -> tuple[Sequence[Row], Row | None]:
        """What to show of rows that were asked for with one more than `limit`.

        The last of them comes beside it if more follow: the cursor names its place.
        """
        shown = found[: self.limit]
        return shown, shown[-1] if len(found) > self.limit else None

    def _raw(self, size: int) -> bytes | None:
        if self.cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != size:
            raise _cursor_not_ours()
        return raw


def cursor_of(place: UUID | int | tuple[UUID, Role]) -> str:
    """The opaque name of a place in a list."""
    if isinstance(place, UUID):
        raw = place.bytes
    elif isinstance(place, int):
        raw = struct.pack(">q", place)
    else:
        raw = place[0].bytes + bytes([_PARTS.index(place[1])])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _cursor_not_ours() -> RequestMalformed:
    return RequestMalformed(
        FieldProblem(
            "/cursor", "This cursor is not one of ours.", "Penanda halaman ini tidak dikenal."
        )
    )


async def page(
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Page:
    return Page(limit, cursor)


CurrentPage = Annotated[Page, Depends(page)]


def picture_language(
    request: Request,
    language: Annotated[
        Literal["id", "en"] | None,
        Query(description="Of the words in the picture; else as Accept-Language says"),
    ] = None,
) -> str:
    return language or language_of(request)


PictureLanguage = Annotated[str, Depends(picture_language)]
