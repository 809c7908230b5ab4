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
_BLOCKS = re.findall(r"```bash\n(.*?)```", (_ROOT / "README.md").read_text(), re.DOTALL)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="no curl or bash")
def test_the_blocks_work_one_after_the_other() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'jumpa.db'}"
        with processes.product(url, folder) as (address, _):
            script = "".join(_BLOCKS).replace("http://127.0.0.1:8000", address)
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
                check=True,
                capture_output=True,
                cwd=_ROOT,
                env={**os.environ, "JUMPA_DATA_DIR": str(folder)},
                text=True,
                timeout=120,
            )
    assert ran.stderr == ""
    said = ran.stdout.splitlines()
    claimed, collected, paid, lines, received, corrected, planned = map(json.loads, said[:7])
    assert len(claimed["route"]["stops"]) == 1
    assert collected["credited_idr"] == 18_802
    assert paid["status"] == "paid"
    assert [line["balance_idr"] for line in lines["items"]] == [8_802, 18_802]
    assert received["status"] == "settled"
    assert (corrected["status"], corrected["amount_idr"]) == ("made", 10_000)
    assert planned["status"] == "queued"
    assert "stand in the sealed book as shown" in said[-1]


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_the_loop_says_which_answer_was_not_the_expected_one() -> None:
    field = _BLOCKS[0][_BLOCKS[0].index("field()") : _BLOCKS[0].index("key()")]
    script = field + """echo '{"detail": "Rp9.000 is too little."}' | field id"""
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True)  # noqa: S607
    assert ran.returncode == 1
    assert "Rp9.000 is too little." in ran.stderr
    assert "Traceback" not in ran.stderr
