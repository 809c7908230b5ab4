"""A town to try things in: its people, and a day of theirs."""
