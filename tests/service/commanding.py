"""Running `jumpa` in this process, with a data folder of the test's own."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli.commands import app


def jumpa(*arguments: str, answer: str = "") -> Result:
    """What a command prints, and its exit code."""
    return CliRunner().invoke(app, list(arguments), input=answer)


def only_setting(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> Path:
    """Take every setting away but the data folder."""
    for name in [name for name in os.environ if name.startswith("JUMPA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JUMPA_DATA_DIR", str(data_dir))
    monkeypatch.setenv("COLUMNS", "120")
    return data_dir


def ready(*, demo: bool = False) -> None:
    """Have a database, with the demo town if it is wanted."""
    shutil.copytree(_made(demo=demo), os.environ["JUMPA_DATA_DIR"], dirs_exist_ok=True)


@cache
def _made(*, demo: bool) -> Path:
    """What the commands leave in an empty folder; they take a second, and a copy none."""
    made = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        only_setting(patch, made / "data")
        assert jumpa("migrate").exit_code == 0
        if demo:
            assert jumpa("seed", "--demo").exit_code == 0
    return made / "data"
