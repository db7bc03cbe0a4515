"""Pure values and decisions. Nothing here awaits, reads a clock, logs, or does I/O."""
