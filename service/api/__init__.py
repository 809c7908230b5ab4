"""All that knows HTTP: one file a noun, with its inputs and views."""
