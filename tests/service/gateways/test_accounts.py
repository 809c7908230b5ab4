"""The file of gateways: what is taken, and how a bad one is refused."""

from pathlib import Path
from uuid import UUID

import pytest

from service.gateways.accounts import (
    GatewaysFileNotReadable,
    IrisAccount,
    XenditAccount,
    read_accounts,
)
from service.gateways.opening import open_gateways

BANK = UUID("01890000-0000-7000-8000-000000000001")
OTHER = UUID("01890000-0000-7000-8000-000000000002")
SECRET = "xnd_production_s3cr3t"

GOOD = f"""\
[[account]]
name = "xendit"
kind = "xendit"
secret_key = "{SECRET}"
callback_secret = "callback-token"
banks = "*"
fee_idr = 2500

[[account]]
name = "iris-medan"
kind = "iris"
url = "http://127.0.0.1:9000/iris/api/v1/"
creator_key = "IRIS-creator"
approver_key = "IRIS-approver"
callback_secret = "merchant-key"
banks = ["{BANK}"]
fee_idr = 2500
vat_permille = 0
timeout_s = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gateways.toml"
    path.write_text(GOOD)
    return path


def refusal(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(GatewaysFileNotReadable) as refused:
        read_accounts(path)
    words = str(refused.value)
    assert SECRET not in words
    return words.removeprefix(f"{path}, ")


def test_accounts_have_what_the_file_says(file: Path) -> None:
    xendit, iris = read_accounts(file)
    assert isinstance(xendit, XenditAccount)
    assert isinstance(iris, IrisAccount)
    assert xendit.base_url == "https://api.xendit.co"
    assert xendit.secret_key.get_secret_value() == SECRET
    assert (xendit.fee_idr, xendit.vat_permille, xendit.timeout_s) == (2_500, 110, 10.0)
    assert iris.base_url == "http://127.0.0.1:9000/iris/api/v1"
    assert SECRET not in repr(xendit)


async def test_gateways_are_those_of_a_bank(file: Path) -> None:
    gateways = open_gateways(file)
    assert gateways.names == ["xendit", "iris-medan"]
    assert [one.name for one in gateways.of(BANK)] == ["xendit", "iris-medan"]
    assert [one.name for one in gateways.of(OTHER)] == ["xendit"]
    found = gateways.named("iris-medan")
    assert found is gateways.of(BANK)[1]
    assert gateways.named("elsewhere") is None
    await gateways.close()


def test_without_a_file_or_with_an_empty_one_there_are_none(tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.touch()
    for path in (None, empty):
        assert open_gateways(path).of(BANK) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("fee_idr = 2500\n\n", "fee_idr = -1\n\n", "line 7: fee_idr: Input should be greater"),
        ("vat_permille = 0", "vat_permille = 11.5", "line 18: vat_permille: Input should be"),
        (f'banks = ["{BANK}"]', 'banks = ["melati"]', "line 16: banks: "),
        ('name = "iris-medan"', 'name = "Iris Medan"', "line 10: name: String should match"),
        ('name = "iris-medan"', 'name = "xendit"', "line 10: name: This name is taken."),
        ('kind = "iris"', 'kind = "flip"', "line 9: account: Input tag 'flip'"),
        (f'"{SECRET}"', f'"{SECRET} "', "line 4: secret_key: It has letters that no key"),
        (f'secret_key = "{SECRET}"', "", "line 1: secret_key: Field required"),
        ("http://127.0.0.1:9000", "http://gateway.test", "line 12: url: Keys are sent there"),
        ("http://127.0.0.1:9000", "https://me:pw@gateway.test", "line 12: url: It may have a path"),
        ("timeout_s = 3", 'time_out = "3"', "line 19: time_out: Extra inputs are not permitted"),
        (f'"{SECRET}"', SECRET, "line 4: this is no TOML."),
    ],
)
def test_a_bad_file_is_refused_by_line_and_field(
    file: Path, old: str, new: str, words: str
) -> None:
    assert old in GOOD
    assert refusal(file, GOOD.replace(old, new)).startswith(words)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(GatewaysFileNotReadable, match="No such file"):
        open_gateways(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff")
    with pytest.raises(GatewaysFileNotReadable, match="no UTF-8"):
        open_gateways(broken)


def test_an_unknown_table_is_refused(file: Path) -> None:
    assert refusal(file, "account = []\n[iris]\n").startswith("line 1: iris: Extra inputs")
