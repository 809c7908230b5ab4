"""What the passbooks and the trial balances say at the end of a day."""

from typing import Any

from service.demo import town
from service.demo.phones import Network, Phone
from service.demo.tally import BankBooks

_ORIGINS = ("pickup_id", "dropoff_id", "payout_id")


async def check_passbook(
    network: Network, phone: Phone, bank_id: str, credited: dict[str, int], paid: dict[str, int]
) -> None:
    """Note a failure unless the passbook has these lines, each once, and its balance follows."""
    call = "passbook"
    found = await _lines_about(phone, bank_id, {**credited, **paid})
    if sorted((id_, line["in_idr"]) for id_, line in found if id_ in credited) != sorted(
        credited.items()
    ):
        network.calls.fail(call, "credits are not what the answers said", phone.number)
    if sorted((id_, line["out_idr"]) for id_, line in found if id_ in paid) != sorted(paid.items()):
        network.calls.fail(call, "payments are not what the answers said", phone.number)
    book = await phone.get(call, f"/v1/passbooks/{bank_id}")
    newest = await phone.get("passbook lines", f"/v1/passbooks/{bank_id}/lines", limit=1)
    balance = newest["items"][0]["balance_idr"] if newest["items"] else 0
    if book["available_idr"] + book["held_idr"] != balance:
        network.calls.fail(call, "the balance is not that of the last line", phone.number)


async def trial_balance(treasurer: Phone, bank: town.TownBank) -> BankBooks:
    """The books of a bank in short."""
    found = await treasurer.get("trial balance", f"/v1/banks/{bank.id}/ledger/trial-balance")
    owed = sum(
        account["credit"] - account["debit"]
        for account in found["items"]
        if account["account"].startswith("available:")
    )
    return BankBooks(bank.name, len(found["items"]), found["sums"], owed)


async def _lines_about(
    phone: Phone, bank_id: str, wanted: dict[str, int]
) -> list[tuple[str, dict[str, Any]]]:
    """The lines about these pickups, drop-offs and payouts, from the newest page on."""
    found: list[tuple[str, dict[str, Any]]] = []
    query: dict[str, Any] = {"limit": 200}
    while len(found) < len(wanted):
        page = await phone.get("passbook lines", f"/v1/passbooks/{bank_id}/lines", **query)
        for line in page["items"]:
            origin = next((line[name] for name in _ORIGINS if line[name]), "")
            if origin in wanted:
                found.append((origin, line))
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    return found
