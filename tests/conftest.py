"""Every service test runs on both engines; every test makes banks of its own.

Rows belong to banks, so tests don't see each other: no cleaning up, one schema a run.
"""

import gc
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

from service.api.dependencies import Parts
from service.app import create_app
from service.database import Database, schema
from service.keys import Keys, load_keys
from service.messages import FileMessenger
from service.settings import Settings
from tests import factories, migrated, postgresql

# A busy machine is no failure: the clock decides nothing here.
settings.register_profile("calm", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("calm")


def pytest_configure(config: pytest.Config) -> None:
    """One migrated file for all workers of a run: they inherit where it is."""
    if not os.environ.get(migrated.TEMPLATE):
        folder = tempfile.TemporaryDirectory(prefix="jumpa-")
        config.add_cleanup(folder.cleanup)
        os.environ[migrated.TEMPLATE] = str(Path(folder.name) / "template.db")


def pytest_collection_finish() -> None:
    """What is there by now stays; the collector of garbage needn't look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str | None]:
    """An empty database on a PostgreSQL server of this run's own."""
    with postgresql.server() as url:
        if url is None and os.environ.get("CI"):
            pytest.fail("CI needs PostgreSQL: half of the tests would be skipped.")
        yield url


# A mutation run asks the same tests hundreds of times, on one engine (docs/mutation.md).
ENGINES = os.environ.get("JUMPA_TEST_ENGINES", "sqlite,postgresql").split(",")


@pytest.fixture(scope="session", params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database that has this version's schema."""
    if request.param == "sqlite":
        return migrated.file_at(tmp_path_factory.mktemp("sqlite") / "jumpa.db")
    url: str | None = request.getfixturevalue("postgresql_url")
    if url is None:
        pytest.skip("NO POSTGRESQL: half of the tests do not run")
    schema.upgrade(url)
    return url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str) -> Iterator[str]:
    """A migrated database that nobody is connected to, to be copied."""
    with migrated.on_server_of(postgresql_url) as url:
        yield url


@pytest.fixture
def own_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of this test's own."""
    if database_url.startswith("sqlite"):
        yield migrated.file_at(tmp_path / "own.db")
        return
    with migrated.copy_of(request.getfixturevalue("postgresql_template")) as url:
        yield url


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database that all tests share."""
    async with migrated.opened(database_url, pool_size=20) as opened:
        yield opened


@pytest.fixture
async def alone(own_url: str) -> AsyncIterator[factories.Town]:
    """A town whose database has no other, for who looks through all that is there."""
    async with migrated.opened(own_url, pool_size=2) as database:
        yield await factories.make_town(database)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def keys(data_dir: Path) -> Keys:
    return load_keys(Settings(data_dir=data_dir))


@pytest.fixture(scope="session")
def ordinary() -> Settings:
    """Settings of nobody in particular, read once since reading them takes long."""
    return Settings()


@pytest.fixture
async def parts(database: Database, keys: Keys, ordinary: Settings, tmp_path: Path) -> Parts:
    """An application's parts with a message file of this test's own."""
    own = ordinary.model_copy(update={"data_dir": tmp_path})
    return Parts(own, database, keys, FileMessenger(tmp_path / "messages.jsonl"), None)


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP without a network, asking for English words."""
    app = create_app(parts.settings)
    app.state.parts = parts
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://jumpa", headers={"Accept-Language": "en"}
    ) as opened:
        yield opened


@pytest.fixture(scope="session")
def spare_towns(database: Database) -> list[factories.Town]:
    """Towns of this database that no test has seen yet."""
    return []


@pytest.fixture
async def town(database: Database, spare_towns: list[factories.Town]) -> factories.Town:
    """A bank of this test's own with one person in each part."""
    if not spare_towns:
        spare_towns += await factories.make_towns(database, 10)
    return spare_towns.pop()
