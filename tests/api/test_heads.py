"""HEAD: the answer to GET without its body, and no route of its own."""

import asyncio

import pytest

from tests.api.asking import Asking
from tests.factories import Town

PAGES = ("/docs", "/openapi.json", "/problems", "/problems/no_such_path", "/healthz", "/readyz")
OTHERS = ("/", "/nowhere", "/v1/me", "/v1/materials", "/static/swagger-ui/swagger-ui.css")
DIFFERENT = {"x-request-id", "date"}
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_what_can_be_read_has_a_head(asking: Asking, quiet: Town) -> None:
    for path in (*PAGES, *OTHERS):
        headers = asking.headers(quiet.resident)
        whole = await asking.client.get(path, headers=headers)
        head = await asking.client.head(path, headers=headers)
        assert (head.status_code, head.content) == (whole.status_code, b""), path
        for name in {*whole.headers} - DIFFERENT:
            assert head.headers[name] == whole.headers[name], (path, name)
        assert int(head.headers["Content-Length"]) == len(whole.content)


async def test_who_may_not_read_has_none(asking: Asking, quiet: Town) -> None:
    path = f"/v1/banks/{quiet.bank_id}/buyers"
    for who, status in ((None, 401), (quiet.resident, 403), (quiet.operator, 200)):
        headers = asking.headers(who) if who else {}
        assert (await asking.client.head(path, headers=headers)).status_code == status


async def test_the_head_of_a_stream_ends(asking: Asking, quiet: Town) -> None:
    async with asyncio.timeout(20):
        headers = asking.headers(quiet.resident)
        answer = await asking.client.head("/v1/events", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")


async def test_what_can_not_be_read_has_none(asking: Asking) -> None:
    answer = await asking.client.head("/v1/auth/codes")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
