"""A stand-in for whoever holds the other end of its input, and no longer than that.

The first line of its input is JSON: the socket that was handed down, and the options.
"""

import json
import os
import socket
import sys
import threading
from pathlib import Path

from service.standin.options import Options
from service.standin.serving import serve


def main() -> None:
    """Serve as the first line says, until the input ends."""
    line = sys.stdin.buffer.readline()
    if not line:
        return
    told = json.loads(line)
    listening = socket.socket(fileno=told.pop("descriptor"))
    threading.Thread(target=_end_with_input, daemon=True).start()
    serve(Options(data_dir=Path(told.pop("data_dir")), **told), listening)


def _end_with_input() -> None:
    # It ends even if its holder was killed.
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
