"""From a typed address to a point, through a Nominatim server and within its rules."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from routing.geo import Point

LONGEST_ADDRESS = 300
"""Characters; longer text is no address."""

# At DEBUG and INFO geopy writes the address, or what the server said of it, into the log.
logging.getLogger("geopy").setLevel(logging.WARNING)


class GeocodingFailed(Exception):
    """No answer, for a reason that lies with the service: worth another try later."""


class Geocoder(Protocol):
    """Anything that finds addresses."""

    async def locate(self, address: str) -> Point | None:
        """Return where the address is, or None if it is not known.

        Raises ValueError for a text that is no address, GeocodingFailed without an answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a geocoder may use: time, its share of the server, memory.

    Public servers allow one request a second; a server of one's own may allow more.
    """

    timeout_s: float = 5.0
    interval_s: float = 1.0
    waiting: int = 5
    cached: int = 10_000


@dataclass(frozen=True, slots=True)
class Timing:
    """Where time comes from and how it passes; tests bring their own."""

    clock_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Nominatim:
    """A Nominatim server at a URL with http or https, a host, and a path if it has one.

    The usage policy binds the whole process, so make one and share it, in one event loop:
    requests go out one at a time, at least an interval apart; every answer is remembered,
    also that there is none; equal questions asked at once are sent once.
    `user_agent` must name the application and a contact.
    """

    def __init__(
        self,
        url: str,
        user_agent: str,
        *,
        country: str = "id",
        limits: Limits = Limits(),
        timing: Timing = Timing(),
    ) -> None:
        """Raise ValueError for a URL of another kind or an empty user agent."""
        self._geopy = _client(url, user_agent, limits.timeout_s)
        self._country = country
        self._limits = limits
        self._timing = timing
        self._known: OrderedDict[str, Point | None] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Point | None]] = {}
        self._turn = asyncio.Lock()
        self._free_at_s = timing.clock_s()

    async def locate(self, address: str) -> Point | None:
        """Return where the address is, or None if the server does not know it.

        Upper and lower case and repeated blanks make no difference. Raises ValueError for
        an empty address or one over 300 characters, GeocodingFailed if the server does not
        answer properly or in time, or too many addresses wait already.
        """
        question = _tidied(address)
        key = question.casefold()
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        # One who gives up must not take the answer from the others who wait for it.
        return await asyncio.shield(self._asking.get(key) or self._start(key, question))

    def _start(self, key: str, question: str) -> asyncio.Task[Point | None]:
        if len(self._asking) >= self._limits.waiting:
            raise GeocodingFailed("Too many addresses are being looked up. Try again later.")
        task = asyncio.create_task(self._ask(question))
        self._asking[key] = task
        task.add_done_callback(lambda done: self._finish(key, done))
        return task

    def _finish(self, key: str, task: asyncio.Task[Point | None]) -> None:
        del self._asking[key]
        # Failures are not remembered: the next to ask tries again.
        if task.cancelled() or task.exception():
            return
        self._known[key] = task.result()
        if len(self._known) > self._limits.cached:
            self._known.popitem(last=False)

    async def _ask(self, question: str) -> Point | None:
        async with self._turn:
            await self._timing.sleep(max(0.0, self._free_at_s - self._timing.clock_s()))
            self._free_at_s = self._timing.clock_s() + self._limits.interval_s
            return await asyncio.to_thread(self._search, question)

    def _search(self, question: str) -> Point | None:
        """Ask the server and wait, in a thread of its own: geopy blocks."""
        from geopy.exc import GeocoderTimedOut  # noqa: PLC0415 - see _client

        # Its errors quote what the server said, and that can be the address; so no cause is
        # kept. Anything may come out of a body that is not what Nominatim sends.
        try:
            found = self._geopy.geocode(question, country_codes=self._country)
            return _point(found.raw) if found else None
        except GeocoderTimedOut:
            raise GeocodingFailed("The address service did not answer in time.") from None
        except Exception:
            raise GeocodingFailed("The address service gave no proper answer.") from None


def _client(url: str, user_agent: str, timeout_s: float) -> Any:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("A geocoder's URL is http or https, a host, and perhaps a path.")
    if not user_agent.strip():
        raise ValueError("A geocoder needs a user agent that names the application.")
    # Slow to import, and most installations look no addresses up.
    from geopy.adapters import URLLibAdapter  # noqa: PLC0415
    from geopy.geocoders import Nominatim as Client  # noqa: PLC0415

    return Client(
        scheme=parts.scheme,
        domain=parts.netloc + parts.path,
        user_agent=user_agent,
        timeout=timeout_s,
        adapter_factory=URLLibAdapter,
    )


def _tidied(address: str) -> str:
    question = " ".join(address.split())
    if not question or len(address) > LONGEST_ADDRESS:
        raise ValueError(f"An address has 1 to {LONGEST_ADDRESS} characters.")
    return question


def _point(place: dict[str, Any]) -> Point:
    # Not from geopy's Location: it puts an answer without coordinates at 0, 0 and wraps
    # those that are off the globe.
    point = Point(float(place["lat"]), float(place["lon"]))
    if not (-90 <= point.lat <= 90 and -180 <= point.lon <= 180):
        raise ValueError("The answer is off the globe.")
    return point
