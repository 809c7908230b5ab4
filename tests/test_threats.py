"""Each threat of docs/threats.md is watched by a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_threat_names_a_test_that_is_there() -> None:
    rows = [
        row
        for row in (ROOT / "docs" / "threats.md").read_text().splitlines()
        if row.startswith("|") and not row.startswith(("| threat", "|---"))
    ]
    assert len(rows) > 30
    lacking = []
    for row in rows:
        named = NAMED.search(row)
        path = ROOT / named[1] if named else ROOT / "none"
        if named is None or not path.is_file() or f"def {named[2]}(" not in path.read_text():
            lacking.append(row)
    assert lacking == []
