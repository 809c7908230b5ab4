"""What this program is called here, so that what it advises can be typed as it stands."""

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # A `--help` need not wait for it.
    from service.settings import Settings

_ROOT = Path(__file__).parents[2]
_DEFAULT_PORT = 8000
_JUMPA = re.compile(r"(?<![/\w])jumpa (?=[a-z])")


def told(command: str = "") -> str:
    """A command as it is typed here: run.py says how it was called, else it is `jumpa`."""
    return f"{os.environ.get('JUMPA_COMMAND') or 'jumpa'} {command}".rstrip()


def told_elsewhere(command: str, settings: "Settings") -> str:
    """The same for another terminal, which may not know where this server is."""
    set_here = {}
    if settings.port != _DEFAULT_PORT:
        set_here["JUMPA_PORT"] = str(settings.port)
    if "JUMPA_DATA_DIR" in os.environ and settings.data_dir.resolve() != _ROOT / "data":
        set_here["JUMPA_DATA_DIR"] = str(settings.data_dir.resolve())
    words = [f"{name}={shlex.quote(value)}" for name, value in set_here.items()]
    return " ".join([*words, told(command)])


def in_examples(text: str) -> str:
    """A help text, with the program called as it is here."""
    return _JUMPA.sub(lambda _: f"{told()} ", text)
