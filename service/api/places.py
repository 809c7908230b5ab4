"""How many requests are worked on at a time: what comes on top is told to come again.

Without an end to them a flood makes everybody wait, and nobody gets an answer in time. With
one, who gets in is served nearly as fast as ever, and the others know at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from service.api.errors import TooBusy


class Places:
    """Places at work in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place while the block runs. Raises TooBusy."""
        if self._taken >= self._most:
            raise TooBusy
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
