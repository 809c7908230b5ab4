"""Puts the parts together into an application; owns nothing."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from routing.geocode import Geocoder, Nominatim
from routing.roads import Router
from service.api import access, bank_statements, errors, nouns
from service.api.body_limit import BodyLimit
from service.api.dependencies import Parts
from service.api.description import describe
from service.api.envelope import REQUEST_ID, Envelope, dress
from service.api.files import UPLOADS
from service.api.heads import Heads
from service.api.measuring import Measuring
from service.api.places import Places, Shedding
from service.api.rates import AddressRates, Rates
from service.api.streams import Streams
from service.api.tags import TAGS
from service.audit import Seen
from service.database import Database, open_database, schema
from service.gateways import Gateways, beside
from service.gateways.opening import open_gateways
from service.keys import load_keys
from service.messages import FileMessenger, Messenger
from service.observing.tracing import telemetry
from service.oidc import Issuers
from service.payouts import Sender
from service.plans import Desk
from service.settings import Settings
from service.worker import Worker

VERSION = "0.1.0"
STATIC = Path(__file__).parent / "api" / "static"
DESCRIPTION = """
Waste banks: residents list recyclable waste, collectors claim the nearest jobs, what is
weighed is credited to a passbook, and paid out.

Errors are `application/problem+json` (RFC 9457); their types are documented under
[/problems](/problems). Money is whole rupiah, mass whole grams. A POST whose parameters name an
`Idempotency-Key` gives the first answer again for the same key and the same request; where
money moves it is required. The others may be repeated, or hand out something that is told
only once. A field of a body that is not described is refused, since it may be a mistyped one.
"""


def create_app(settings: Settings) -> FastAPI:
    """The application; its parts are made when it starts."""
    app = FastAPI(
        title="Jumpa Madu",
        version=VERSION,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=telemetry(is_wanted=settings.telemetry),
    )
    app.state.settings = settings
    app.state.streams = Streams(settings.event_streams)
    app.state.seen = Seen()
    app.add_middleware(
        BodyLimit,
        most_bytes=settings.max_body_bytes,
        larger={bank_statements.PATH: settings.max_statement_bytes},
    )
    app.state.places = Places(settings.at_work, least=-(-settings.at_work // 8))
    app.state.uploads = Places(UPLOADS)
    app.state.rates = Rates(settings)
    app.add_middleware(AddressRates, rates=app.state.rates)
    app.add_middleware(Measuring, writes_log=settings.writes_access_log)
    _let_in_origins(app, settings)
    is_over_tls = settings.environment == "production"
    app.add_middleware(Envelope, is_over_tls=is_over_tls)
    app.add_middleware(Shedding, places=app.state.places, dress=dress(is_over_tls=is_over_tls))
    app.add_middleware(Heads)
    errors.install(app)
    # Not included: that would work out every route a second time, at the first request.
    app.router.routes.extend(nouns.every_route())
    access.check(app.router.routes)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    describe(app)
    return app


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncIterator[Parts]:
    """Everything a server or worker needs, made from the settings and closed at the end."""
    database = open_database(
        settings.database,
        pool_size=settings.database_pool,
        prepared=settings.database_prepared,
    )
    messenger = _messenger(settings)
    try:
        async with (
            _router(settings) as router,
            _gateways(settings) as paying,
            _issuers(settings) as issuers,
        ):
            geocoder = _geocoder(settings)
            keys = load_keys(settings)
            yield Parts(settings, database, keys, messenger, geocoder, router, paying, issuers)
    finally:
        await messenger.close()
        await database.close()


@asynccontextmanager
async def working(parts: Parts) -> AsyncIterator[None]:
    """A worker beside whatever the block does."""
    stop = asyncio.Event()
    task = asyncio.create_task(work(parts, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def work(parts: Parts, stop: asyncio.Event) -> None:
    """Everything that happens without anybody asking, until told to stop."""
    kept = timedelta(days=parts.settings.location_days)
    worker = Worker(parts.database, parts.keys, parts.messenger, places_kept=kept)
    desk = Desk(parts.database, parts.router)
    # A plan takes minutes and a gateway may, and nobody's notice is to wait for them.
    running = [worker.run(stop), desk.run(stop)]
    if parts.gateways is not None:
        running.append(Sender(parts.database, parts.gateways).run(stop))
    await asyncio.gather(*running)


@contextmanager
def only_server(settings: Settings) -> Iterator[None]:
    """On SQLite: refuse to be a second server on the same file."""
    if not settings.is_sqlite:
        yield
        return
    path = Path(settings.database.removeprefix("sqlite:///")).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise schema.SchemaNotReady(
            f"Another server already runs on {path.with_suffix('.db')}."
            " One process serves one SQLite file; use PostgreSQL for more."
        ) from None
    else:
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    async with AsyncExitStack() as stack:
        stack.enter_context(only_server(settings))
        parts = await stack.enter_async_context(open_parts(settings))
        await _require_schema(parts.database)
        app.state.parts = parts
        stack.push_async_callback(app.state.rates.close)
        if settings.worker == "inside":
            await stack.enter_async_context(working(parts))
        yield


def _let_in_origins(app: FastAPI, settings: Settings) -> None:
    """Pages of other addresses may call only if they are named; tokens, not cookies, let in."""
    if not settings.origins:
        return
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415  Few need it.

    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.origins,
        allow_methods=["GET", "HEAD", "POST", "PATCH", "DELETE"],
        allow_headers=[
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "Last-Event-ID",
            "On-Behalf-Of-Card",
        ],
        expose_headers=["Idempotency-Replayed", "Retry-After", REQUEST_ID],
    )


async def _require_schema(database: Database) -> None:
    async with database.reading() as session:
        connection = await session.connection()
        lacking = await connection.run_sync(schema.problems)
    if lacking:
        raise schema.SchemaNotReady(
            f"The database is not ready: {'; '.join(lacking)}. Run `jumpa migrate` first."
        )


def _messenger(settings: Settings) -> Messenger:
    token = settings.whatsapp_token
    if settings.whatsapp_url and settings.whatsapp_phone_id and token and token.get_secret_value():
        # httpx is slow to import, and a start on the embedded default does without.
        from service.messages.whatsapp import (  # noqa: PLC0415
            WhatsAppMessenger,
            WhatsAppTemplates,
        )

        templates = WhatsAppTemplates(
            code=settings.whatsapp_code_template, notice=settings.whatsapp_notice_template
        )
        return WhatsAppMessenger(
            settings.whatsapp_url, settings.whatsapp_phone_id, token, templates
        )
    return FileMessenger(settings.data_dir / "messages.jsonl")


def _geocoder(settings: Settings) -> Geocoder | None:
    if not settings.nominatim_url:
        return None
    return Nominatim(settings.nominatim_url, settings.nominatim_user_agent)


@asynccontextmanager
async def _router(settings: Settings) -> AsyncIterator[Router | None]:
    if not settings.osrm_url:
        yield None
        return
    # Slow to import as well.
    import httpx  # noqa: PLC0415

    from routing.roads.osrm import Osrm  # noqa: PLC0415

    async with httpx.AsyncClient() as client:
        yield Router(Osrm(settings.osrm_url, client))


@asynccontextmanager
async def _gateways(settings: Settings) -> AsyncIterator[Gateways | None]:
    """Those of the file that is set; to try things out, the stand-in in a process beside."""
    if settings.gateways is not None:
        opened = open_gateways(settings.gateways)
        yield opened
        await opened.close()
    elif settings.plays_gateway:
        callbacks = f"http://{settings.host}:{settings.port}/v1/gateways/{beside.NAME}/callbacks"
        port = settings.standin_port
        async with beside.gateway_beside(settings.data_dir, callbacks, port=port) as opened:
            yield opened
    else:
        yield None


@asynccontextmanager
async def _issuers(settings: Settings) -> AsyncIterator[Issuers | None]:
    if settings.oidc is None:
        yield None
        return
    from service.oidc.opening import open_issuers  # noqa: PLC0415  Slow to import, as above.

    async with open_issuers(settings.oidc) as issuers:
        yield issuers
