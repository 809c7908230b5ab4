"""Run Jumpa Madu with nothing but Python 3.11 and pip: start it, test it, measure it.

python3 run.py                      start on the embedded database, with demo data
python3 run.py test                 everything that CI checks
python3 run.py test PYTEST-OPTIONS  only pytest, with these options
python3 run.py bench SUBJECT        one measurement of bench/
python3 run.py COMMAND              any other command of `jumpa`, for instance --help
"""

# The annotations stay text, so that an older Python gets as far as being told its age.
from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
LIBRARY = VENV / "lib" / f"python3.{sys.version_info.minor}"
CORE = "requirements.txt"
TEST = "requirements-test.txt"  # pins all that CORE pins, and to the same versions

MODULE = (str(PYTHON), "-m")
CHECKS = (
    ("ruff format", *MODULE, "ruff", "format", "--check", "."),
    ("ruff check", *MODULE, "ruff", "check", "."),
    ("mypy", *MODULE, "mypy"),
    ("lint-imports", str(BIN / "lint-imports")),
    ("Dockerfile", str(BIN / "hadolint"), "Dockerfile"),
    (
        "docker-compose.yml",
        *MODULE,
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    ),
)

# Runs under /bin/sh first: a `#!` line can hold neither a long path nor one with spaces.
LAUNCHER = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys

from service.cli import app

if __name__ == "__main__":
    sys.exit(app())
"""


def main(arguments: list[str]) -> int:
    """Do what the first word says; comes back only when something failed."""
    if sys.version_info < (3, 11):  # noqa: UP036
        return _refuse(f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}.")
    if not arguments:
        return start(["start"])
    if arguments[0] == "test":
        return test(arguments[1:])
    if arguments[0] == "bench":
        return bench(arguments[1:])
    return start(arguments)


def start(arguments: list[str]) -> int:
    """Become the command line of the product."""
    prepare(CORE)
    # The data lie beside this file, whatever directory the command is given in.
    os.environ.setdefault("JUMPA_DATA_DIR", str(ROOT / "data"))
    # What it advises to run must be what works here, for `jumpa` is not on the path.
    os.environ["JUMPA_COMMAND"] = f"python3 {shlex.quote(sys.argv[0])}"
    # Without compiled files every start would compile all of ours anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # -P: a folder named `service` in the current directory must not be taken for ours.
    return _become("-P", "-m", "service.cli", *arguments)


def test(arguments: list[str]) -> int:
    """Run every check up to the first that fails, pytest last; with arguments only pytest."""
    prepare(TEST)
    os.chdir(ROOT)
    if arguments:
        return _become("-m", "pytest", *arguments)
    for name, *command in CHECKS:
        _say(f"== {name}")
        code = subprocess.call(command)
        if code:
            _refuse(f"{name} failed.")
            return code
    _say("== pytest")
    # One more than cores of a small machine, since some tests wait.
    return _become("-m", "pytest", "-n", "3", "--dist", "worksteal")


def bench(arguments: list[str]) -> int:
    """Become one measurement."""
    subjects = sorted(path.stem for path in (ROOT / "bench").glob("[!_]*.py"))
    if not arguments or arguments[0] not in subjects:
        return _refuse("Say what to measure: run.py bench " + (" | ".join(subjects) or "(nothing)"))
    prepare(TEST)
    os.chdir(ROOT)
    return _become("-m", f"bench.{arguments[0]}", *arguments[1:])


def prepare(requirements: str) -> None:
    """See that .venv holds what the file pins; a stamp says that it does."""
    if _is_stamped(requirements):
        return
    lock = os.open(ROOT, os.O_RDONLY)
    try:
        _wait_for(lock)
        if not _is_stamped(requirements):
            _make(requirements, lock)
    finally:
        os.close(lock)


def _is_stamped(requirements: str) -> bool:
    stamp = _stamp_of(requirements)
    return stamp.is_file() and stamp.read_text() == _digest(requirements) and PYTHON.exists()


def _stamp_of(requirements: str) -> Path:
    return VENV / f"{requirements}.stamp"


def _digest(requirements: str) -> str:
    made_for = f"{sys.version_info[:2]} {VENV}".encode()
    return hashlib.sha256(made_for + (ROOT / requirements).read_bytes()).hexdigest()


def _wait_for(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say("Waiting for another run.py that prepares .venv ...")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _make(requirements: str, lock: int) -> None:
    # An interrupted installation leaves no stamp, of whichever file.
    for stamp in VENV.glob("*.stamp"):
        stamp.unlink()
    _say(f"Preparing .venv from {requirements}: about half a minute, the first time only ...")
    if not _venv_fits():
        _must(_call(lock, _base_python(), "-m", "venv", "--clear", "--without-pip", str(VENV)))
    _install(requirements, lock)
    _link_project()
    for done in {CORE, requirements}:
        _stamp_of(done).write_text(_digest(done))


def _venv_fits() -> bool:
    # The scripts inside hold the full path, so a copied or moved folder is of no use.
    activate = BIN / "activate"
    in_place = activate.is_file() and str(VENV) in activate.read_text()
    return in_place and PYTHON.exists() and LIBRARY.is_dir()


def _base_python() -> str:
    # Started from inside .venv, which has no pip and may be about to be cleared.
    inside = Path(sys.prefix) == VENV
    return str(getattr(sys, "_base_executable", sys.executable)) if inside else sys.executable


def _install(requirements: str, lock: int) -> None:
    pinned = ("-qq", "--require-hashes", "-r", str(ROOT / requirements))
    if _call(lock, "uv", "pip", "install", "--python", str(PYTHON), *pinned) == 0:
        return
    # No uv, or one that is set up otherwise than pip: pip has the last word.
    pip = (_base_python(), "-m", "pip", "--disable-pip-version-check")
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:
        sys.exit(_refuse("pip is missing. On Debian and Ubuntu: sudo apt install python3-pip"))
    _must(_call(lock, *pip, "--python", str(PYTHON), "install", *pinned))


def _link_project() -> None:
    """Make `service` importable from anywhere and give .venv/bin its `jumpa`."""
    # An editable installation would do the same, but has to fetch a build tool first.
    (LIBRARY / "site-packages" / "jumpa.pth").write_text(f"{ROOT}\n")
    launcher = BIN / "jumpa"
    launcher.write_text(LAUNCHER.format(python=PYTHON))
    launcher.chmod(0o755)


def _call(lock: int, *command: str) -> int:
    # The child holds the lock too, should it outlive this process.
    try:
        return subprocess.call(command, stdin=subprocess.DEVNULL, pass_fds=(lock,))
    except FileNotFoundError:
        return 127


def _must(code: int) -> None:
    if code:
        _refuse("The installation failed; the lines above say why.")
        sys.exit(code)


def _become(*arguments: str) -> int:
    # Takes this process over, so signals and the exit code are the other program's own.
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), *arguments])


def _say(line: str) -> None:
    print(line, flush=True)


def _refuse(why: str) -> int:
    print(why, file=sys.stderr, flush=True)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
