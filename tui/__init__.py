"""The terminal UI of operators. Knows the daemon through `wsmgr.client` and `wsmgr.wire` alone."""
