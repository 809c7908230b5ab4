"""The stand-in as a child of the server, so that payouts can be tried without an account."""

import asyncio
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pydantic import AnyHttpUrl, SecretStr

from service.gateways.accounts import XenditAccount
from service.gateways.opening import Gateways, Opened

NAME = "standin"
HOST = "127.0.0.1"

_PATIENCE_S = 5.0
# Should the process ever end by itself, another begins after this.
_PAUSE_S = 2.0


@asynccontextmanager
async def gateway_beside(
    data_dir: Path, callback_url: str, *, port: int = 0, after_s: float = 1.0
) -> AsyncIterator[Gateways]:
    """A gateway for every bank, whose process begins `after_s` seconds later.

    Nothing waits for it: its socket listens at once, and the first call is answered when the
    process is up. What it knows lies in `data_dir`/gateway and stays; its keys are new each
    time. It ends with the block, and with this process however that ends. Port 0 is any.
    """
    with socket.create_server((HOST, port), backlog=512) as listening:
        account = _account(listening.getsockname()[1])
        gateways = Gateways([Opened(account)])
        child = asyncio.create_task(
            _keep(account, listening.fileno(), data_dir / "gateway", callback_url, after_s)
        )
        try:
            yield gateways
        finally:
            await gateways.close()
            child.cancel()
            with suppress(asyncio.CancelledError):
                await child


def _account(port: int) -> XenditAccount:
    return XenditAccount(
        name=NAME,
        kind="xendit",
        url=AnyHttpUrl(f"http://{HOST}:{port}"),
        secret_key=SecretStr(secrets.token_hex(16)),
        callback_secret=SecretStr(secrets.token_hex(16)),
        banks="*",
        fee_idr=2_500,
    )


async def _keep(
    account: XenditAccount, descriptor: int, folder: Path, callback_url: str, after_s: float
) -> None:
    await asyncio.sleep(after_s)
    while True:
        child = await _begin(account, descriptor, folder, callback_url)
        try:
            await child.wait()
        finally:
            await _end(child)
        await asyncio.sleep(_PAUSE_S)


async def _begin(
    account: XenditAccount, descriptor: int, folder: Path, callback_url: str
) -> asyncio.subprocess.Process:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "service.standin"),
        # It reads this to the end, which comes when nobody holds our side any more.
        stdin=asyncio.subprocess.PIPE,
        pass_fds=(descriptor,),
        # Ctrl-C in the terminal is for the server, which ends it in its own time.
        start_new_session=True,
    )
    assert child.stdin is not None  # noqa: S101  It is a pipe.
    told = {
        "descriptor": descriptor,
        "gateway": account.kind,
        "data_dir": str(folder),
        "callback_url": callback_url,
        "key": account.secret_key.get_secret_value(),
        "callback_secret": account.callback_secret.get_secret_value(),
        "fee_idr": account.fee_idr,
        "vat_permille": account.vat_permille,
    }
    child.stdin.write(f"{json.dumps(told)}\n".encode())
    return child


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
