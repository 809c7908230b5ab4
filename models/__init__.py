"""Tables, and the facts about one row."""
