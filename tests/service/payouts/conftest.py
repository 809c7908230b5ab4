"""A resident with money, and a gateway that says what it is told."""

import pytest

from service.keys import Keys
from tests.factories import Town, earn
from tests.paying import Till

EARNED = 123_700


@pytest.fixture
async def till(town: Town, keys: Keys) -> Till:
    """A town whose resident has Rp123,700, and whose bank pays through a gateway."""
    assert await earn(town, keys, grams=50_000) == EARNED
    opened = Till(town)
    await opened.open()
    return opened
