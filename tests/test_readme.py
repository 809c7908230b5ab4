"""What the README tells a stranger to type works as it stands there."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from bench.support import processes

_ROOT = Path(__file__).parent.parent
_LOOP = re.compile(r"### The loop in five calls.*?```bash\n(.*?)```", re.DOTALL)
_DESK = re.compile(r"### Reconciling.*?```bash\n(.*?)```", re.DOTALL)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="no curl or bash")
def test_the_loop_in_five_calls_and_the_desk_work() -> None:
    readme = (_ROOT / "README.md").read_text()
    found, desk = _LOOP.search(readme), _DESK.search(readme)
    assert found
    assert desk
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'jumpa.db'}"
        with processes.product(url, folder) as (address, _):
            script = (found.group(1) + desk.group(1)).replace("http://127.0.0.1:8000", address)
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
                check=True,
                capture_output=True,
                env={**os.environ, "JUMPA_DATA_DIR": str(folder)},
                text=True,
                timeout=60,
            )
        books = (folder / "books.xlsx").read_bytes()
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    claimed, collected, paid, lines, imported, resolved = told
    assert ran.stderr == ""
    assert len(claimed["route"]["stops"]) == 1
    assert collected["credited_idr"] == 18_802
    assert paid["status"] == "paid"
    assert [line["balance_idr"] for line in lines["items"]] == [8_802, 18_802]
    assert (imported["new_count"], imported["exceptions"]) == (1, {"missing_here": 1})
    assert (resolved["status"], resolved["action"]) == ("resolved", "top_up")
    assert books.startswith(b"PK")


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_the_loop_says_which_answer_was_not_the_expected_one() -> None:
    found = _LOOP.search((_ROOT / "README.md").read_text())
    assert found
    field = found.group(1)[found.group(1).index("field()") : found.group(1).index("key()")]
    script = field + """echo '{"detail": "Rp9.000 is too little."}' | field id"""
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True)  # noqa: S607
    assert ran.returncode == 1
    assert "Rp9.000 is too little." in ran.stderr
    assert "Traceback" not in ran.stderr
