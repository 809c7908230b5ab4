"""Every table, imported once, so that the metadata is whole."""

from importlib import import_module
from pkgutil import iter_modules

from sqlmodel import SQLModel

import models

for _module in iter_modules(models.__path__, "models."):
    if _module.name not in (__name__, "models.migrations"):
        import_module(_module.name)

METADATA = SQLModel.metadata
GLOBAL_TABLES = frozenset(
    {
        "alembic_version",
        "audit_own",
        "bank",
        "consent",
        "deletion",
        "deletion_trace",
        "device",
        "district",
        "gateway_callback",
        "material",
        "membership",
        "outside_identity",
        "person",
        "recovery_code",
        "refresh_token",
        "second_factor",
        "sign_in_code",
    }
)
"""Tables that belong to no bank; every other table leads its key with bank_id."""
BANK_TABLES = frozenset(METADATA.tables) - GLOBAL_TABLES
