"""Databases at the newest schema. Migrating one takes as long as many tests do: it is done once,
and who needs a database of their own gets a copy."""

import asyncio
import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url

from service.database import Database, open_database, schema
from tests import factories, tenancy
from tests.postgresql import on_server

TEMPLATE = "JUMPA_TEST_TEMPLATE"
"""Names the file of SQLite that is copied; the first that needs it makes it."""


def file_at(path: Path) -> str:
    """The URL of a new file of SQLite."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(_template(), path)
    return f"sqlite:///{path}"


@cache
def _template() -> Path:
    made = Path(os.environ.get(TEMPLATE) or _folder() / "template.db")
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            half_done = made.with_suffix(".part")
            half_done.unlink(missing_ok=True)
            schema.upgrade(f"sqlite:///{half_done}")
            half_done.rename(made)
    return made


def _folder() -> Path:
    made = tempfile.mkdtemp(prefix="jumpa-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


@asynccontextmanager
async def opened(url: str, *, pool_size: int = 10) -> AsyncIterator[Database]:
    """A database whose every statement is watched for naming its bank, with materials."""
    database = open_database(url, pool_size=pool_size)
    tenancy.watch(database)
    async with database.transaction() as session:
        await factories.load_materials(session)
    yield database
    await database.close()
    await asyncio.sleep(0)


@contextmanager
def on_server_of(url: str) -> Iterator[str]:
    """The URL of a new database on this server of PostgreSQL, which goes with the block."""
    with _created(url) as made:
        schema.upgrade(made)
        yield made


@contextmanager
def copy_of(template: str) -> Iterator[str]:
    """The URL of a copy of a database of PostgreSQL to which nobody is connected."""
    with _created(template, f"TEMPLATE {make_url(template).database}") as made:
        yield made


@contextmanager
def _created(url: str, how: str = "") -> Iterator[str]:
    name = f"own_{uuid4().hex}"
    on_server(url, f"CREATE DATABASE {name} {how}")
    yield make_url(url).set(database=name).render_as_string(hide_password=False)
    on_server(url, f"DROP DATABASE {name} WITH (FORCE)")
