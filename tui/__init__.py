"""The operators' terminal UI. This version of wsmgr has none yet: the CLI and the API are what there is."""
