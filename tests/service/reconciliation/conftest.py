"""Towns for those who decide."""

import pytest

from service.database import Database
from tests.factories import Town, make_town


@pytest.fixture
async def generous(database: Database) -> Town:
    """A town in which one person may decide about any of these amounts."""
    return await make_town(database, correction_limit_idr=10_000_000)
