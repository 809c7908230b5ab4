"""The command line, `jumpa`: commands.py says what there is, each other file does a part."""

import gc

# What is imported stays for good, and there are some hundred thousand objects of it:
# looking through them for garbage again and again is a good part of a start.
gc.disable()

from service.cli.commands import app  # noqa: E402  Only now, see above.

__all__ = ["app"]
