"""A real OpenID Connect provider (Canaille), started beside the tests as a process of its own.

It listens on loopback, with one client and two people, of whom one is in the group `dinas`. A line
on its input makes it sign with a new key.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

CLIENT, SECRET, PASSWORD = "jumpa-madu", "a-secret-of-the-client", "kata sandi yang panjang"
OFFICIAL, STRANGER = "siti", "budi"


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider as a client and its people know it."""

    issuer: str
    process: "subprocess.Popen[str]"

    async def token_of(self, user: str) -> str:
        """An access token for somebody, by their password."""
        asked = {"grant_type": "password", "username": user, "password": PASSWORD}
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{self.issuer}/oauth/token",
                data={**asked, "scope": "openid profile groups"},
                auth=(CLIENT, SECRET),
            )
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    def rotate(self) -> None:
        """From now on sign with a new key; the old one is taken back."""
        self._say("rotate")

    def _say(self, word: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == word


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider for as long as the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.iam"],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield Provider(json.loads(process.stdout.readline())["issuer"], process)
        finally:
            process.kill()


def _serve() -> None:
    """What the process does."""
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer  # noqa: PLC0415

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_words: Any) -> None:
            return

    server = WSGIServer(("127.0.0.1", 0), Quiet)
    app = _application(server.server_port)
    server.set_app(app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _tell(json.dumps({"issuer": f"http://127.0.0.1:{server.server_port}"}))
    for line in sys.stdin:
        app.config["CANAILLE_OIDC"]["ACTIVE_JWKS"] = [_new_key()]
        _tell(line.strip())


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _application(port: int) -> Any:
    from canaille import create_app  # noqa: PLC0415

    app = create_app(
        config={
            "TESTING": True,
            "ENV_FILE": None,
            "SECRET_KEY": "only a test",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {
                "DATABASE": "memory",
                "JAVASCRIPT": False,
                "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
                "LOGGING": {"version": 1, "disable_existing_loggers": True},
            },
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [_new_key()]},
        },
        env_file=None,
    )
    with app.app_context():
        _fill()
    return app


def _fill() -> None:
    from canaille.app import models  # noqa: PLC0415
    from canaille.backends import Backend  # noqa: PLC0415

    keep = Backend.instance.save
    people = {
        name: models.User(
            formatted_name=name.title(),
            family_name=name,
            user_name=name,
            emails=[f"{name}@example.org"],
            password=PASSWORD,
        )
        for name in (OFFICIAL, STRANGER)
    }
    for person in people.values():
        keep(person)
    keep(models.Group(display_name="dinas", members=[people[OFFICIAL]]))
    client = models.Client(
        client_id=CLIENT,
        client_secret=SECRET,
        client_name="Jumpa Madu",
        grant_types=["password"],
        scope=["openid", "profile", "groups"],
        token_endpoint_auth_method="client_secret_basic",
        id_token_signed_response_alg="RS256",
    )
    keep(client)
    client.audience = [client]
    keep(client)


def _new_key() -> dict[str, Any]:
    from joserfc.jwk import RSAKey  # noqa: PLC0415

    made: dict[str, Any] = RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)
    return made


if __name__ == "__main__":
    _serve()
