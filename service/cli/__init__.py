"""The command line, `jumpa`: commands.py says what there is, each other file does a part."""

import gc
import sys

# What is imported stays for good, and there are some hundred thousand objects of it:
# looking through them for garbage again and again is a good part of a start.
gc.disable()

from service.cli.naming import told  # noqa: E402  Only now, see above.

__all__ = ["app"]


def app() -> None:
    """Do what the command line says."""
    if sys.argv[1:] == ["start"]:
        # There is nothing to read, and Typer with all commands would be a twentieth of the start.
        _build_models_late()
        from service.cli import listening, refusals  # noqa: PLC0415

        sys.exit(refusals.exit_code_of(listening.start))
    from service.cli.commands import app as commands  # noqa: PLC0415

    commands(prog_name=told())


def _build_models_late() -> None:
    from pydantic import BaseModel  # noqa: PLC0415

    # When they are first used. Most are those of the description, which is seldom asked for.
    BaseModel.model_config["defer_build"] = True
