"""Addresses to points, asked of a real server on this machine."""

import asyncio
import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from routing.geo import Point
from routing.geocode import Geocoder, GeocodingFailed, Limits, Nominatim, Timing
from tests.routing.nominatim import StandIn, running

AGENT = "jumpa-madu-tests/1 (tests@example.org)"
KESAWAN = Point(3.5861, 98.6784)
FAST = Limits(interval_s=0.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with running() as stand_in:
        yield stand_in


@dataclass
class Watch:
    """A clock that only sleeping moves."""

    now_s: float = 1_000.0
    slept_s: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)

    def timing(self) -> Timing:
        return Timing(clock_s=lambda: self.now_s, sleep=self.sleep)


async def until_asked(server: StandIn) -> None:
    assert await asyncio.to_thread(server.reached.wait, 5)


async def test_an_address_becomes_a_point(server: StandIn) -> None:
    geocoder: Geocoder = Nominatim(server.url, AGENT, limits=FAST)
    assert await geocoder.locate("Jalan Kesawan, Medan") == KESAWAN


async def test_the_server_learns_the_application_and_the_country(server: StandIn) -> None:
    await Nominatim(server.url, AGENT, limits=FAST).locate("Jalan Kesawan")
    [(path, query)] = server.asked
    assert (path, query["q"], query["countrycodes"]) == ("/search", "Jalan Kesawan", "id")
    assert server.agents == [AGENT]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_server_may_live_under_a_path(server: StandIn, slash: str) -> None:
    url = f"{server.url}/maps/nominatim{slash}"
    assert await Nominatim(url, AGENT, limits=FAST).locate("Kesawan") == KESAWAN
    assert server.asked[0][0] == "/maps/nominatim/search"


async def test_an_unknown_address_is_nowhere(server: StandIn) -> None:
    server.body = b"[]"
    assert await Nominatim(server.url, AGENT, limits=FAST).locate("Jalan Entah") is None


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
async def test_an_error_of_the_server_is_a_failure(server: StandIn, status: int) -> None:
    server.status = status
    with pytest.raises(GeocodingFailed, match="address service"):
        await Nominatim(server.url, AGENT, limits=FAST).locate("Kesawan")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>busy</html>",
        b"\xff\xfe\xff",
        b'"Kesawan"',
        b"[[1, 2]]",
        b"[{}]",
        b'[{"lat": "3.5"}]',
        b'[{"lat": null, "lon": null}]',
        b'[{"lat": "north", "lon": "98.6"}]',
        b'[{"lat": "98.6", "lon": "3.5"}]',
        b'[{"lat": "3.5", "lon": "458.6"}]',
        b'[{"lat": "nan", "lon": "98.6"}]',
        b'{"error": "Kesawan"}',
    ],
)
async def test_an_answer_that_is_no_place_is_a_failure(server: StandIn, body: bytes) -> None:
    server.body = body
    with pytest.raises(GeocodingFailed, match="no proper answer"):
        await Nominatim(server.url, AGENT, limits=FAST).locate("Kesawan")


async def test_an_answer_cut_off_is_a_failure(server: StandIn) -> None:
    server.headers = {"Content-Length": "5000"}
    limits = Limits(interval_s=0.0, timeout_s=0.2)
    with pytest.raises(GeocodingFailed):
        await Nominatim(server.url, AGENT, limits=limits).locate("Kesawan")


