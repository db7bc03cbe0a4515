"""The HTTP API: parse, call `control`, translate. Nothing is decided here."""
