"""Routes that are worked out when they are first asked for."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

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


class _Late(BaseModel):
    model_config = ConfigDict(defer_build=True)
    grams: int


def _read_before(body: _Late) -> int:
    return body.grams


def _read_twice(body: _Late, grams: Annotated[int, Depends(_read_before)]) -> int:
    return body.grams + grams


def test_a_body_that_two_ask_for_is_built_for_both_before_the_first_call() -> None:
    route = LateRoute("/twice", _read_twice, methods=["POST"])
    (inner,) = route.dependant.dependencies
    # What is built only now warns of an alias, and here every warning is an error.
    for field in (*route.dependant.body_params, *inner.body_params):
        assert field.validate({"grams": 5}) == (_Late(grams=5), [])