async def test_a_slow_server_is_not_waited_for(server: StandIn) -> None:
    server.answer.clear()
    limits = Limits(interval_s=0.0, timeout_s=0.1)
    with pytest.raises(GeocodingFailed, match="in time"):
        await Nominatim(server.url, AGENT, limits=limits).locate("Kesawan")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_server_is_a_failure(scheme: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"{scheme}://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(GeocodingFailed):
            await Nominatim(url, AGENT, limits=FAST).locate("Kesawan")


async def test_https_is_spoken_to_a_url_with_https(server: StandIn) -> None:
    # The stand-in speaks plain HTTP, so the handshake fails and no request arrives.
    url = server.url.replace("http:", "https:")
    with pytest.raises(GeocodingFailed):
        await Nominatim(url, AGENT, limits=FAST).locate("Kesawan")
    assert server.asked == []


async def test_a_second_passes_between_requests(server: StandIn) -> None:
    watch = Watch()
    geocoder = Nominatim(server.url, AGENT, timing=watch.timing())
    await asyncio.gather(*(geocoder.locate(f"Jalan {number}") for number in range(4)))
    assert watch.slept_s == [0.0, 1.0, 1.0, 1.0]
    watch.now_s += 0.25
    await geocoder.locate("Jalan 4")
    watch.now_s += 10.0
    await geocoder.locate("Jalan 5")
    assert watch.slept_s[4:] == [0.75, 0.0]


async def test_a_failure_counts_as_a_request(server: StandIn) -> None:
    watch = Watch()
    server.status = 500
    geocoder = Nominatim(server.url, AGENT, timing=watch.timing())
    for _ in range(2):
        with pytest.raises(GeocodingFailed):
            await geocoder.locate("Kesawan")
    assert watch.slept_s == [0.0, 1.0]


async def test_requests_go_out_one_at_a_time(server: StandIn) -> None:
    geocoder = Nominatim(server.url, AGENT, limits=FAST)
    server.answer.clear()
    asking = [asyncio.create_task(geocoder.locate(f"Jalan {number}")) for number in range(4)]
    await until_asked(server)
    await asyncio.sleep(0.05)
    server.answer.set()
    await asyncio.gather(*asking)
    assert (len(server.asked), server.most_at_once) == (4, 1)


async def test_what_was_found_is_not_asked_again(server: StandIn) -> None:
    geocoder = Nominatim(server.url, AGENT, limits=FAST)
    for address in ("Jalan Kesawan", "  jalan   KESAWAN\n"):
        assert await geocoder.locate(address) == KESAWAN
    assert server.questions == ["Jalan Kesawan"]


async def test_what_was_not_found_is_not_asked_again(server: StandIn) -> None:
    server.body = json.dumps([]).encode()
    geocoder = Nominatim(server.url, AGENT, limits=FAST)
    assert [await geocoder.locate("Jalan Entah") for _ in range(2)] == [None, None]
    assert len(server.asked) == 1


async def test_a_failure_is_not_remembered(server: StandIn) -> None:
    geocoder = Nominatim(server.url, AGENT, limits=FAST)
    server.status = 500
    with pytest.raises(GeocodingFailed):
        await geocoder.locate("Kesawan")
    server.status = 200
    assert await geocoder.locate("Kesawan") == KESAWAN


async def test_the_answer_unused_for_longest_is_forgotten_first(server: StandIn) -> None:
    geocoder = Nominatim(server.url, AGENT, limits=Limits(interval_s=0.0, cached=2))
    for address in ("a", "b", "a", "c", "a", "b"):
        await geocoder.locate(address)
    assert server.questions == ["a", "b", "c", "b"]


async def test_equal_questions_at_once_are_asked_once(server: StandIn) -> None:
    geocoder = Nominatim(server.url, AGENT, limits=FAST)
    points = await asyncio.gather(*(geocoder.locate("Kesawan") for _ in range(5)))
    assert (points, len(server.asked)) == ([KESAWAN] * 5, 1)


async def test_a_failure_reaches_everyone_who_waits(server: StandIn) -> None:
    server.status = 500
    geocoder = Nominatim(server.url, AGENT, limits=FAST)
    asking = (geocoder.locate("Kesawan") for _ in range(3))
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [GeocodingFailed] * 3
    assert len(server.asked) == 1


async def test_one_who_gives_up_does_not_spoil_it_for_the_others(server: StandIn) -> None:
    geocoder = Nominatim(server.url, AGENT, limits=FAST)
    server.answer.clear()
    impatient, patient = (asyncio.create_task(geocoder.locate("Kesawan")) for _ in range(2))
    await until_asked(server)
    impatient.cancel()
    await asyncio.wait([impatient])
    server.answer.set()
    assert await patient == KESAWAN
    assert impatient.cancelled()


async def test_a_long_queue_is_refused_at_once(server: StandIn) -> None:
    geocoder = Nominatim(server.url, AGENT, limits=Limits(interval_s=0.0, waiting=2))
    server.answer.clear()
    asking = [asyncio.create_task(geocoder.locate(address)) for address in ("a", "b")]
    await until_asked(server)
    with pytest.raises(GeocodingFailed, match="Too many"):
        await geocoder.locate("c")
    server.answer.set()
    assert await asyncio.gather(*asking) == [KESAWAN, KESAWAN]
    assert await geocoder.locate("c") == KESAWAN


@pytest.mark.parametrize("address", ["", " \n", "x" * 301])
async def test_a_text_that_is_no_address_is_refused_unasked(server: StandIn, address: str) -> None:
    with pytest.raises(ValueError, match="1 to 300 characters"):
        await Nominatim(server.url, AGENT, limits=FAST).locate(address)
    assert server.asked == []


@pytest.mark.parametrize("address", ["x" * 300, "Jl. Ahmad Yani №5 & q=1 #2", "地址", "a\x00b"])
async def test_an_address_arrives_as_it_was_typed(server: StandIn, address: str) -> None:
    await Nominatim(server.url, AGENT, limits=FAST).locate(address)
    assert server.questions == [address]


async def test_text_that_cannot_be_sent_is_a_failure(server: StandIn) -> None:
    with pytest.raises(GeocodingFailed):
        await Nominatim(server.url, AGENT, limits=FAST).locate("Jalan \ud800")
    assert server.asked == []


@pytest.mark.parametrize("status", [200, 500])
async def test_no_log_line_or_traceback_holds_the_address(
    server: StandIn, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    server.status, server.body = status, b"no place called Kesawan"
    with pytest.raises(GeocodingFailed) as failure:
        await Nominatim(server.url, AGENT, limits=FAST).locate("Kesawan")
    assert failure.value.__suppress_context__
    assert "Kesawan" not in caplog.text + str(failure.value)


@pytest.mark.parametrize(
    "url",
    ["", "nominatim.example", "ftp://nominatim.example", "http://", "https://a.example?x=1"],
)
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Nominatim(url, AGENT)


def test_a_geocoder_must_say_who_it_is() -> None:
    with pytest.raises(ValueError, match="user agent"):
        Nominatim("https://nominatim.example", " ")
