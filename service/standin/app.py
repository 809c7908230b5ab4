"""The stand-in as an application: a gateway's API, and a few routes of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from service.standin import iris, xendit
from service.standin.answering import Answer
from service.standin.callbacks import Callbacks
from service.standin.control import Control
from service.standin.desk import Desk
from service.standin.options import Options
from service.standin.store import Store


def create_standin(options: Options) -> FastAPI:
    """The application; its store is opened here, its work begins when it starts."""
    store = Store(options.data_dir)
    told = xendit.told if options.gateway == "xendit" else iris.told
    desk = Desk(options, store, Callbacks(options, store, told))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(desk.callbacks.run()), asyncio.create_task(desk.run())]
        for task in tasks:
            task.add_done_callback(_say_if_broken)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await desk.callbacks.close()
            store.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(Answer, _answer)
    gateway = xendit.Xendit(desk) if options.gateway == "xendit" else iris.Iris(desk)
    app.include_router(gateway.routes())
    app.include_router(Control(desk).routes())
    return app


def _say_if_broken(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        logging.getLogger("uvicorn.error").error("The stand-in is broken.", exc_info=error)


async def _answer(_request: Request, answer: Exception) -> JSONResponse:
    assert isinstance(answer, Answer)  # noqa: S101  It is registered for nothing else.
    return answer.response
