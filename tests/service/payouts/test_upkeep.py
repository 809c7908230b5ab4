"""What gateways say of themselves is written down, once."""

from dataclasses import replace

from sqlmodel import col, select

from models.payout import GatewayFloat, PayoutChannel
from service.payouts import upkeep
from tests.counting import statements_of
from tests.paying import BCA, DANA, Till

_WRITES = ("INSERT", "UPDATE", "DELETE", "BEGIN IMMEDIATE")


async def test_a_round_writes_what_changed_and_nothing_else(till: Till) -> None:
    assert await _writes_of_a_round(till)
    assert await _writes_of_a_round(till) == []
    till.gateway.offered = [replace(BCA, fee_idr=1_000)]
    till.gateway.balance = 5_000
    writes = await _writes_of_a_round(till)
    assert [statement.split()[0] for statement in writes if "payout_channel" in statement] == [
        "UPDATE",
        "DELETE",
    ]
    assert await _known(till) == ({"BCA": 1_000}, 5_000)
    assert await _writes_of_a_round(till) == []


async def test_channels_go_with_their_gateway(till: Till) -> None:
    await _writes_of_a_round(till)
    till.gateway.name, till.gateway.offered = "new", [DANA]
    await _writes_of_a_round(till)
    assert (await _known(till))[0] == {"DANA": DANA.fee_idr}


async def _writes_of_a_round(till: Till) -> list[str]:
    with statements_of(till.town.database) as sent:
        await upkeep.refresh_channels(till.town.database, till.gateways, [till.town.bank_id])
    return [statement for statement in sent if statement.lstrip().startswith(_WRITES)]


async def _known(till: Till) -> tuple[dict[str, int], int | None]:
    """Fees by channel, and the balance at the gateway of before."""
    ours = PayoutChannel.bank_id == till.town.bank_id
    async with till.town.database.reading() as session:
        rows = await session.exec(select(PayoutChannel).where(ours))
        fees = {row.code: row.fee_idr for row in rows}
        query = select(GatewayFloat.balance_idr).where(
            col(GatewayFloat.bank_id) == till.town.bank_id, GatewayFloat.gateway == "gate"
        )
        return fees, (await session.exec(query)).first()
