"""Where transactions begin and end, on both engines."""

from service.database.core import Database, constraint_of, one_at_a_time, open_database

__all__ = ["Database", "constraint_of", "one_at_a_time", "open_database"]
