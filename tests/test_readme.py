"""What the README tells a stranger to type works as it stands there."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from bench.support import processes

_ROOT = Path(__file__).parent.parent
_LOOP = re.compile(r"### The loop in five calls.*?```bash\n(.*?)```", re.DOTALL)
_CASH = re.compile(r"### Cash, and the end of the day.*?```bash\n(.*?)```", re.DOTALL)
_JUMPA = f"{shlex.quote(sys.executable)} -m service.cli"


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="no curl or bash")
def test_the_loop_in_five_calls_works() -> None:
    claimed, collected, paid, lines = _ran(_script(_LOOP))
    assert len(claimed["route"]["stops"]) == 1
    assert collected["credited_idr"] == 18_802
    assert paid["status"] == "paid"
    assert [line["balance_idr"] for line in lines["items"]] == [8_802, 18_802]


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="no curl or bash")
def test_a_day_is_closed_with_its_cash_and_opened_again() -> None:
    script = "\n".join([_script(_LOOP), "operator=$(sign_in +6281100000002)", _script(_CASH)])
    *_, drawer, safe, filled, closed, opened = _ran(script)
    assert (drawer["name"], drawer["ledger_idr"]) == ("ani", 0)
    assert (safe["ledger_idr"], filled["ledger_idr"]) == (490_000, 200_000)
    assert (closed["cash_difference_idr"], closed["version"]) == (0, 1)
    assert closed["counts"] == [{"drawer": "ani", "counted_idr": 199_500, "difference_idr": -500}]
    assert (opened["version"], opened["reason"]) == (1, "kuitansi tertinggal")


def _script(section: re.Pattern[str]) -> str:
    found = section.search((_ROOT / "README.md").read_text())
    assert found
    return found.group(1)


def _ran(script: str) -> list[Any]:
    """What the README's commands print on a product of this test's own: the answers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'jumpa.db'}"
        with processes.product(url, folder) as (address, _):
            here = {"http://127.0.0.1:8000": address, "python3 run.py": _JUMPA}
            for said, meant in here.items():
                script = script.replace(said, meant)
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
                check=True,
                capture_output=True,
                cwd=_ROOT,
                env={**os.environ, "JUMPA_DATA_DIR": str(folder), "JUMPA_DATABASE_URL": url},
                text=True,
                timeout=60,
            )
    assert ran.stderr == ""
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


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
