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
from tests import migrated

_ROOT = Path(__file__).parent.parent
_README = (_ROOT / "README.md").read_text()
_BLOCKS = {
    section.partition("\n")[0]: block[1]
    for section in re.split(r"^#{2,3} ", _README, flags=re.MULTILINE)
    if (block := re.search(r"```bash\n(.*?)```", section, re.DOTALL))
}
"""Each section's commands, in the order of the page."""
_JUMPA = f"{shlex.quote(sys.executable)} -m service.cli"
_NEXT = "-- next --"


def said() -> dict[str, list[str]]:
    """What all the blocks print, one after the other in one terminal, line by line."""
    script = f"echo '{_NEXT}'\n".join(_BLOCKS.values())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = migrated.file_at(folder / "jumpa.db")
        with processes.product(url, folder) as (address, _):
            script = script.replace("python3 run.py", _JUMPA)
            here = {
                "JUMPA_DATA_DIR": str(folder),
                "JUMPA_DATABASE_URL": url,
                "JUMPA_PORT": address.rpartition(":")[2],
            }
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
                check=True,
                capture_output=True,
                cwd=_ROOT,
                env={**os.environ, **here},
                text=True,
                timeout=150,
            )
    assert ran.stderr == ""
    lines = [part.strip().splitlines() for part in ran.stdout.split(_NEXT)]
    return dict(zip(_BLOCKS, lines, strict=True))


def answers(lines: list[str]) -> list[Any]:
    return [json.loads(line) for line in lines if line.startswith("{")]


def the_loop_in_five_calls_works(said: dict[str, list[str]]) -> None:
    claimed, collected, paid, lines = answers(said["The loop in five calls"])
    assert len(claimed["route"]["stops"]) == 1
    assert collected["credited_idr"] == 18_802
    assert paid["status"] == "paid"
    assert [line["balance_idr"] for line in lines["items"]] == [8_802, 18_802]


def a_load_is_received_and_a_payout_taken_back(said: dict[str, list[str]]) -> None:
    (received,) = answers(said["The second weighing"])
    (corrected,) = answers(said["Corrections, and the passbook on paper"])
    assert received["status"] == "settled"
    assert (corrected["status"], corrected["amount_idr"]) == ("made", 10_000)


def the_store_is_counted(said: dict[str, list[str]]) -> None:
    counted, stock = answers(said["Counting the store"])
    assert (counted["counted_grams"], counted["difference_grams"]) == (7_450, -50)
    assert [one["grams"] for one in stock["items"]] == [7_450]


def a_day_is_closed_with_its_cash_and_opened_again(said: dict[str, list[str]]) -> None:
    drawer, safe, filled, closed, opened = answers(said["Cash, and the end of the day"])
    assert (drawer["name"], drawer["ledger_idr"]) == ("ani", 0)
    assert (safe["ledger_idr"], filled["ledger_idr"]) == (500_000, 200_000)
    assert (closed["cash_difference_idr"], closed["version"]) == (0, 1)
    assert closed["counts"] == [{"drawer": "ani", "counted_idr": 199_500, "difference_idr": -500}]
    assert (opened["version"], opened["reason"]) == (1, "kuitansi tertinggal")


def a_plan_is_asked_for(said: dict[str, list[str]]) -> None:
    (planned,) = answers(said["Routes, and a day's plan"])
    assert planned["status"] == "queued"


def a_transfer_arrives(said: dict[str, list[str]]) -> None:
    (moves,) = answers(said["Paid to a bank account or a wallet"])
    states = [move["to_status"] for move in moves["items"]]
    assert states[:3] == ["requested", "approved", "sending"]


def a_report_is_reconciled(said: dict[str, list[str]]) -> None:
    imported, resolved = answers(said["Reconciling"])
    assert (imported["new_count"], imported["exceptions"]) == (1, {"missing_here": 1})
    assert (resolved["status"], resolved["action"]) == ("resolved", "top_up")


def a_receipt_proves_itself(said: dict[str, list[str]]) -> None:
    assert "stand in the sealed book as shown" in said["A receipt that proves itself"][-1]


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="no curl or bash")
def test_every_block_does_what_it_says() -> None:
    """One test, since all of them are typed into one terminal."""
    printed = said()
    the_loop_in_five_calls_works(printed)
    a_load_is_received_and_a_payout_taken_back(printed)
    the_store_is_counted(printed)
    a_day_is_closed_with_its_cash_and_opened_again(printed)
    a_plan_is_asked_for(printed)
    a_transfer_arrives(printed)
    a_report_is_reconciled(printed)
    a_receipt_proves_itself(printed)


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_the_loop_says_which_answer_was_not_the_expected_one() -> None:
    first = next(iter(_BLOCKS.values()))
    field = first[first.index("field()") : first.index("key()")]
    script = field + """echo '{"detail": "Rp9.000 is too little."}' | field id"""
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True)  # noqa: S607
    assert ran.returncode == 1
    assert "Rp9.000 is too little." in ran.stderr
    assert "Traceback" not in ran.stderr
