"""HEAD: what GET would answer, without the body (RFC 9110, 9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Heads:
    """Plain ASGI, and outermost: to everything within, it is the GET that it asks about.

    So what may be read, by whom and how often is said once, no route has another method, and
    logs and figures count it as the GET that it costs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def head_only(message: Message) -> None:
            # Over with its head, so that a stream ends as if its reader had left.
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})

        # The server looks at its own scope: it must know that no body follows.
        await self._app({**scope, "method": "GET"}, receive, head_only)
