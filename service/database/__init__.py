"""Where transactions begin and end, on both engines."""

# A flush follows foreign keys by name, into tables that nobody else may have imported.
import models.registry  # noqa: F401
from service.database.core import (
    Database,
    constraint_of,
    is_disk_full,
    one_at_a_time,
    open_database,
)

__all__ = [
    "Database",
    "constraint_of",
    "is_disk_full",
    "one_at_a_time",
    "open_database",
]
