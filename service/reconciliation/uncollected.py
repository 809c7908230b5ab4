"""Large work that makes no cycles, and among whose rows Python would look for some again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected(is_large: bool) -> Iterator[None]:  # noqa: FBT001  It says so itself.
    """Let Python look for cycles afterwards; with a hundred thousand lines that saves a fifth.

    Of two at once the first to end lets it look again, which costs the other time and nothing else.
    """
    if not is_large or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
