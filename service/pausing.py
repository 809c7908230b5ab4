"""Waiting a little between two looks, or until told to stop."""

import asyncio


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, and no longer than until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
