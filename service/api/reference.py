"""The table of who may do what, as the API's description and docs/api-access.md show it.

`python3 -m service.api.reference > docs/api-access.md` makes the page anew.
"""

import sys
from typing import Any

from service.api.access import TABLE

_HEAD = """\
# Who may do what

Made from the table in `service/api/access.py`, which is also what the server keeps to; a test
asks every call in the name of every role. To make it anew, after a change of the table:
`python3 -m service.api.reference > docs/api-access.md`.

Roles are parts played in a bank: whoever has one acts in that bank alone. With **(own)** it is
for their own things: a resident's pickups, passbook and payouts, a collector's claims, routes,
load and earnings, an operator's drawer. Without, it is for all of the bank's. *Signed in* is for
everybody with a token; the roles after it say whose things a list shows.

Whoever has no token is answered 401; with one, 403 for a role that the row doesn't name or a
bank that isn't theirs, and 404 for a thing that isn't. What is forbidden to a person whatever
their role, as agreeing to one's own payout, is said beside it.

| call | who | |
|---|---|---|
"""


def page() -> str:
    """The whole table as Markdown."""
    rows = [
        f"| `{act}` | {', '.join(access.who())} | {access.note} |" for act, access in TABLE.items()
    ]
    return _HEAD + "\n".join(rows) + "\n"


def describe(openapi: dict[str, Any]) -> None:
    """Say of every operation who may: as `x-roles`, and in a line for people."""
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            access = TABLE[f"{method.upper()} {path}"]
            who = access.who()
            operation["x-roles"] = who
            line = f"Who may: {', '.join(who)}{f'; {access.note}' if access.note else ''}."
            said = operation.get("description", "")
            operation["description"] = f"{said}\n\n{line}" if said else line


if __name__ == "__main__":
    sys.stdout.write(page())
