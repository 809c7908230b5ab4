"""Every table, imported once, so that the metadata is whole."""

from sqlmodel import SQLModel

from models import (
    bank,
    event,
    idempotency,
    ledger,
    material,
    payout,
    people,
    pickup,
    price,
    sign_in,
    weighing,
)

MODULES = (
    bank,
    event,
    idempotency,
    ledger,
    material,
    payout,
    people,
    pickup,
    price,
    sign_in,
    weighing,
)
METADATA = SQLModel.metadata
GLOBAL_TABLES = frozenset(
    {
        "alembic_version",
        "bank",
        "district",
        "material",
        "membership",
        "person",
        "refresh_token",
        "sign_in_code",
    }
)
"""Tables that belong to no bank; every other table leads its key with bank_id."""
BANK_TABLES = frozenset(METADATA.tables) - GLOBAL_TABLES
