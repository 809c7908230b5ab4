"""The day of the demo town, with a progress bar."""

import asyncio
from pathlib import Path

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from service.cli.greeting import url_of
from service.cli.refusals import Refused
from service.demo.codes import CodeFile, NoCodeFound
from service.demo.day import Scale, Watch, live
from service.demo.phones import CallFailed, CodeRefused
from service.demo.report import report
from service.demo.tally import Summary
from service.settings import Settings

_TIMEOUT_S = 30.0


def live_a_day(url: str, data_dir: Path | None, scale: Scale) -> None:
    """Live a day, and print what it came to; exit code 1 if something went wrong."""
    settings = Settings()
    url = url or url_of(settings)
    messages = (data_dir or settings.data_dir).resolve() / "messages.jsonl"
    console = Console()
    try:
        summary = asyncio.run(_live(console, url, messages, scale))
    except NoCodeFound as error:
        raise Refused(
            f"{error} Is --data-dir the data folder of the server at {url}, and does it write"
            " its messages to a file?"
        ) from None
    except CodeRefused:
        raise Refused(
            f"The code in {messages} doesn't fit the server at {url}. Say with --data-dir which"
            " data folder that server has."
        ) from None
    except CallFailed as error:
        raise Refused(
            f"{str(error).rstrip('.')}. Is the server at {url} running, with the demo town?"
        ) from None
    console.print(report(summary))
    if not summary.is_clean:
        raise typer.Exit(1)


async def _live(console: Console, url: str, messages: Path, scale: Scale) -> Summary:
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    limits = httpx.Limits(max_connections=scale.clients)
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=limits) as http:
        with Progress(*columns, console=console) as progress:
            return await live(http, CodeFile(messages), scale, _watch(progress))


def _watch(progress: Progress) -> Watch:
    tasks = {}

    def tell(part: str, done: int, of: int) -> None:
        if part not in tasks:
            tasks[part] = progress.add_task(part, total=of)
        progress.update(tasks[part], completed=done)

    return tell
