"""Where transactions begin and end, on both engines."""

from service.database.core import Database, constraint_of, open_database

__all__ = ["Database", "constraint_of", "open_database"]
