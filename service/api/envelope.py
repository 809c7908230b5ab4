"""What goes with every answer: the number of the request, and what a browser must not do."""

import re
import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.observing import request_id

REQUEST_ID = "X-Request-Id"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PAGE = f"{_NOTHING}; style-src 'unsafe-inline'; img-src 'self' data:"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Pages and refusals are in the caller's language.
    "Vary": "Accept-Language",
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class Envelope:
    """Plain ASGI, and outermost: refusals of other middleware are dressed as well."""

    def __init__(self, app: ASGIApp, *, is_over_tls: bool) -> None:
        self._app = app
        self._headers = _always(is_over_tls=is_over_tls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = _id_of(Headers(scope=scope))
        token = request_id.set(asked)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = asked
                _add(headers, self._headers)
                _add(headers, _by_kind(scope["path"], headers.get("content-type", "")))
            await send(message)

        try:
            await self._app(scope, receive, dressed)
        finally:
            request_id.reset(token)


def dress(*, is_over_tls: bool) -> Mapping[str, str]:
    """What an answer of the API wears that doesn't come through here."""
    kept = {"Content-Security-Policy": _NOTHING, "Cache-Control": "no-store"}
    return _always(is_over_tls=is_over_tls) | kept


def _always(*, is_over_tls: bool) -> dict[str, str]:
    return _ALWAYS | (_OVER_TLS if is_over_tls else {})


def page_policy(*scripts: str) -> str:
    """The policy of a page that runs these inline scripts, and scripts and styles of ours."""
    return (
        f"{_NOTHING}; script-src 'self' {' '.join(scripts)}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; connect-src 'self'; font-src 'self'"
    )


def _id_of(headers: Headers) -> str:
    """The proxy's number if it is one, so that both logs name the same request."""
    given = headers.get(REQUEST_ID, "")
    return given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)


def _by_kind(path: str, content_type: str) -> Mapping[str, str]:
    policy = _PAGE if content_type.startswith(("text/html", "image/svg")) else _NOTHING
    kept = {"Cache-Control": "no-store"} if path.startswith("/v1/") else {}
    return {"Content-Security-Policy": policy} | kept


def _add(headers: MutableHeaders, more: Mapping[str, str]) -> None:
    for name, value in more.items():
        headers.setdefault(name, value)
