"""A local stand-in that answers /search as a Nominatim server does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KESAWAN = {
    "place_id": 227_000_001,
    "licence": "Data © OpenStreetMap contributors, ODbL 1.0.",
    "osm_type": "way",
    "osm_id": 4_217,
    "lat": "3.5861",
    "lon": "98.6784",
    "class": "highway",
    "type": "residential",
    "importance": 0.41,
    "display_name": "Kesawan, Medan, Sumatera Utara, Indonesia",
    "boundingbox": ["3.5851", "3.5871", "98.6774", "98.6794"],
}


@dataclass
class StandIn:
    """What it will answer, and what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = json.dumps([KESAWAN]).encode()
    headers: dict[str, str] = field(default_factory=dict)
    answer: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def questions(self) -> list[str]:
        return [query["q"] for _, query in self.asked]

    def note(self, target: str, agent: str) -> None:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((parts.path, query))
        self.agents.append(agent)


@contextmanager
def running() -> Iterator[StandIn]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    stand_in = StandIn()
    stand_in.answer.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stand_in))
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.answer.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    counting = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with counting:
                stand_in.note(self.path, self.headers["User-Agent"])
                stand_in.at_once += 1
                stand_in.most_at_once = max(stand_in.most_at_once, stand_in.at_once)
            stand_in.reached.set()
            stand_in.answer.wait(5)
            with counting:
                stand_in.at_once -= 1
            self._send()

        def _send(self) -> None:
            try:
                self.send_response(stand_in.status)
                headers = {"Content-Length": str(len(stand_in.body)), **stand_in.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(stand_in.body)
            except ConnectionError:
                # The one who asked has given up.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: the test tells what happened."""

    return Handler
