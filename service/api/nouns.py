"""All routes of the API, noun by noun as its description tells of them."""

from collections.abc import Iterator

from starlette.routing import BaseRoute

from service.api import (
    audit,
    auth,
    bank_statements,
    banks,
    books,
    breaches,
    buyers,
    cards,
    collecting,
    corrections,
    days,
    devices,
    disputes,
    drawers,
    earnings,
    events,
    gateways,
    jobs,
    loads,
    mass,
    passbooks,
    payout_decisions,
    payouts,
    people,
    pickups,
    plans,
    policies,
    privacy,
    receipts,
    reconciliation,
    routes,
    sales,
    seals,
    second_factor,
    statement_lines,
    statements,
    stock,
    system,
)

_NOUNS = (
    auth,
    people,
    devices,
    privacy,
    breaches,
    second_factor,
    cards,
    banks,
    policies,
    pickups,
    jobs,
    collecting,
    routes,
    plans,
    events,
    loads,
    disputes,
    mass,
    passbooks,
    statements,
    earnings,
    buyers,
    sales,
    stock,
    drawers,
    payouts,
    payout_decisions,
    gateways,
    bank_statements,
    reconciliation,
    statement_lines,
    books,
    corrections,
    days,
    seals,
    receipts,
    audit,
    system,
)


def every_route() -> Iterator[BaseRoute]:
    # First, since these come by the hundred and routes are tried one after the other.
    yield from gateways.callbacks.routes
    for noun in _NOUNS:
        yield from noun.router.routes
