"""What the terminal UI shows, as plain values: nothing here knows a terminal, an event loop or a clock."""
