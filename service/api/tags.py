"""The groups of the API's description, in the order in which somebody new needs them."""

_ABOUT = {
    "sign-in": "A code sent to a phone gives tokens for a device; a second factor for officers.",
    "people": "Who I am, who is a member of a bank, and the cards of those without a phone.",
    "banks": "Banks near me, what they buy and at which prices, and how materials are called.",
    "pickups": "A resident lists waste to be fetched, looks after it and calls it off.",
    "jobs": "A collector claims the nearest pickups, goes there, weighs at the door, or lets go.",
    "routes": "The order of a collector's stops, as a list, a map and a picture.",
    "plans": "A day's pickups shared out among collectors by an officer.",
    "station": "Loads are weighed again at the bank, and where that differs too much somebody decides.",
    "passbook": "What a resident brought, has and is owed; drop-offs at the counter are entered here.",
    "payouts": "Money is asked for, approved, and paid in cash or sent to an account or wallet.",
    "earnings": "What a collector earned by fetching.",
    "sales": "What leaves the store: sales to buyers, which pay residents' parts, and residue.",
    "stock": "What lies in the store, whose it is, and what a count of it finds.",
    "drawers": "Cash in the safe and in officers' drawers: moved, counted, handed back.",
    "corrections": "Entries are never edited: they are taken back by new ones, with a reason.",
    "days": "A day is closed once its cash was counted; what is entered later is of the next.",
    "reconciliation": "Statements of bank and gateway are compared with the ledger, line by line.",
    "bookkeeping": "The books of closed days as files for an accountant.",
    "ledger": "Where each material's grams went: days for officers, months for the city.",
    "policies": "A bank's own rules: fees, limits, how far it fetches and how it settles.",
    "privacy": "Consents, my data as a file, the end of an account, and leaks that must be told.",
    "audit": "Who did what and who looked at whom.",
    "seals": "Receipts, and proofs that anybody can check that the ledger was not changed.",
    "events": "What happens to my pickups, loads and payouts, told as it happens.",
    "gateways": "Where payment gateways report; nobody else calls it.",
    "system": "Whether the server is well, what it counts, and what its problems mean.",
}

TAGS = [{"name": name, "description": about} for name, about in _ABOUT.items()]
"""As OpenAPI wants them. Pages show groups in this order."""
