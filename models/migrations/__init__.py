"""The schema's history. HEAD is what a database must be at."""

HEAD = "0018"
