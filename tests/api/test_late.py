"""Routes that are worked out when they are first asked for."""

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from service.api.dependencies import Parts
from service.api.late import LateRoute
from service.api.places import Places
from service.app import create_app
from service.settings import Settings


class Greeting(BaseModel):
    words: str


@pytest.fixture
def app() -> FastAPI:
    router = APIRouter(prefix="/greetings", route_class=LateRoute)

    @router.get("/{name}")
    async def greet(name: str, times: int = 1) -> Greeting:
        return Greeting(words=f"Halo {name}! " * times)

    made = FastAPI()
    made.state.settings, made.state.places = Settings(), Places(1)
    made.router.routes.extend(router.routes)
    return made


def asking(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://jumpa")


def worked_out(app: FastAPI) -> list[str]:
    return [
        route.path
        for route in app.routes
        if isinstance(route, LateRoute) and "dependant" in vars(route)
    ]


async def test_the_first_call_works_a_route_out(app: FastAPI) -> None:
    assert worked_out(app) == []
    async with asking(app) as client:
        first = await client.get("/greetings/Siti?times=2")
        again = await client.get("/greetings/Budi")
    assert first.json() == {"words": "Halo Siti! Halo Siti! "}
    assert again.json() == {"words": "Halo Budi! "}
    assert worked_out(app) == ["/greetings/{name}"]


async def test_a_late_route_checks_what_it_gets_from_the_first_call_on(app: FastAPI) -> None:
    async with asking(app) as client:
        assert (await client.get("/greetings/Siti?times=often")).status_code == 422


async def test_another_method_is_refused(app: FastAPI) -> None:
    async with asking(app) as client:
        refused = await client.post("/greetings/Siti")
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET"


def test_a_late_route_has_no_more_than_other_routes(app: FastAPI) -> None:
    route = next(route for route in app.routes if isinstance(route, LateRoute))
    assert not hasattr(route, "nothing_like_it")
    assert route.name == "greet"


async def test_a_start_works_out_no_route_but_the_one_that_is_called(parts: Parts) -> None:
    app = create_app(parts.settings)
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert all(isinstance(route, LateRoute) for route in routes)
    before = set(worked_out(app))
    async with asking(app) as client:
        assert (await client.get("/healthz")).status_code == 200
    assert set(worked_out(app)) == before | {"/healthz"}
