"""The async shell: it observes, asks `core` for a decision, and performs it through `ports`."""
